"""A participant's care as its tests tell it: what is asked, and what had happened."""

from datetime import UTC, date, datetime, timedelta
from typing import Final, TypedDict
from uuid import UUID

from shared.commands.care_plan import (
    CompleteEpisode,
    InvolveFamilyMember,
    OpenEpisode,
    RecordSessionAttended,
    RecordSessionMissed,
    ReverseStepDown,
    ScheduleSession,
    StepDown,
    StepDownAfterDischarge,
    StepUp,
)
from shared.events.base import Coding, EventData
from shared.events.episode import (
    EpisodeOpened,
    LevelOfCareStarted,
    StepDownPending,
    StepDownReversed,
    SteppedDown,
    SteppedUp,
)
from shared.events.moment import Moment
from shared.events.plan import RelapsePreventionPlanAgreed
from shared.events.session import SessionScheduled, SessionType

PARTICIPANT: Final = UUID(int=1)
EPISODE: Final = UUID(int=2)
DISCHARGE: Final = UUID(int=3)
SESSION: Final = UUID(int=4)
GOAL: Final = UUID(int=5)
OTHER: Final = UUID(int=99)

MAR_2: Final = date(2026, 3, 2)
MAR_5: Final = date(2026, 3, 5)
MAR_9: Final = date(2026, 3, 9)
MAR_12: Final = date(2026, 3, 12)
NOW: Final = datetime(2026, 3, 20, 12, tzinfo=UTC)
NINE: Final = datetime(2026, 3, 10, 9, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
DEPRESSION: Final = Coding("icd-10-cm", "F33.2")


class Asked(TypedDict):
    """What every command about this participant carries."""

    id: UUID
    participant: UUID
    actor: str
    now: datetime


ASKED: Final[Asked] = {"id": UUID(int=9), "participant": PARTICIPANT, "actor": "coordinator:7", "now": NOW}


def open_episode(
    *, episode: UUID = EPISODE, level: str = "2.1", edition: str = "4", start: date = MAR_2
) -> OpenEpisode:
    return OpenEpisode(**ASKED, episode=episode, program="iop", level=level, edition=edition, start=start)


def opened(*, level: str = "2.1", edition: str = "4", episode: UUID = EPISODE) -> tuple[EventData, ...]:
    return (
        EpisodeOpened(episode=episode, program="iop", start=MAR_2),
        LevelOfCareStarted(episode=episode, level=level, edition=edition, at="2026-03-02"),
    )


def step_up(to_level: str, *, at: Moment | None = None) -> StepUp:
    return StepUp(**ASKED, to_level=to_level, at=at)


def step_down(to_level: str, *, at: Moment | None = None) -> StepDown:
    return StepDown(**ASKED, to_level=to_level, at=at)


def stepped_up(from_level: str, to_level: str, at: Moment) -> SteppedUp:
    return SteppedUp(episode=EPISODE, from_level=from_level, to_level=to_level, edition="4", at=at)


def stepped_down(from_level: str, to_level: str, at: Moment) -> SteppedDown:
    return SteppedDown(episode=EPISODE, from_level=from_level, to_level=to_level, edition="4", at=at)


def discharge(
    *, on: Moment = "2026-03-09", id: UUID = DISCHARGE, emergency: bool = False
) -> StepDownAfterDischarge:
    return StepDownAfterDischarge(
        **ASKED,
        discharge=id,
        discharged=on,
        from_organisation="general",
        visit_number="V1",
        disposition="home",
        principal_diagnosis=DEPRESSION,
        emergency=emergency,
    )


def discharged_into(
    level: str, *, on: Moment = "2026-03-09", id: UUID = DISCHARGE, emergency: bool = False
) -> SteppedDown:
    return SteppedDown(
        episode=EPISODE,
        from_level="4",
        to_level=level,
        edition="4",
        at=on,
        discharge=id,
        from_organisation="general",
        visit_number="V1",
        discharged=on,
        disposition="home",
        principal_diagnosis=DEPRESSION,
        emergency=emergency,
    )


def pending(*, on: Moment = "2026-03-09", id: UUID = DISCHARGE) -> StepDownPending:
    return StepDownPending(
        discharge=id,
        discharged=on,
        from_organisation="general",
        visit_number="V1",
        disposition="home",
        principal_diagnosis=DEPRESSION,
    )


def reverse(id: UUID = DISCHARGE) -> ReverseStepDown:
    return ReverseStepDown(**ASKED, discharge=id)


def reversed_(id: UUID = DISCHARGE, visit_number: str | None = "V1") -> StepDownReversed:
    return StepDownReversed(discharge=id, cause="A13", visit_number=visit_number)


def complete(on: date = MAR_12) -> CompleteEpisode:
    return CompleteEpisode(**ASKED, on=on)


def relapse_plan() -> RelapsePreventionPlanAgreed:
    return RelapsePreventionPlanAgreed(warning_signs=("sleepless",), action_steps=("call sponsor",))


def schedule(
    *,
    type: SessionType = "group",
    credential: str = "LCSW",
    start: datetime = NINE,
    end: datetime = NINE + 3 * HOUR,
) -> ScheduleSession:
    return ScheduleSession(
        **ASKED, session=SESSION, type=type, start=start, end=end, lead="clinician:3", credential=credential
    )


def scheduled(type: SessionType = "group") -> SessionScheduled:
    return SessionScheduled(
        session=SESSION, type=type, start=NINE, end=NINE + 3 * HOUR, lead="clinician:3", credential="LCSW"
    )


def attend(*, minutes: int = 175, at: Moment | None = None) -> RecordSessionAttended:
    return RecordSessionAttended(**ASKED, session=SESSION, minutes=minutes, at=at)


def miss(*, excused: bool = False, at: Moment | None = None) -> RecordSessionMissed:
    return RecordSessionMissed(**ASKED, session=SESSION, excused=excused, at=at)


def involve(*, consent: str | None = "consent:1", at: Moment | None = None) -> InvolveFamilyMember:
    return InvolveFamilyMember(**ASKED, session=SESSION, relationship="mother", consent=consent, at=at)
