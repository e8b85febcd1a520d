"""What happens to a message that came in: read, translated, stored, and only then acknowledged."""

import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, tzinfo

from prometheus_client import Counter

from services.gateway.hl7v2 import acknowledgement
from services.gateway.hl7v2.error import Condition, Hl7Error, Place
from services.gateway.hl7v2.header import Header, read_header
from services.gateway.hl7v2.message import Message, parse
from services.gateway.hl7v2.translate import translate
from services.gateway.inbound import Delivery, delivery
from services.gateway.mllp.framing import Frame, Oversized
from services.gateway.source import source_of
from shared.eventlog.errors import LogUnavailableError

_log = logging.getLogger(__name__)
_answers = Counter("gateway_answers", "Messages answered, by what was said", ["answer"])

Publish = Callable[[str, bytes, dict[str, str]], Awaitable[int]]
"""Stores a payload under a subject, with headers; raises LogUnavailableError unless it is durable."""

_MESSAGE_ID = "Nats-Msg-Id"
_ENVELOPE_OF_NATS = 1_024  # subject and headers count towards the server's greatest payload


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
        received = datetime.now(UTC)
        if isinstance(frame, Oversized):
            return _refused(read_header(frame.beginning), _too_long(self._largest_message), received)
        try:
            header, stored = self._read(frame, received)
            await self._publish(stored.subject, stored.payload, {_MESSAGE_ID: str(stored.id)})
        except Hl7Error as error:
            return _refused(read_header(frame), error, received)
        except LogUnavailableError:
            return _not_stored(read_header(frame), received)
        except Exception as fault:  # noqa: BLE001 - a fault of ours is told to the sender, whatever it is
            _log.error("A message could not be read for a fault of ours: %s", _where(fault))
            return _refused(read_header(frame), _our_fault(), received)
        _answers.labels("accepted").inc()
        return acknowledgement.accept(header, received)

    def _read(self, raw: bytes, received: datetime) -> tuple[Header, Delivery]:
        message: Message = parse(raw)
        inbound = translate(message, source=source_of(message), received=received, site=self._site)
        stored = delivery(inbound, raw, received)
        largest = self._largest_payload() - _ENVELOPE_OF_NATS
        if len(stored.payload) > largest:
            raise _too_long(largest)
        return message.header, stored


def _too_long(limit: int) -> Hl7Error:
    return Hl7Error(
        Condition.VALUE_TOO_LONG, Place("MSH"), f"The message is longer than {limit} bytes.", rejects=True
    )


def _refused(header: Header, error: Hl7Error, received: datetime) -> bytes | None:
    _answers.labels("rejected" if error.rejects else "error").inc()
    _log.info("A message was refused at %s: %s", error.place, error.sentence)
    return acknowledgement.refuse(header, error, received)


def _not_stored(header: Header, received: datetime) -> bytes:
    _answers.labels("not_stored").inc()
    error = Hl7Error(
        Condition.APPLICATION_ERROR,
        Place("MSH"),
        "The message could not be stored now; please send it again later.",
    )
    answer = acknowledgement.refuse(header, error, received)
    if answer is None:
        raise UnansweredError
    return answer


def _our_fault() -> Hl7Error:
    return Hl7Error(
        Condition.APPLICATION_ERROR,
        Place("MSH"),
        "The message could not be processed for a fault of the receiver.",
    )


def _where(fault: Exception) -> str:
    """Name the kind and the line of a fault; its text may quote the message, so it is not said."""
    trace = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    line = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "an unknown line"
    return f"{type(fault).__name__} at {line}"
