"""One message of an upload, whatever it is: a FHIR resource, a CloudEvent, or an HL7 v2 message."""

from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from services.gateway.fhir.auth import Caller
from services.gateway.fhir.door import Door
from services.gateway.fhir.outcome import FhirError, Issue, refused
from services.gateway.fhir.write.bundles import read_transaction
from services.gateway.fhir.write.contents import TAKEN, Told, contents
from services.gateway.fhir.write.message import read_message
from services.gateway.fhir.write.reading import check_document, decode
from services.gateway.fhir.write.resource_routes import of_resource
from services.gateway.fhir.write.resources import Bundle
from services.gateway.fhir.write.storing import prepared
from services.gateway.fhir.write.submission import Submission
from services.gateway.fhir.write.uploaded import Form
from services.gateway.hl7v2.error import Hl7Error
from services.gateway.hl7v2.header import read_header
from services.gateway.hl7v2.message import parse
from services.gateway.hl7v2.translate import translate
from services.gateway.inbound import Delivery
from services.gateway.receiver import agreed, check_allowed
from shared.events.received import UnreadableMessageError, published

_AT: Final = "Message"
_EVENT: Final = "CloudEvent"
_QUOTE: Final = b'"'


class Read(Struct, frozen=True):
    """A message that can be stored: by what its sender knows it, and what INBOUND gets."""

    control_id: str
    deliveries: list[Delivery]
    warnings: tuple[str, ...] = ()


class _Head(Struct, rename="camel"):
    specversion: str | None = None
    resource_type: str | None = None


async def read(door: Door, caller: Caller, raw: bytes, form: Form) -> Read:
    """Translate a message; raises FhirError with what is wrong with it."""
    if form == "hl7v2":
        return _hl7(door, caller, raw)
    line = raw.strip()
    if line.startswith(_QUOTE):
        return _hl7(door, caller, decode(line, str, _AT).encode())
    known = decode(line, _Head, _AT)
    if known.specversion is not None:
        return _event(door, caller, line)
    if known.resource_type is None:
        sentence = "A line is a FHIR resource, a CloudEvent, or an HL7 v2 message as a JSON string."
        raise refused(400, "structure", sentence, _AT)
    return await _resource(door, caller, line, known.resource_type)


async def _resource(door: Door, caller: Caller, raw: bytes, kind: str) -> Read:
    if kind == "Bundle":
        check_document(raw, kind)
        told = decode(raw, Bundle, kind)
        if told.type not in ("message", "transaction"):
            raise refused(
                422, "not-supported", "A Bundle has to be a message or a transaction.", "Bundle.type"
            )
        reading = read_message if told.type == "message" else read_transaction
        submission, found = await reading(door, caller, raw, told)
    elif kind in TAKEN:
        submission = await of_resource(door, caller, raw, kind)
        found = contents(submission)
    else:
        sentence = f"Taken are Bundle, {', '.join(TAKEN)}."
        raise refused(422, "not-supported", sentence, f"{_AT}.resourceType")
    return _read(door, submission, found)


def _event(door: Door, caller: Caller, raw: bytes) -> Read:
    """Take a native event as of the sender that is known by its token, whatever source it names."""
    check_document(raw, _EVENT)
    try:
        message = published(caller.source, raw).message
    except UnreadableMessageError as error:
        raise refused(400, "structure", str(error), _EVENT) from None
    if message.source != caller.source:
        sentence = "The event names another source than the one that sends it."
        raise refused(403, "forbidden", sentence, f"{_EVENT}.data.source")
    return _read(door, Submission(raw, caller, datetime.now(UTC)), [Told(message, ())])


def _hl7(door: Door, caller: Caller, raw: bytes) -> Read:
    """Read HL7 v2 by the profile of its MSH-3 and MSH-4, which has to be one of this sender's."""
    try:
        profile = agreed(door.profiles(), read_header(raw))
        if profile.source not in (None, caller.source):
            raise refused(403, "forbidden", "MSH-3 and MSH-4 name another sender.", "MSH-3")
        message = parse(raw, profile.conventions.charset or "")
        check_allowed(message, profile)
        submission = Submission(raw, caller, datetime.now(UTC))
        told = translate(
            message,
            source=caller.source,
            received=submission.received,
            conventions=profile.conventions,
        )
    except Hl7Error as error:
        issue = Issue("error", "invalid", error.sentence, (str(error.place),))
        raise FhirError(422, [issue]) from None
    return _read(door, submission, [Told(each, ()) for each in told])


def _read(door: Door, submission: Submission, told: list[Told]) -> Read:
    original = told[0].message.original
    made = prepared(door, submission, told)
    return Read(original.control_id, [ready for _, ready in made], original.warnings)
