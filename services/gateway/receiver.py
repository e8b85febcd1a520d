"""What happens to a message that came in: read, translated, stored, and only then acknowledged."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from time import perf_counter

import structlog

from services.gateway.hl7v2 import acknowledgement, charset
from services.gateway.hl7v2.error import Condition, Hl7Error, Place
from services.gateway.hl7v2.header import Header, read_delimiters, read_header
from services.gateway.hl7v2.message import Message, parse
from services.gateway.hl7v2.sender import declared_charset, names
from services.gateway.hl7v2.translate import translate
from services.gateway.inbound import Delivery, delivery
from services.gateway.mllp.certificate import Certificate
from services.gateway.mllp.connection import Handler
from services.gateway.mllp.framing import Frame, Oversized
from services.gateway.profiles import Profile, Profiles
from services.gateway.source import source_of
from shared import metrics
from shared.eventlog.errors import LogUnavailableError
from shared.telemetry import failure

_log = structlog.get_logger()

Publish = Callable[[str, bytes, dict[str, str]], Awaitable[int]]
"""Stores a payload under a subject, with headers; raises LogUnavailableError unless it is durable."""

_MESSAGE_ID = "Nats-Msg-Id"
_ENVELOPE_OF_NATS = 1_024  # subject and headers count towards the server's greatest payload
_KINDS = {"ADT": "adt", "REF": "referral", "SIU": "appointment", "ORU": "result"}
_NOT_PRODUCTION = {"T", "D"}  # MSH-11: training, debugging (HL7 table 0103)


class UnansweredError(Exception):
    """The message is not stored and its sender does not listen for refusals."""


class Receiver:
    """Takes HL7 v2 messages, several at a time; one instance serves every connection."""

    def __init__(
        self,
        publish: Publish,
        *,
        profiles: Callable[[], Profiles],
        largest_message: int,
        largest_payload: Callable[[], int],
    ) -> None:
        """Take where to store, the profiles in force, and the limits in bytes.

        `largest_message` is what the framing lets through, `largest_payload` what the log's server takes now.
        """
        self._publish = publish
        self._profiles = profiles
        self._largest_message = largest_message
        self._largest_payload = largest_payload

    def identified(self, certificate: Certificate) -> Handler:
        """Return `receive` for a peer that showed this certificate."""
        return partial(self.receive, certificate=certificate)

    async def receive(self, frame: Frame, *, certificate: Certificate | None = None) -> bytes | None:
        """Return the answer, or None where the sender wants none.

        Raises UnansweredError where the message is not stored and that cannot be said either.
        """
        began, received = perf_counter(), datetime.now(UTC)
        header = read_header(frame.beginning if isinstance(frame, Oversized) else frame)
        error = await self._store(frame, header, received, certificate)
        metrics.MLLP_MESSAGES.labels(_kind(header), acknowledgement.code_of(header, error)).inc()
        metrics.MLLP_SECONDS.observe(perf_counter() - began)
        if error is None:
            return acknowledgement.accept(header, received)
        _log.info("mllp-message-refused", place=str(error.place), reason=error.sentence)
        answer = acknowledgement.refuse(header, error, received)
        if answer is None and error.condition is Condition.APPLICATION_ERROR and not error.rejects:
            raise UnansweredError
        return answer

    async def _store(
        self, frame: Frame, header: Header, received: datetime, certificate: Certificate | None
    ) -> Hl7Error | None:
        """Store what the message tells, all of it; return why it is not stored, if it is not."""
        if isinstance(frame, Oversized):
            return _too_long(self._largest_message)
        try:
            first, *more = self._read(frame, header, received, certificate)
            if more:
                await asyncio.gather(*map(self._put, (first, *more)))
            else:
                await self._put(first)
        except Hl7Error as error:
            return error
        except LogUnavailableError:
            return _ours("The message could not be stored now; please send it again later.")
        except Exception as fault:  # noqa: BLE001 -- a fault of ours is told to the sender, whatever it is
            _log.error("mllp-message-failed", **failure(fault))
            return _ours("The message could not be processed for a fault of the receiver.")
        return None

    async def _put(self, stored: Delivery) -> None:
        await self._publish(stored.subject, stored.payload, {_MESSAGE_ID: str(stored.id)})

    async def store_again(self, text: str) -> tuple[int, ...]:
        """Read what was taken once by the profiles that hold now, and store what it says.

        Returns where each of its parts is stored; raises Hl7Error, LogUnavailableError.
        """
        header = read_header(text.encode())
        profile = agreed(self._profiles(), read_header(charset.encode(text, header.field(18))))
        raw = charset.encode(text, header.field(18) or profile.conventions.charset or "")
        parts = self._translated(raw, profile, datetime.now(UTC))
        return tuple([await self._publish(each.subject, each.payload, {}) for each in parts])

    def _read(
        self, raw: bytes, header: Header, received: datetime, certificate: Certificate | None
    ) -> list[Delivery]:
        profile = agreed(self._profiles(), header)
        check_certificate(certificate, profile)
        return self._translated(raw, profile, received)

    def _translated(self, raw: bytes, profile: Profile, received: datetime) -> list[Delivery]:
        message = parse(raw, profile.conventions.charset or "")
        check_allowed(message, profile)
        told = translate(
            message,
            source=profile.source or _unclaimed(source_of(message), self._profiles()),
            received=received,
            conventions=profile.conventions,
        )
        return self._sized(delivery(each, raw, received, part=part) for part, each in enumerate(told))

    def _sized(self, deliveries: Iterable[Delivery]) -> list[Delivery]:
        """Take what the log takes: each within its limit, and all parts together within twice that."""
        largest = self._largest_payload() - _ENVELOPE_OF_NATS
        taken: list[Delivery] = []
        total = 0
        for each in deliveries:
            taken.append(each)
            total += len(each.payload)
            if len(each.payload) > largest or total > 2 * largest:
                raise _too_long(largest)
        return taken


def agreed(profiles: Profiles, header: Header) -> Profile:
    """Return what is agreed with the sender of a message; raises Hl7Error where nothing is."""
    delimiters = read_delimiters(header)
    declared = declared_charset(header, delimiters)
    application, facility = (_name(names(header, field, delimiters, declared)) for field in (3, 4))
    profile = profiles.of(application, facility)
    if profile is None:
        raise _other_sender("No profile of this receiver names the sender of MSH-3 and MSH-4.")
    return profile


def check_certificate(certificate: Certificate | None, profile: Profile) -> None:
    """Refuse who is not the sender that it says it is, where its profile names certificates.

    The sentence tells the fingerprint, so that both sides see which certificate it was. Raises Hl7Error.
    """
    if not profile.certificates or (certificate is not None and certificate.bears(profile.certificates)):
        return
    shown = "none" if certificate is None else f"SHA256:{certificate.fingerprint}"
    raise _other_sender(
        f"This sender has to show a certificate that its profile names; the connection shows {shown}."
    )


def _unclaimed(source: str, profiles: Profiles) -> str:
    """Return a token made of MSH-3 and MSH-4, unless a profile of another sender says that it is its own."""
    if profiles.is_named(source):
        raise _other_sender("MSH-3 and MSH-4 make the token of another sender's profile.")
    return source


def _other_sender(sentence: str) -> Hl7Error:
    return Hl7Error(Condition.APPLICATION_ERROR, Place("MSH", 3), sentence, rejects=True)


def _name(parts: Sequence[str]) -> str:
    """HD: its namespace, else its universal id."""
    return next((part for part in parts[:2] if part.strip()), "")


def check_allowed(message: Message, profile: Profile) -> None:
    """Refuse what is not agreed: a message type, or a test message to a system in production.

    Raises Hl7Error.
    """
    code, trigger = message.kind
    if code and not profile.takes(code, trigger):
        sentence = "The profile of this sender does not let it send this type of message."
        raise Hl7Error(Condition.UNSUPPORTED_MESSAGE_TYPE, Place("MSH", 9), sentence, rejects=True)
    if profile.production and message.text("MSH", 11).strip().upper() in _NOT_PRODUCTION:
        sentence = "MSH-11 is T or D, and this sender's profile is one of production: P is expected."
        raise Hl7Error(Condition.UNSUPPORTED_PROCESSING_ID, Place("MSH", 11), sentence, rejects=True)


def _kind(header: Header) -> str:
    return _KINDS.get(header.field(9)[:3], "other")


def _too_long(limit: int) -> Hl7Error:
    sentence = f"The message is longer than {limit} bytes."
    return Hl7Error(Condition.VALUE_TOO_LONG, Place("MSH"), sentence, rejects=True)


def _ours(sentence: str) -> Hl7Error:
    return Hl7Error(Condition.APPLICATION_ERROR, Place("MSH"), sentence)
