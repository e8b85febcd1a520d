"""What happens to a message that came in: read, translated, stored, and only then acknowledged."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, tzinfo
from time import perf_counter

import structlog

from services.gateway.hl7v2 import acknowledgement
from services.gateway.hl7v2.error import Condition, Hl7Error, Place
from services.gateway.hl7v2.header import Header, read_header
from services.gateway.hl7v2.message import parse
from services.gateway.hl7v2.translate import translate
from services.gateway.inbound import Delivery, delivery
from services.gateway.mllp.framing import Frame, Oversized
from services.gateway.source import source_of
from shared import metrics
from shared.eventlog.errors import LogUnavailableError
from shared.telemetry import failure

_log = structlog.get_logger()

Publish = Callable[[str, bytes, dict[str, str]], Awaitable[int]]
"""Stores a payload under a subject, with headers; raises LogUnavailableError unless it is durable."""

_MESSAGE_ID = "Nats-Msg-Id"
_ENVELOPE_OF_NATS = 1_024  # subject and headers count towards the server's greatest payload
_KINDS = {"ADT": "adt", "REF": "referral"}


class UnansweredError(Exception):
    """The message is not stored and its sender does not listen for refusals."""


class Receiver:
    """Takes HL7 v2 messages, several at a time; one instance serves every connection."""

    def __init__(
        self,
        publish: Publish,
        *,
        site: tzinfo,
        largest_message: int,
        largest_payload: Callable[[], int],
    ) -> None:
        """Take where to store, the zone of times without offset, and the limits in bytes.

        `largest_message` is what the framing lets through, `largest_payload` what the log's server takes now.
        """
        self._publish = publish
        self._site = site
        self._largest_message = largest_message
        self._largest_payload = largest_payload

    async def receive(self, frame: Frame) -> bytes | None:
        """Return the answer, or None where the sender wants none.

        Raises UnansweredError where the message is not stored and that cannot be said either.
        """
        began, received = perf_counter(), datetime.now(UTC)
        header = read_header(frame.beginning if isinstance(frame, Oversized) else frame)
        error = await self._store(frame, received)
        metrics.MLLP_MESSAGES.labels(_kind(header), acknowledgement.code_of(header, error)).inc()
        metrics.MLLP_SECONDS.observe(perf_counter() - began)
        if error is None:
            return acknowledgement.accept(header, received)
        _log.info("mllp-message-refused", place=str(error.place), reason=error.sentence)
        answer = acknowledgement.refuse(header, error, received)
        if answer is None and error.condition is Condition.APPLICATION_ERROR:
            raise UnansweredError
        return answer

    async def _store(self, frame: Frame, received: datetime) -> Hl7Error | None:
        """Store the message; return why it is not stored, if it is not."""
        if isinstance(frame, Oversized):
            return _too_long(self._largest_message)
        try:
            stored = self._read(frame, received)
            await self._publish(stored.subject, stored.payload, {_MESSAGE_ID: str(stored.id)})
        except Hl7Error as error:
            return error
        except LogUnavailableError:
            return _ours("The message could not be stored now; please send it again later.")
        except Exception as fault:  # noqa: BLE001 -- a fault of ours is told to the sender, whatever it is
            _log.error("mllp-message-failed", **failure(fault))
            return _ours("The message could not be processed for a fault of the receiver.")
        return None

    def _read(self, raw: bytes, received: datetime) -> Delivery:
        message = parse(raw)
        inbound = translate(message, source=source_of(message), received=received, site=self._site)
        stored = delivery(inbound, raw, received)
        largest = self._largest_payload() - _ENVELOPE_OF_NATS
        if len(stored.payload) > largest:
            raise _too_long(largest)
        return stored


def _kind(header: Header) -> str:
    return _KINDS.get(header.field(9)[:3], "other")


def _too_long(limit: int) -> Hl7Error:
    sentence = f"The message is longer than {limit} bytes."
    return Hl7Error(Condition.VALUE_TOO_LONG, Place("MSH"), sentence, rejects=True)


def _ours(sentence: str) -> Hl7Error:
    return Hl7Error(Condition.APPLICATION_ERROR, Place("MSH"), sentence)
