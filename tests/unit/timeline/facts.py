"""Events of made-up people, with what a test does not care about filled in."""

from datetime import date, datetime
from uuid import UUID

from shared.events.aftercare import AftercareScheduled, FollowUpKind
from shared.events.assessment import AssessmentCompleted, Instrument
from shared.events.base import Demographics, Identifier
from shared.events.encounter import (
    AdmissionCancelled,
    DischargeCancelled,
    DischargeNotified,
    EncounterClass,
    InpatientAdmissionNotified,
)
from shared.events.enrolment import Enrolled
from shared.events.episode import EpisodeOpened, LevelOfCareStarted
from shared.events.moment import Moment
from shared.events.participant import ParticipantRegistered
from shared.events.referral import (
    IntakeAppointmentScheduled,
    Priority,
    ReferralAccepted,
    ReferralReceived,
    Referrer,
)
from shared.events.session import SessionScheduled

HOSPITAL = "General Hospital"


def id_of(number: int) -> UUID:
    return UUID(int=0x01920000_0000_7000_8000_000000000000 + number)


REFERRAL, OTHER_REFERRAL = id_of(0x10), id_of(0x11)
APPOINTMENT = id_of(0x12)
ADMISSION, DISCHARGE, READMISSION = id_of(0x20), id_of(0x21), id_of(0x22)
ENROLMENT, EPISODE = id_of(0x30), id_of(0x31)
SESSION, NEXT_SESSION, THIRD_SESSION = id_of(0x40), id_of(0x41), id_of(0x42)
GOAL, OTHER_GOAL = id_of(0x50), id_of(0x51)
FOLLOW_UP, LATER_FOLLOW_UP = id_of(0x60), id_of(0x61)
PHQ9, GAD7, CSSRS, LATER_PHQ9 = id_of(0x70), id_of(0x71), id_of(0x72), id_of(0x73)


def registered() -> ParticipantRegistered:
    return ParticipantRegistered(
        demographics=Demographics(
            family="Sample", given=("Robin",), birth_date=date(1990, 4, 17), sex="female", phone="+1-555-0100"
        )
    )


def received(priority: Priority = "routine", referral: UUID = REFERRAL) -> ReferralReceived:
    return ReferralReceived(
        referral=referral,
        placer=Identifier("general-hospital", f"RF-{referral.int % 1000}", "PLAC"),
        source="hospital",
        priority=priority,
        referrer=Referrer(name="Dr Pat Example", organisation=HOSPITAL),
    )


def accepted(expected_by: date | None = None, referral: UUID = REFERRAL) -> ReferralAccepted:
    return ReferralAccepted(referral=referral, owner="coordinator:7", expected_by=expected_by)


def intake_on(start: datetime, *, ongoing: bool = False) -> IntakeAppointmentScheduled:
    return IntakeAppointmentScheduled(
        referral=REFERRAL, appointment=APPOINTMENT, start=start, end=start, ongoing=ongoing
    )


def admitted(
    admitted: Moment = "2026-02-20",
    *,
    visit: str | None = "V-1",
    admission: UUID = ADMISSION,
    encounter_class: EncounterClass = "IMP",
) -> InpatientAdmissionNotified:
    return InpatientAdmissionNotified(
        admission=admission,
        facility=HOSPITAL,
        visit_number=visit,
        admitted=admitted,
        encounter_class=encounter_class,
    )


def discharged(discharged: Moment = "2026-03-03", *, visit: str | None = "V-1") -> DischargeNotified:
    return DischargeNotified(
        discharge=DISCHARGE, facility=HOSPITAL, discharged=discharged, visit_number=visit, disposition="home"
    )


def admission_cancelled(admission: UUID = ADMISSION, visit: str = "V-1") -> AdmissionCancelled:
    return AdmissionCancelled(admission=admission, facility=HOSPITAL, visit_number=visit)


def discharge_cancelled(visit: str = "V-1") -> DischargeCancelled:
    return DischargeCancelled(discharge=DISCHARGE, facility=HOSPITAL, visit_number=visit)


def assessed(
    instrument: Instrument = "PHQ-9",
    *,
    at: Moment = "2026-03-02",
    total: int | None = 12,
    severity: str | None = "moderate",
    assessment: UUID = PHQ9,
    complete: bool = True,
) -> AssessmentCompleted:
    return AssessmentCompleted(
        assessment=assessment,
        instrument=instrument,
        items={"1": 1},
        administered_at=at,
        mode="in-person",
        total=total if complete else None,
        severity=severity if complete else None,
        complete=complete,
    )


def enrolled(start: date = date(2026, 3, 9), referral: UUID | None = REFERRAL) -> Enrolled:
    return Enrolled(
        enrolment=ENROLMENT, program="iop", level="2.1", edition="3", start=start, referral=referral
    )


def opened(start: date = date(2026, 3, 9)) -> EpisodeOpened:
    return EpisodeOpened(episode=EPISODE, program="iop", start=start)


def level_started(level: str = "2.1", at: Moment = "2026-03-09") -> LevelOfCareStarted:
    return LevelOfCareStarted(episode=EPISODE, level=level, edition="3", at=at)


def session_on(start: datetime, session: UUID = SESSION) -> SessionScheduled:
    return SessionScheduled(
        session=session, type="group", start=start, end=start, lead="clinician:3", credential="LCSW"
    )


def owed(
    kind: FollowUpKind = "follow-up-7-day",
    *,
    due: date = date(2026, 3, 10),
    follow_up: UUID = FOLLOW_UP,
    appointment: Moment | None = None,
) -> AftercareScheduled:
    return AftercareScheduled(
        follow_up=follow_up,
        kind=kind,
        provider_type="mental-health",
        index_discharge=date(2026, 3, 3),
        window_opens=date(2026, 3, 4),
        due=due,
        discharge=DISCHARGE,
        appointment=appointment,
    )
