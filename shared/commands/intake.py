"""What intake can be asked."""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.commands.base import Command
from shared.events.assessment import AsamDimension, AsamEdition, AssessmentMode, Instrument
from shared.events.base import Coding, Demographics, Emptied, Identifier, MessageReference
from shared.events.encounter import AppointmentStatus, EncounterClass
from shared.events.moment import Moment
from shared.events.participant import MatchCandidate
from shared.events.referral import DeliveryWay, Insurance, Mode, Priority, ReferralSource, Referrer

Party = Literal["initiator", "recipient"]


class ClaimIdentifier(Command, frozen=True, kw_only=True, omit_defaults=True):
    """Claim an identifier for a participant; the first claim wins, for good."""

    category: ClassVar[str] = "identity"

    key: str  # keyed hash of assigner and value (shared.identifiers)
    identifier: Identifier
    referral: UUID | None = None
    source: str | None = None

    @property
    def entity(self) -> str:
        """The keyed hash: no identifier stands in a subject."""
        return self.key

    @property
    def partition_key(self) -> str:
        """The participant is not known yet where one is looked up by identifier."""
        return self.key


class ParticipantCommand(Command, frozen=True, kw_only=True, omit_defaults=True):
    """What is asked of the participant entity."""

    category: ClassVar[str] = "participant"


class RegisterParticipant(ParticipantCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Register, or link what identifiers are new; known demographics are not touched."""

    demographics: Demographics
    identifiers: tuple[Identifier, ...]
    message: MessageReference | None = None


class CorrectDemographics(ParticipantCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Take over what is told and differs, take away what is emptied; what is absent stays."""

    demographics: Demographics
    emptied: tuple[Emptied, ...] = ()
    message: MessageReference | None = None


class NotifyAdmission(ParticipantCommand, frozen=True, kw_only=True, omit_defaults=True):
    """ADT A01."""

    admission: UUID
    facility: str
    visit_number: str | None = None
    admitted: Moment | None = None
    encounter_class: EncounterClass = "UNK"
    diagnoses: tuple[Coding, ...] = ()
    message: MessageReference | None = None


class NotifyTransfer(ParticipantCommand, frozen=True, kw_only=True, omit_defaults=True):
    """ADT A02, A06, A07."""

    facility: str
    visit_number: str | None = None
    location: str | None = None
    encounter_class: EncounterClass = "UNK"
    message: MessageReference | None = None


class NotifyDischarge(ParticipantCommand, frozen=True, kw_only=True, omit_defaults=True):
    """ADT A03."""

    discharge: UUID
    facility: str
    discharged: Moment
    visit_number: str | None = None
    admitted: Moment | None = None
    disposition: str | None = None
    encounter_class: EncounterClass = "UNK"
    diagnoses: tuple[Coding, ...] = ()
    message: MessageReference | None = None


class CancelAdmission(ParticipantCommand, frozen=True, kw_only=True, omit_defaults=True):
    """ADT A11: matched by source and visit number."""

    facility: str
    visit_number: str | None = None
    message: MessageReference | None = None


class CancelDischarge(ParticipantCommand, frozen=True, kw_only=True, omit_defaults=True):
    """ADT A13: matched by source and visit number."""

    facility: str
    visit_number: str | None = None
    message: MessageReference | None = None


class NotifyAppointment(ParticipantCommand, frozen=True, kw_only=True, omit_defaults=True):
    """SIU S12 to S15, S26: an appointment that the sender keeps."""

    appointment: Identifier
    status: AppointmentStatus
    start: Moment | None = None
    end: Moment | None = None
    reason: str | None = None
    location: str | None = None
    message: MessageReference | None = None


class NotifyDeath(ParticipantCommand, frozen=True, kw_only=True, omit_defaults=True):
    """PID-30 = Y, or the disposition says expired."""

    facility: str
    died: Moment | None = None
    message: MessageReference | None = None


class QueueMatchReview(ParticipantCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Have somebody look whether the person has a record already; those found to be others are left out."""

    candidates: tuple[MatchCandidate, ...]
    message: MessageReference | None = None


class ResolveMatch(ParticipantCommand, frozen=True, kw_only=True, omit_defaults=True):
    """The person is the candidate `same_as`, whose record survives; or none of the candidates."""

    same_as: UUID | None = None
    reason: str | None = None
    line: tuple[UUID, ...] = ()  # as in MergeParticipants


class MergeParticipants(ParticipantCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Make the participant's record, the prior one, an alias of the survivor's."""

    survivor: UUID
    reason: str | None = None
    line: tuple[UUID, ...] = ()  # the survivor, and whom they were merged into in turn; intake looks it up
    message: MessageReference | None = None


class UnmergeParticipants(ParticipantCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Let the participant's record, merged before, stand for itself again."""

    reason: str | None = None


class LinkPriorRecord(ParticipantCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Note in the survivor's record that the prior is theirs, too."""

    prior: UUID


class UnlinkPriorRecord(ParticipantCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Note in the survivor's record that the prior is not."""

    prior: UUID


class RecordAssessment(ParticipantCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Record answers; a stated total must be the sum of the items."""

    assessment: UUID
    instrument: Instrument
    items: dict[str, int]
    administered_at: Moment
    mode: AssessmentMode = "in-person"
    total: int | None = None
    difficulty: int | None = None
    message: MessageReference | None = None


class CorrectAssessment(ParticipantCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Replace the answers of an assessment recorded wrongly."""

    assessment: UUID
    items: dict[str, int]
    reason: str
    total: int | None = None
    difficulty: int | None = None


class DeclineAssessment(ParticipantCommand, frozen=True, kw_only=True, omit_defaults=True):
    """The participant did not want to answer."""

    instrument: Instrument
    reason: str | None = None


class ResolveSuicideRisk(ParticipantCommand, frozen=True, kw_only=True, omit_defaults=True):
    """A clinician says how a flag was met."""

    assessment: UUID
    clinician: str
    action: str


class RecommendLevelOfCare(ParticipantCommand, frozen=True, kw_only=True, omit_defaults=True):
    """The six ASAM dimensions; `level` overrides what they call for, with who and why."""

    edition: AsamEdition
    dimensions: tuple[AsamDimension, ...]
    level: str | None = None
    overridden_by: str | None = None
    reason: str | None = None


class Enrol(ParticipantCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Join a program at a level of care."""

    enrolment: UUID
    program: str
    level: str
    edition: AsamEdition
    start: date
    track: str | None = None
    referral: UUID | None = None


class CompleteOrientation(ParticipantCommand, frozen=True, kw_only=True, omit_defaults=True):
    """The participant was shown how the program works."""

    enrolment: UUID


class ReferralCommand(Command, frozen=True, kw_only=True, omit_defaults=True):
    """What is asked of a referral, and by which party of it."""

    category: ClassVar[str] = "referral"

    referral: UUID
    party: Party = "recipient"

    @property
    def entity(self) -> str:
        """The referral's id."""
        return str(self.referral)


class ReceiveReferral(ReferralCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Transition 01; the same placer id in another message is a duplicate."""

    placer: Identifier
    source: ReferralSource
    party: Party = "initiator"
    priority: Priority = "routine"
    referrer: Referrer = Referrer()
    service_requested: Coding | None = None
    reasons: tuple[Coding, ...] = ()
    documents: tuple[str, ...] = ()
    insurance: tuple[Insurance, ...] = ()
    requested_on: Moment | None = None
    message: MessageReference | None = None


class AmendReferral(ReferralCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Change what was asked; only what is given changes."""

    party: Party = "initiator"
    priority: Priority | None = None
    referrer: Referrer | None = None
    service_requested: Coding | None = None
    reasons: tuple[Coding, ...] | None = None
    insurance: tuple[Insurance, ...] | None = None
    message: MessageReference | None = None


class AcceptReferral(ReferralCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Take it on (02)."""

    owner: str
    expected_by: date | None = None


class DeclineReferral(ReferralCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Do not take it on (03, 05, 10, 17, 25, 33)."""

    reason_code: str
    alternative: str | None = None


class RequestInformation(ReferralCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Ask the initiator (extension)."""

    what: str
    by_when: date | None = None


class ReceiveInformation(ReferralCommand, frozen=True, kw_only=True, omit_defaults=True):
    """The initiator's answer (extension)."""

    what: str
    party: Party = "initiator"
    message: MessageReference | None = None


class RequestReferralCancellation(ReferralCommand, frozen=True, kw_only=True, omit_defaults=True):
    """The initiator asks to cancel (04, 07, 14, 20, 22, 28, 34)."""

    party: Party = "initiator"
    reason: str | None = None
    message: MessageReference | None = None


class ConfirmReferralCancellation(ReferralCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Agree (23)."""


class RefuseReferralCancellation(ReferralCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Do not agree: back to the previous state (extension)."""

    reason: str


class ScheduleIntakeAppointment(ReferralCommand, frozen=True, kw_only=True, omit_defaults=True):
    """An appointment (06, 18, 21, 26), or with `ongoing` a service under way (31)."""

    appointment: UUID
    start: datetime
    end: datetime
    mode: Mode = "in-person"
    site: str | None = None
    ongoing: bool = False


class RescheduleIntakeAppointment(ReferralCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Another time (11)."""

    start: datetime
    end: datetime
    mode: Mode = "in-person"
    site: str | None = None


class CancelIntakeAppointment(ReferralCommand, frozen=True, kw_only=True, omit_defaults=True):
    """It will not take place (13, 19, 27)."""

    reason: str | None = None


class RecordIntakeNoShow(ReferralCommand, frozen=True, kw_only=True, omit_defaults=True):
    """The person did not come (12)."""


class RecordIntakeAttendance(ReferralCommand, frozen=True, kw_only=True, omit_defaults=True):
    """The person came: the state waits for a note or the outcome (extension)."""


class SendInterimNote(ReferralCommand, frozen=True, kw_only=True, omit_defaults=True):
    """A note after a visit (08, 15, 29), or with `ongoing` while the service goes on (32)."""

    note: str
    ongoing: bool = False


class SendReferralOutcome(ReferralCommand, frozen=True, kw_only=True, omit_defaults=True):
    """The outcome, which completes the referral (09, 16, 24, 30)."""

    outcome: str
    report: str | None = None


class WaitlistReferral(ReferralCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Accepted, but no place yet (extension)."""

    program: str
    track: str | None = None
    reason: str | None = None


class RemoveFromWaitlist(ReferralCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Off the waiting list, back to accepted (extension)."""

    reason: str | None = None


class RecordStatusDelivery(ReferralCommand, frozen=True, kw_only=True, omit_defaults=True):
    """The sender answered that it got a status; `because` is the id of the message on OUTBOUND."""

    because: UUID
    status: str
    to: str
    way: DeliveryWay
    answer: str | None = None
