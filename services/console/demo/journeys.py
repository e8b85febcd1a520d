"""The journeys: what happens to each made-up person, and what the read models must say in the end."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct

from services.console.demo.stage import Stage
from shared.commands.aftercare import AttemptOutreach, BookFollowUp, RecordFollowUpAttended
from shared.commands.intake import (
    ConfirmReferralCancellation,
    DeclineReferral,
    RequestReferralCancellation,
    ScheduleIntakeAppointment,
)
from shared.events.aftercare import Channel, OutreachResult
from shared.events.moment import moment

SEVEN: Final = "follow-up-7-day"
THIRTY: Final = "follow-up-30-day"


class Journey(Struct, frozen=True, kw_only=True):
    """One person's way; the name says what it shows. `again`: also played when a demo is started anew."""

    shows: str
    given: str
    family: str
    play: Callable[[Stage], Awaitable[None]]
    again: bool = False


async def new(stage: Stage) -> None:
    await stage.refers(0, priority="S")
    await stage.expect_referral("received")
    await stage.expect_task("triage")


async def accepted(stage: Stage) -> None:
    await stage.refers(-2)
    referral = await stage.accepts(-1)
    start = stage.at(1, 14)
    await stage.door.ask(
        ScheduleIntakeAppointment(
            **await stage.common(),
            referral=referral,
            appointment=referral,
            start=start,
            end=start + timedelta(hours=1),
            mode="telehealth",
        )
    )
    await stage.expect_referral("scheduled")


async def declined(stage: Stage) -> None:
    await stage.refers(-3)
    await stage.door.ask(
        DeclineReferral(
            **await stage.common(),
            referral=await stage.referral(),
            reason_code="level-of-care-too-low",
            alternative="Partial hospitalization at General Hospital",
        )
    )
    await stage.expect_referral("rejected")
    await stage.expect_care("care says declined", "status = 'declined'")


async def cancelled(stage: Stage) -> None:
    """The hospital asks by telephone: its own message for that (REF^I14) is not taken yet."""
    await stage.refers(-4)
    referral = await stage.accepts(-3)
    reason = "Admitted elsewhere."
    await stage.door.ask(
        RequestReferralCancellation(**await stage.common(), referral=referral, reason=reason)
    )
    await stage.expect_referral("cancel-requested")
    await stage.door.ask(ConfirmReferralCancellation(**await stage.common(), referral=referral))
    await stage.expect_referral("cancelled")


async def duplicated(stage: Stage) -> None:
    await stage.refers(-1, priority="U")
    await stage.referral()
    await stage.refers(-1, priority="U")
    query = (
        "select count(*) = 1 and max(duplicates) = 1 from read.referral_status"
        " where participant = $1 and status = 'received'"
    )
    await stage.expect("one referral with one duplicate", query, await stage.participant())


async def at_risk(stage: Stage) -> None:
    await stage.refers(-1, priority="U")
    await stage.accepts(-1)
    await stage.assesses("PHQ-9", 2, 3, 2, 2, 1, 2, 1, 1, 2)
    await stage.expect_care("a risk is flagged", "risk_level is not null")
    await stage.expect_task("suicide-risk")


async def stepped_down(stage: Stage) -> None:
    stay = stage.stay(-12, -2)
    await stage.admits(stay)
    await stage.refers(-5)
    await stage.accepts(-4)
    await stage.assesses("PHQ-9", 2, 2, 2, 1, 2, 1, 1, 1, 0, days=-4)
    await stage.assesses("GAD-7", 2, 1, 2, 1, 1, 0, 1, days=-4)
    await stage.enrols(-1)
    await stage.discharges(stay)
    await stage.schedules(1)
    await stage.schedules(3, group="relapse prevention")
    await stage.follow_up(SEVEN)
    await stage.follow_up(THIRTY)
    await stage.expect_care("in the program at its level", "status = 'active' and level is not null")
    await stage.expect_care("the discharge is known", "last_discharge is not null")
    await stage.expect_task("book-follow-up")


async def discharge_cancelled(stage: Stage) -> None:
    stay = stage.stay(-6, -1)
    await stage.admits(stay)
    await stage.refers(-5)
    await stage.accepts(-4)
    await stage.discharges(stay)
    await stage.follow_up(SEVEN)
    await stage.cancels_discharge(stay)
    await stage.expect_follow_up(SEVEN, "superseded")
    await stage.expect_follow_up(THIRTY, "superseded")
    await stage.expect_care("still an inpatient", "status = 'inpatient'")


async def sessions(stage: Stage) -> None:
    await stage.refers(-16)
    await stage.accepts(-15)
    await stage.enrols(-14)
    for days, attended in ((-10, True), (-8, True), (-4, False), (-2, False)):
        await stage.session(days, attended=attended)
    await stage.schedules(1)
    await stage.expect_care("2 attended and 2 missed", "sessions_attended = 2 and sessions_missed = 2")
    await stage.expect_task("plan-review")


async def follow_up_kept(stage: Stage) -> None:
    stay = stage.stay(-14, -5)
    await stage.admits(stay)
    await stage.refers(-8)
    await stage.accepts(-7)
    await stage.discharges(stay)
    follow_up = await stage.follow_up(SEVEN)
    appointment = moment(stage.at(-1, 14))
    await stage.records(BookFollowUp(**await stage.common(), follow_up=follow_up, appointment=appointment))
    await stage.records(RecordFollowUpAttended(**await stage.common(), follow_up=follow_up, on=stage.day(-1)))
    await stage.expect_follow_up(SEVEN, "attended")


async def reached_by_outreach(stage: Stage) -> None:
    """Its seven days are over: the timer says so, and nobody has to."""
    stay = stage.stay(-20, -10)
    await stage.admits(stay)
    await stage.refers(-14)
    await stage.accepts(-12)
    await stage.discharges(stay)
    follow_up = await stage.follow_up(SEVEN)
    await stage.expect_follow_up(SEVEN, "missed")
    await _reaches_out(stage, follow_up, -1, "phone", "no-answer")
    await stage.expect_follow_up(SEVEN, "outreach")
    await _reaches_out(stage, follow_up, 0, "text", "reached")
    await stage.expect_follow_up(SEVEN, "reached")
    await stage.expect_follow_up(THIRTY, "planned")


async def discharge_first(stage: Stage) -> None:
    stay = stage.stay(-11, -3)
    await stage.discharges(stay)
    if not await stage.is_held():
        raise stage.broken("the discharge is held until somebody refers the person")
    await stage.refers(0)
    await stage.expect_care("the discharge is released", "last_discharge is not null")
    await stage.follow_up(SEVEN)
    await stage.expect_referral("received")


async def _reaches_out(
    stage: Stage, follow_up: UUID, days: int, channel: Channel, result: OutreachResult
) -> None:
    await stage.records(
        AttemptOutreach(
            **await stage.common(), follow_up=follow_up, channel=channel, on=stage.day(days), result=result
        )
    )


def _journey(
    shows: str, name: str, play: Callable[[Stage], Awaitable[None]], *, again: bool = False
) -> Journey:
    given, family = name.split()
    return Journey(shows=shows, given=given, family=family, play=play, again=again)


STEPPED_DOWN: Final = _journey("a step-down from a hospital's discharge", "Stella Stepdown", stepped_down)

JOURNEYS: Final = (
    _journey("a referral that waits for an answer", "Nina New", new, again=True),
    _journey("a referral accepted, its first appointment booked", "Amber Accepted", accepted, again=True),
    _journey("a referral declined", "Dora Declined", declined),
    _journey("a referral cancelled by the hospital", "Carl Cancelled", cancelled),
    _journey("a referral sent twice", "Doug Duplicated", duplicated),
    _journey("a risk of suicide flagged by PHQ-9 item 9", "Rita Risk", at_risk, again=True),
    STEPPED_DOWN,
    _journey("a discharge cancelled afterwards (A13)", "Ada Athirteen", discharge_cancelled),
    _journey("sessions attended and missed", "Sam Sessions", sessions),
    _journey("a follow-up kept", "Kim Kept", follow_up_kept),
    _journey("a follow-up missed, then reached by outreach", "Olga Outreach", reached_by_outreach),
    _journey("a discharge that came before its referral", "Earl Early", discharge_first, again=True),
)
