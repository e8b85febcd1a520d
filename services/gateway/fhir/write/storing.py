"""From a message to what INBOUND stores, all of a request together; and where its resource will be."""

from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

from services.gateway.equivalent import type_of
from services.gateway.fhir.door import Door
from services.gateway.fhir.outcome import FhirError, refused
from services.gateway.fhir.write.contents import Told
from services.gateway.fhir.write.submission import Submission
from services.gateway.inbound import Delivery, delivery
from shared.commands.decision import derived
from shared.eventlog.log import Message
from shared.events.base import Identifier
from shared.events.inbound import (
    Amendment,
    AssessmentReport,
    Cancellation,
    ConsentNotice,
    InboundMessage,
    Information,
    Referral,
)
from shared.identifiers import assessment_id, consent_id, referral_id

_ENVELOPE_OF_NATS: Final = 1_024  # subject and headers count towards the server's greatest payload
_MOST_BYTES: Final = 64 * 1024 * 1024  # of one request's messages
_MOST_TOGETHER: Final = 500  # of messages; the server takes 1 000 in one batch


class Stored(NamedTuple):
    """A message that is durable: its id in INBOUND, and which of our ids it makes."""

    told: Told
    id: UUID
    resource: UUID | None


def prepared(door: Door, submission: Submission, told: Sequence[Told]) -> list[tuple[Stored, Delivery]]:
    """Make what is stored of each message, which holds the text that it was made of.

    Raises FhirError: 403 where its sender may not send it, 413 where it does not fit the log, or, for many
    messages of a long text, memory.
    """
    for each in told:
        _check_agreed(door, each)
    if len(told) > _MOST_TOGETHER:
        raise _too_long(f"It makes more than the {_MOST_TOGETHER} messages that are stored together.")
    largest, left = door.largest_payload() - _ENVELOPE_OF_NATS, _MOST_BYTES
    made: list[tuple[Stored, Delivery]] = []
    for part, each in enumerate(told):
        ready = delivery(each.message, submission.raw, submission.received, part=part)
        if len(ready.payload) > largest:
            raise _too_long(f"It makes more than the {largest} bytes that are stored.")
        left -= len(ready.payload)
        if left < 0:
            raise _too_long(f"Its messages have more than {_MOST_BYTES} bytes together.")
        made.append((Stored(each, ready.id, _resource(door, each.message, ready.id)), ready))
    return made


async def store(door: Door, submission: Submission, told: Sequence[Told]) -> list[Stored]:
    """Store all of it, or nothing; returns when it is durable. Raises FhirError, LogUnavailableError."""
    made = prepared(door, submission, told)
    await door.log.publish_together([(ready.subject, Message(ready.id, ready.payload)) for _, ready in made])
    return [stored for stored, _ in made]


def _check_agreed(door: Door, told: Told) -> None:
    """Refuse what the profile of the source leaves out; HL7 v2 was looked at where MSH-9 is known."""
    message = told.message
    if message.original.format == "hl7v2":
        return
    code, trigger = type_of(message)
    if not door.profiles().lets(message.source, code, trigger):
        sentence = f"The profile of this source does not let it send this: it counts as {code}^{trigger}."
        raise refused(403, "forbidden", sentence, *(told.entries[:1] or ("Bundle",)))


def _resource(door: Door, message: InboundMessage, inbound: UUID) -> UUID | None:
    match message:
        case Referral() | Amendment() | Cancellation() | Information():
            return referral_id(message.placer, door.identifier_key)
        case AssessmentReport():
            return assessment_id(inbound)
        case ConsentNotice(source=source, number=Identifier() as number):
            return consent_id(source, number, door.identifier_key)
        case ConsentNotice(consent=known):
            return known or derived(inbound, "consent")
        case _:
            return None


def _too_long(sentence: str) -> FhirError:
    return refused(413, "too-long", sentence, "http.body")
