"""What every event's data is, and the small FHIR-shaped values that events share."""

from datetime import date
from typing import ClassVar, Literal

from msgspec import Struct

from shared.events.moment import Moment


class EventData(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="event", tag=True, gc=False):
    """A fact in the past tense. A change of meaning adds a version and an upcaster, never edits one."""

    version: ClassVar[int] = 1


class Identifier(Struct, frozen=True, omit_defaults=True):
    """A business identifier: unique within its assigner (HL7 CX.4, FHIR Identifier.assigner)."""

    assigner: str
    value: str
    type: str = "MR"  # HL7 table 0203: MR, SS, AN, PI …; PLAC for a placer's referral number


class Coding(Struct, frozen=True, omit_defaults=True):
    """A code of a code system: ``icd-10-cm``, ``snomed``, ``loinc``, or the sender's own name for it."""

    system: str
    code: str
    display: str | None = None


class Demographics(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who the person is, as last told; absent means not told, which empties nothing."""

    family: str | None = None
    given: tuple[str, ...] = ()
    birth_date: date | None = None
    sex: Literal["female", "male", "other", "unknown"] | None = None  # FHIR AdministrativeGender
    phone: str | None = None
    email: str | None = None
    address: str | None = None
    language: str | None = None  # BCP 47 where the sender's code is known, else as sent


Emptied = Literal["birth_date", "sex", "phone", "email", "address", "language"]
"""What of the demographics a sender may take back (HL7's explicit null); a name is only ever replaced."""


class MessageReference(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which message told us: shown on the timeline, looked up in INBOUND."""

    source: str  # the sender's token, as in inbound.<source>.<kind>
    control_id: str  # MSH-10
    trigger: str  # "ADT^A03"
    inbound_id: str  # CloudEvents id of the stored message
    inbound_seq: int | None = None  # its sequence in INBOUND: of a referral, whose sender is answered
    sent_at: Moment | None = None  # MSH-7
