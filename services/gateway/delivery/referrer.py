"""What the sender itself told of a referral: an answer names the person and the parties as it did."""

from msgspec import Struct

from services.gateway.hl7v2.error import Hl7Error
from services.gateway.hl7v2.header import read_delimiters, read_header
from services.gateway.hl7v2.rri import Endpoint
from services.gateway.hl7v2.sender import names
from shared.eventlog.log import Log
from shared.events.base import Demographics, Identifier
from shared.events.inbound import Original, Referral
from shared.events.received import received
from shared.events.referral import Priority, Referrer


class Told(Struct, frozen=True, kw_only=True):
    """Nothing of it is from anybody else: what another hospital knows of the person is not told."""

    identifiers: tuple[Identifier, ...] = ()
    demographics: Demographics = Demographics()
    priority: Priority = "routine"
    referrer: Referrer = Referrer()
    sender: Endpoint | None = None  # MSH-3 and MSH-4


async def told_of(log: Log, source: str, sequence: int | None) -> Told:
    """Read the message of INBOUND that told of a referral; empty where it is kept no more."""
    stored = None if sequence is None else await log.get("INBOUND", sequence)
    if stored is None:
        return Told()
    message = received(stored.payload).data
    if not isinstance(message, Referral) or message.source != source:
        return Told()
    return Told(
        identifiers=message.person.identifiers,
        demographics=message.person.demographics,
        priority=message.priority,
        referrer=message.referrer,
        sender=_sender(message.original),
    )


def _sender(original: Original) -> Endpoint | None:
    if original.format != "hl7v2":
        return None
    header = read_header(original.text.encode())
    try:
        delimiters = read_delimiters(header)
    except Hl7Error:  # it came by other means than our own reading of HL7
        return None
    application, facility = (names(header, field, delimiters, "UTF-8") for field in (3, 4))
    return Endpoint(
        application=application[0],
        facility=facility[0],
        application_id=application[1:],
        facility_id=facility[1:],
    )
