"""A participant as the tests tell it: what hospitals tell, what coordinators ask."""

from datetime import UTC, date, datetime
from typing import Final, TypedDict, Unpack
from uuid import UUID

from services.intake.deciders import participant
from shared.commands.intake import (
    CancelAdmission,
    CancelDischarge,
    CompleteOrientation,
    CorrectAssessment,
    CorrectDemographics,
    Enrol,
    LinkPriorRecord,
    MergeParticipants,
    NotifyAdmission,
    NotifyAppointment,
    NotifyDeath,
    NotifyDischarge,
    NotifyTransfer,
    QueueMatchReview,
    RecommendLevelOfCare,
    RecordAssessment,
    RegisterParticipant,
    ResolveMatch,
    ResolveSuicideRisk,
    UnlinkPriorRecord,
    UnmergeParticipants,
)
from shared.events.assessment import AsamDimension, AsamEdition, Instrument
from shared.events.base import Coding, Demographics, Emptied, EventData, Identifier, MessageReference
from shared.events.encounter import AppointmentStatus
from shared.events.moment import Moment
from shared.events.participant import MatchCandidate, ParticipantRegistered
from tests.unit.scenario import Given, given

DECIDER: Final = participant.DECIDER
GENERAL: Final = "General Hospital"
MRN: Final = Identifier("GENERAL", "4711")
SSN: Final = Identifier("SSA", "123", "SS")
ADA: Final = Demographics(family="Lovelace", given=("Ada",), birth_date=date(1990, 12, 10), phone="555-0100")
DEPRESSION: Final = Coding("icd-10-cm", "F33.2")
MAR_3: Final = "2026-03-03T10:00:00-05:00"
MAR_4: Final = "2026-03-04T10:00:00-05:00"
VISIT: Final = "V-1"


BEN: Final = UUID(int=2)
KIM: Final = UUID(int=3)


class Asked(TypedDict):
    id: UUID
    participant: UUID
    actor: str
    now: datetime


ASKED: Final[Asked] = {
    "id": UUID(int=9),
    "participant": UUID(int=1),
    "actor": "coordinator:7",
    "now": datetime(2026, 3, 5, 12, tzinfo=UTC),
}


def met(*happened: EventData) -> Given[participant.State, participant.ParticipantCommand]:
    """Return a registered participant to whom this happened."""
    return given(DECIDER, ParticipantRegistered(demographics=ADA), *happened)


def told_by(number: int, *, sent: Moment | None = None, source: str = "general") -> MessageReference:
    return MessageReference(
        source=source, control_id=f"C{number}", trigger="ADT", inbound_id=f"inbound-{number}", sent_at=sent
    )


def register(*identifiers: Identifier, demographics: Demographics = ADA) -> RegisterParticipant:
    return RegisterParticipant(**ASKED, demographics=demographics, identifiers=identifiers)


def correct(
    demographics: Demographics, *emptied: Emptied, message: MessageReference | None = None
) -> CorrectDemographics:
    return CorrectDemographics(**ASKED, demographics=demographics, emptied=emptied, message=message)


class Told(TypedDict, total=False):
    """What a notice may say otherwise than ours do."""

    visit_number: str | None
    message: MessageReference | None


class Discharge(Told, total=False):
    discharged: Moment
    disposition: str | None
    diagnoses: tuple[Coding, ...]


def discharge(number: int = 1, **said: Unpack[Discharge]) -> NotifyDischarge:
    """Return an A03 of the visit: its id and its message are those of the number."""
    usual: Discharge = {"discharged": MAR_3, "visit_number": VISIT, "message": told_by(number)}
    return NotifyDischarge(**ASKED, discharge=discharge_id(number), facility=GENERAL, **(usual | said))


def discharge_id(number: int) -> UUID:
    return UUID(int=100 + number)


def undo_discharge(number: int = 50, **said: Unpack[Told]) -> CancelDischarge:
    usual: Told = {"visit_number": VISIT, "message": told_by(number)}
    return CancelDischarge(**ASKED, facility=GENERAL, **(usual | said))


def admission(number: int = 1, *, admitted: Moment | None = MAR_3) -> NotifyAdmission:
    return NotifyAdmission(
        **ASKED,
        admission=UUID(int=200 + number),
        facility=GENERAL,
        visit_number=VISIT,
        admitted=admitted,
        message=told_by(number),
    )


def undo_admission(number: int = 60) -> CancelAdmission:
    return CancelAdmission(**ASKED, facility=GENERAL, visit_number=VISIT, message=told_by(number))


def transfer(location: str, number: int = 70) -> NotifyTransfer:
    return NotifyTransfer(
        **ASKED, facility=GENERAL, visit_number=VISIT, location=location, message=told_by(number)
    )


def death(number: int = 80) -> NotifyDeath:
    return NotifyDeath(**ASKED, facility=GENERAL, died=MAR_4, message=told_by(number))


APPOINTMENT: Final = Identifier("GENERAL", "A-1", "VN")


def appointment(
    status: AppointmentStatus, number: int = 90, *, start: Moment | None = MAR_4
) -> NotifyAppointment:
    return NotifyAppointment(
        **ASKED, appointment=APPOINTMENT, status=status, start=start, message=told_by(number)
    )


def candidate(who: UUID, score: float = 0.9) -> MatchCandidate:
    return MatchCandidate(who, score)


def review(*candidates: MatchCandidate) -> QueueMatchReview:
    return QueueMatchReview(**ASKED, candidates=candidates)


def resolve_match(same_as: UUID | None, *line: UUID, reason: str | None = None) -> ResolveMatch:
    """Answer who it is; a registered candidate who was not merged, unless a line is told."""
    known = line or (() if same_as is None else (same_as,))
    return ResolveMatch(**ASKED, same_as=same_as, line=known, reason=reason)


def merge(survivor: UUID, *line: UUID, message: MessageReference | None = None) -> MergeParticipants:
    return MergeParticipants(**ASKED, survivor=survivor, line=line or (survivor,), message=message)


def unmerge(reason: str | None = None) -> UnmergeParticipants:
    return UnmergeParticipants(**ASKED, reason=reason)


def link_prior(prior: UUID) -> LinkPriorRecord:
    return LinkPriorRecord(**ASKED, prior=prior)


def unlink_prior(prior: UUID) -> UnlinkPriorRecord:
    return UnlinkPriorRecord(**ASKED, prior=prior)


ASSESSMENT: Final = UUID(int=300)


def answers(*each: int) -> dict[str, int]:
    return {str(number): answer for number, answer in enumerate(each, start=1)}


def assess(
    instrument: Instrument, items: dict[str, int], *, total: int | None = None, difficulty: int | None = None
) -> RecordAssessment:
    return RecordAssessment(
        **ASKED,
        assessment=ASSESSMENT,
        instrument=instrument,
        items=items,
        administered_at=MAR_3,
        total=total,
        difficulty=difficulty,
    )


def correct_answers(items: dict[str, int], *, total: int | None = None) -> CorrectAssessment:
    return CorrectAssessment(**ASKED, assessment=ASSESSMENT, items=items, reason="misread", total=total)


def resolve(*, action: str = "safety plan agreed") -> ResolveSuicideRisk:
    return ResolveSuicideRisk(**ASKED, assessment=ASSESSMENT, clinician="clinician:3", action=action)


def rated(*severities: int) -> tuple[AsamDimension, ...]:
    return tuple(
        AsamDimension(number=number, severity=severity) for number, severity in enumerate(severities, start=1)
    )


class Override(TypedDict, total=False):
    level: str
    overridden_by: str
    reason: str


def recommend(
    *severities: int, edition: AsamEdition = "3", **override: Unpack[Override]
) -> RecommendLevelOfCare:
    return RecommendLevelOfCare(**ASKED, edition=edition, dimensions=rated(*severities), **override)


ENROLMENT: Final = UUID(int=400)


def enrol(
    enrolment: UUID = ENROLMENT, *, program: str = "iop-adult", level: str = "2.1", edition: AsamEdition = "4"
) -> Enrol:
    return Enrol(
        **ASKED,
        enrolment=enrolment,
        program=program,
        level=level,
        edition=edition,
        start=date(2026, 3, 9),
    )


def orient(enrolment: UUID = ENROLMENT) -> CompleteOrientation:
    return CompleteOrientation(**ASKED, enrolment=enrolment)
