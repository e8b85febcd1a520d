"""What the outside world told us of a stay: facts, kept apart from what we decided (FHIR Encounter)."""

from typing import Literal
from uuid import UUID

from shared.events.base import Coding, EventData, Identifier, MessageReference
from shared.events.moment import Moment

EncounterClass = Literal["IMP", "EMER", "AMB", "OBSENC", "PRENC", "HH", "UNK"]  # v3-ActEncounterCode

AppointmentStatus = Literal["booked", "rescheduled", "modified", "cancelled", "noshow"]

Reversible = Literal["admission", "discharge"]


class InpatientAdmissionNotified(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """ADT A01: the person was admitted."""

    admission: UUID
    facility: str
    visit_number: str | None = None  # PV1-19: what a later cancellation matches by
    admitted: Moment | None = None  # PV1-44
    encounter_class: EncounterClass = "UNK"
    diagnoses: tuple[Coding, ...] = ()
    message: MessageReference | None = None
    also: tuple[UUID, ...] = ()  # other records of the person by then: care may be open there


class TransferNotified(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """ADT A02, A06, A07: the person moved within the facility or changed class."""

    facility: str
    visit_number: str | None = None
    location: str | None = None
    encounter_class: EncounterClass = "UNK"
    message: MessageReference | None = None


class DischargeNotified(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """ADT A03: the person was discharged; the first diagnosis is the principal one."""

    discharge: UUID
    facility: str
    discharged: Moment  # PV1-45, else EVN-6, EVN-2 or MSH-7: never unknown
    visit_number: str | None = None
    admitted: Moment | None = None
    disposition: str | None = None  # PV1-36 as sent, often free text
    encounter_class: EncounterClass = "UNK"
    diagnoses: tuple[Coding, ...] = ()
    message: MessageReference | None = None
    also: tuple[UUID, ...] = ()  # other records of the person by then: care may be open there


class AdmissionCancelled(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """ADT A11: the admission with this visit number did not happen."""

    admission: UUID
    facility: str
    visit_number: str | None = None
    message: MessageReference | None = None
    also: tuple[UUID, ...] = ()  # other records of the person by then: care may be open there


class DischargeCancelled(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """ADT A13: the discharge with this visit number did not happen; the person is still an inpatient."""

    discharge: UUID
    facility: str
    visit_number: str | None = None
    message: MessageReference | None = None
    also: tuple[UUID, ...] = ()  # other records of the person by then: care may be open there


class ReversalUnmatched(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """A cancellation came before its original: a person looks, and a late original meets it."""

    of: Reversible
    facility: str
    visit_number: str | None = None
    message: MessageReference | None = None


class DeathNotified(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """PID-30 is Y, or the disposition says expired: nothing but administrative closure follows."""

    facility: str
    died: Moment | None = None  # PID-29
    message: MessageReference | None = None


class AppointmentNotified(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """SIU: an appointment that the sender keeps for the person, and what became of it."""

    appointment: Identifier
    status: AppointmentStatus
    start: Moment | None = None
    end: Moment | None = None
    reason: str | None = None
    location: str | None = None
    message: MessageReference | None = None


EncounterEvent = (
    InpatientAdmissionNotified
    | TransferNotified
    | DischargeNotified
    | AdmissionCancelled
    | DischargeCancelled
    | ReversalUnmatched
    | DeathNotified
    | AppointmentNotified
)
