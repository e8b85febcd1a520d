"""Aftercare as its tests tell it: what is asked, and what had happened."""

from datetime import UTC, date, datetime, timedelta
from typing import Final, TypedDict
from uuid import UUID

from shared.commands.aftercare import (
    AttemptOutreach,
    BookFollowUp,
    CancelFollowUp,
    CloseFollowUpWindow,
    CreditSession,
    RecordFollowUpAttended,
    RecordFollowUpMissed,
    ScheduleCheckIns,
    ScheduleFollowUps,
    SupersedeFollowUps,
)
from shared.commands.decision import derived
from shared.events.aftercare import (
    AftercareMissed,
    AftercareRescheduled,
    AftercareScheduled,
    Channel,
    FollowUpSuperseded,
    OutreachAttempted,
    OutreachResult,
)
from shared.events.moment import Moment

PARTICIPANT: Final = UUID(int=1)
DISCHARGE: Final = UUID(int=3)
LATER: Final = UUID(int=4)
ADMISSION: Final = UUID(int=5)
SESSION: Final = UUID(int=6)
ORIGIN: Final = UUID(int=7)

MAR_3: Final = date(2026, 3, 3)
MAR_4: Final = date(2026, 3, 4)
MAR_9: Final = date(2026, 3, 9)
MAR_10: Final = date(2026, 3, 10)
APR_2: Final = date(2026, 4, 2)
NOW: Final = datetime(2026, 4, 20, 12, tzinfo=UTC)
DAY: Final = timedelta(days=1)

SEVEN: Final = derived(derived(DISCHARGE, str(PARTICIPANT)), "follow-up-7-day")
THIRTY: Final = derived(derived(DISCHARGE, str(PARTICIPANT)), "follow-up-30-day")
APPOINTMENT: Final[Moment] = "2026-03-09T10:00:00-05:00"


class Asked(TypedDict):
    """What every command about this participant carries."""

    id: UUID
    participant: UUID
    actor: str
    now: datetime


ASKED: Final[Asked] = {"id": UUID(int=9), "participant": PARTICIPANT, "actor": "coordinator:7", "now": NOW}


def discharged(on: date = MAR_3, *, id: UUID = DISCHARGE, emergency: bool = False) -> ScheduleFollowUps:
    return ScheduleFollowUps(
        **ASKED, discharge=id, index_discharge=on, visit_number="V1", emergency=emergency
    )


def follow_ups(
    on: date = MAR_3, *, id: UUID = DISCHARGE, emergency: bool = False
) -> tuple[AftercareScheduled, AftercareScheduled]:
    """The two follow-ups owed after a discharge: of 7 and of 30 days."""
    return _follow_up(on, id, 7, emergency=emergency), _follow_up(on, id, 30, emergency=emergency)


def _follow_up(on: date, id: UUID, days: int, *, emergency: bool) -> AftercareScheduled:
    kind = "follow-up-7-day" if days == 7 else "follow-up-30-day"
    return AftercareScheduled(
        follow_up=derived(derived(id, str(PARTICIPANT)), kind),
        kind=kind,
        provider_type="mental-health",
        index_discharge=on,
        window_opens=on if emergency else on + DAY,
        due=on + days * DAY,
        discharge=id,
        visit_number="V1",
    )


def program_ended(on: date = MAR_3, *, origin: UUID = ORIGIN) -> ScheduleCheckIns:
    return ScheduleCheckIns(**ASKED, origin=origin, ended_on=on)


def book(appointment: Moment = APPOINTMENT, *, follow_up: UUID = SEVEN) -> BookFollowUp:
    return BookFollowUp(**ASKED, follow_up=follow_up, appointment=appointment)


def booked(appointment: Moment = APPOINTMENT) -> AftercareRescheduled:
    return AftercareRescheduled(follow_up=SEVEN, appointment=appointment)


def attend(on: date = MAR_9, *, follow_up: UUID = SEVEN) -> RecordFollowUpAttended:
    return RecordFollowUpAttended(**ASKED, follow_up=follow_up, on=on)


def miss(*, at: Moment | None = None) -> RecordFollowUpMissed:
    return RecordFollowUpMissed(**ASKED, follow_up=SEVEN, at=at)


def no_show() -> AftercareMissed:
    return AftercareMissed(follow_up=SEVEN, cause="no-show")


def close_window(today: date) -> CloseFollowUpWindow:
    return CloseFollowUpWindow(**ASKED, follow_up=SEVEN, today=today)


def window_closed() -> AftercareMissed:
    return AftercareMissed(follow_up=SEVEN, cause="window-closed")


def cancel(reason: str = "Has moved to another program") -> CancelFollowUp:
    return CancelFollowUp(**ASKED, follow_up=SEVEN, reason=reason)


def credit(on: date = MAR_9) -> CreditSession:
    return CreditSession(**ASKED, session=SESSION, on=on)


def reach_out(channel: Channel, on: date, result: OutreachResult = "no-answer") -> AttemptOutreach:
    return AttemptOutreach(**ASKED, follow_up=SEVEN, channel=channel, on=on, result=result)


def tried(
    attempt: int, channel: Channel, on: date, result: OutreachResult = "no-answer"
) -> OutreachAttempted:
    return OutreachAttempted(follow_up=SEVEN, attempt=attempt, channel=channel, on=on, result=result)


def cancel_discharge(id: UUID = DISCHARGE) -> SupersedeFollowUps:
    return SupersedeFollowUps(**ASKED, discharge=id)


def overtaken(*owed: AftercareScheduled) -> list[FollowUpSuperseded]:
    return [FollowUpSuperseded(follow_up=it.follow_up, cause="later-discharge") for it in owed]


def voided(*owed: AftercareScheduled) -> list[FollowUpSuperseded]:
    return [FollowUpSuperseded(follow_up=it.follow_up, cause="discharge-cancelled") for it in owed]


def readmitted(*owed: AftercareScheduled) -> list[FollowUpSuperseded]:
    return [
        FollowUpSuperseded(follow_up=it.follow_up, cause="readmission", admission=ADMISSION) for it in owed
    ]
