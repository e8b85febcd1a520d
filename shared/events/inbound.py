"""What a sender told us, in one canonical form whatever way it came in: the payload of INBOUND.

Subjects are `inbound.<source>.<kind>`; the kind follows from the message. The message is a CloudEvent of
type `throughcare.inbound.<Name>`, its data one of `InboundData`. The gateway writes all of it; a sender that
publishes itself may leave out what the subject or the envelope says (`shared/events/received.py`).
"""

from typing import ClassVar, Final, Literal
from uuid import UUID

from msgspec import Struct

from shared.events.assessment import Instrument
from shared.events.base import Coding, Demographics, Emptied, Identifier
from shared.events.encounter import AppointmentStatus, EncounterClass
from shared.events.moment import Moment
from shared.events.referral import Insurance, Priority, ReferralSource, Referrer

TYPE_PREFIX: Final = "throughcare.inbound."

Kind = Literal["adt", "referral", "appointment", "result", "consent"]
"""The last token of the subject."""


class Original(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The message as it came, and what we noticed reading it."""

    format: Literal["hl7v2", "fhir-r4", "cloudevents"]
    text: str
    control_id: str  # MSH-10
    trigger: str  # "ADT^A03": MSH-9.1 and 9.2
    sent_at: Moment | None = None  # MSH-7
    warnings: tuple[str, ...] = ()


class Person(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whom it is about: at least one identifier, but for a referral, which is received without one, too."""

    identifiers: tuple[Identifier, ...]
    demographics: Demographics = Demographics()
    emptied: tuple[Emptied, ...] = ()  # what a demographics update takes back: HL7's ""
    deceased: bool = False  # PID-30
    died: Moment | None = None  # PID-29


class Visit(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The stay it is about (PV1, DG1)."""

    facility: str  # PV1-39, else MSH-4
    visit_number: str | None = None  # PV1-19
    encounter_class: EncounterClass = "UNK"  # PV1-2
    admitted: Moment | None = None  # PV1-44
    discharged: Moment | None = None  # PV1-45
    disposition: str | None = None  # PV1-36, as sent
    diagnoses: tuple[Coding, ...] = ()  # DG1, the principal one first


class InboundData(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="message", tag=True):
    """What all messages carry."""

    kind: ClassVar[Kind] = "adt"

    source: str  # the sender's token, as in the subject
    person: Person
    occurred: Moment  # when it happened in the world (PV1-44/45 of A01/A03, EVN-6, EVN-2), else when sent
    original: Original


class Referral(InboundData, frozen=True, kw_only=True, omit_defaults=True):
    """REF^I12."""

    kind: ClassVar[Kind] = "referral"

    placer: Identifier
    referral_source: ReferralSource = "hospital"
    priority: Priority = "routine"
    referrer: Referrer = Referrer()
    service_requested: Coding | None = None
    reasons: tuple[Coding, ...] = ()
    documents: tuple[str, ...] = ()
    insurance: tuple[Insurance, ...] = ()
    requested_on: Moment | None = None


class Admission(InboundData, frozen=True, kw_only=True, omit_defaults=True):
    """ADT^A01."""

    visit: Visit


class Discharge(InboundData, frozen=True, kw_only=True, omit_defaults=True):
    """ADT^A03."""

    visit: Visit


class AdmissionCancellation(InboundData, frozen=True, kw_only=True, omit_defaults=True):
    """ADT^A11."""

    visit: Visit


class DischargeCancellation(InboundData, frozen=True, kw_only=True, omit_defaults=True):
    """ADT^A13."""

    visit: Visit


class DemographicsUpdate(InboundData, frozen=True, kw_only=True, omit_defaults=True):
    """ADT^A08, A28, A31: never moves state."""


class Amendment(InboundData, frozen=True, kw_only=True, omit_defaults=True):
    """REF^I13, or an update of a FHIR ServiceRequest: the referral as it is asked for now."""

    kind: ClassVar[Kind] = "referral"

    placer: Identifier
    priority: Priority | None = None
    referrer: Referrer | None = None
    service_requested: Coding | None = None
    reasons: tuple[Coding, ...] | None = None
    insurance: tuple[Insurance, ...] | None = None


class Cancellation(InboundData, frozen=True, kw_only=True, omit_defaults=True):
    """REF^I14, or a FHIR Task set to cancelled: the initiator asks to cancel its referral."""

    kind: ClassVar[Kind] = "referral"

    placer: Identifier
    reason: str | None = None


class Information(InboundData, frozen=True, kw_only=True, omit_defaults=True):
    """A FHIR Task update: the initiator's answer to what we asked."""

    kind: ClassVar[Kind] = "referral"

    placer: Identifier
    what: str


class Transfer(InboundData, frozen=True, kw_only=True, omit_defaults=True):
    """ADT^A02, A06, A07."""

    visit: Visit
    location: str | None = None  # PV1-3, as sent


class Merge(InboundData, frozen=True, kw_only=True, omit_defaults=True):
    """ADT^A40 (A18, A34): `person` survives, what `prior` names is the same person (MRG-1)."""

    prior: tuple[Identifier, ...]


class AppointmentNotice(InboundData, frozen=True, kw_only=True, omit_defaults=True):
    """SIU^S12 booked, S13 rescheduled, S14 modified, S15 cancelled, S26 missed."""

    kind: ClassVar[Kind] = "appointment"

    appointment: Identifier  # SCH-2, else SCH-1
    status: AppointmentStatus
    start: Moment | None = None
    end: Moment | None = None
    reason: str | None = None
    location: str | None = None


class AssessmentReport(InboundData, frozen=True, kw_only=True, omit_defaults=True):
    """ORU^R01, QuestionnaireResponse or Observation panel with an instrument that we know."""

    kind: ClassVar[Kind] = "result"

    instrument: Instrument
    items: dict[str, int]  # as in AssessmentCompleted
    administered_at: Moment
    total: int | None = None
    difficulty: int | None = None


class ResultReport(InboundData, frozen=True, kw_only=True, omit_defaults=True):
    """ORU^R01 with no instrument of ours: kept in INBOUND, and nothing follows from it."""

    kind: ClassVar[Kind] = "result"

    codes: tuple[Coding, ...] = ()


class ConsentNotice(InboundData, frozen=True, kw_only=True, omit_defaults=True):
    """A FHIR Consent: what the participant agreed to, or with `inactive`, that they took it back."""

    kind: ClassVar[Kind] = "consent"

    status: Literal["active", "inactive"]
    number: Identifier | None = None  # the sender's own, which is how it names the consent again
    consent: UUID | None = None  # our id of one that has no number
    recipients: tuple[str, ...] = ()  # fields as in ConsentGranted
    classes: tuple[str, ...] = ()
    purpose: tuple[str, ...] = ("TREAT",)
    scope: tuple[str, ...] = ()
    starts: Moment | None = None
    expires: Moment | None = None
    part2: bool = False
    counselling_notes: bool = False
    reason: str | None = None


InboundMessage = (
    Referral
    | Amendment
    | Cancellation
    | Information
    | Admission
    | Transfer
    | Discharge
    | AdmissionCancellation
    | DischargeCancellation
    | DemographicsUpdate
    | Merge
    | AppointmentNotice
    | AssessmentReport
    | ResultReport
    | ConsentNotice
)


class InboundEnvelope(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The CloudEvent around an inbound message."""

    specversion: Literal["1.0"]
    id: UUID  # UUIDv5 of sender, control id and content: the same message again has the same id
    source: str  # "/throughcare/gateway"
    type: str  # "throughcare.inbound.Referral"
    time: str  # when it was received, RFC 3339
    datacontenttype: Literal["application/json"]
    data: InboundMessage
