"""A follow-up's row says whether it is owed, and what became of it."""

from datetime import date

import pytest

from services.timeline.read_models.follow_up import FollowUp, Status, follow_up
from shared.events.aftercare import (
    AftercareAttended,
    AftercareCancelled,
    AftercareClosed,
    AftercareMissed,
    AftercareRescheduled,
    FollowUpEscalated,
    FollowUpReinstated,
    FollowUpSuperseded,
    OutreachAttempted,
    OutreachExhausted,
)
from shared.events.base import EventData
from tests.unit.timeline.facts import FOLLOW_UP, LATER_FOLLOW_UP, READMISSION, SESSION, owed
from tests.unit.timeline.story import story

MODEL = follow_up()

BOOKED = AftercareRescheduled(follow_up=FOLLOW_UP, appointment="2026-03-09T11:00:00-04:00")
KEPT = AftercareAttended(follow_up=FOLLOW_UP, on=date(2026, 3, 9), within_window=True, session=SESSION)
NO_SHOW = AftercareMissed(follow_up=FOLLOW_UP, cause="no-show")
READMITTED = FollowUpSuperseded(follow_up=FOLLOW_UP, cause="readmission", admission=READMISSION)
CANCELLED_DISCHARGE = FollowUpSuperseded(follow_up=FOLLOW_UP, cause="discharge-cancelled")
REINSTATED = FollowUpReinstated(follow_up=FOLLOW_UP, admission=READMISSION)


def tried(attempt: int, *, reached: bool = False) -> OutreachAttempted:
    result = "reached" if reached else "no-answer"
    return OutreachAttempted(
        follow_up=FOLLOW_UP, attempt=attempt, channel="phone", on=date(2026, 3, 10 + attempt), result=result
    )


def row(*facts: EventData) -> FollowUp:
    return story(owed(), *facts).row(MODEL)


@pytest.mark.parametrize(
    ("facts", "status", "is_owed"),
    [
        ((), "planned", True),
        ((BOOKED,), "scheduled", True),
        ((BOOKED, KEPT), "attended", False),
        ((BOOKED, NO_SHOW), "missed", True),
        ((NO_SHOW, tried(1)), "outreach", True),
        ((NO_SHOW, tried(1, reached=True)), "reached", False),
        ((NO_SHOW, tried(1), BOOKED), "scheduled", True),
        ((NO_SHOW, tried(3), OutreachExhausted(follow_up=FOLLOW_UP, attempts=3)), "exhausted", True),
        ((NO_SHOW, FollowUpEscalated(follow_up=FOLLOW_UP, to="clinical-lead")), "escalated", True),
        ((AftercareCancelled(follow_up=FOLLOW_UP, reason="seen elsewhere"),), "cancelled", False),
        ((READMITTED,), "superseded", False),
        ((BOOKED, READMITTED, REINSTATED), "scheduled", True),
        ((BOOKED, READMITTED, CANCELLED_DISCHARGE), "superseded", False),
        ((AftercareClosed(reason="moved"),), "closed", False),
        ((BOOKED, KEPT, AftercareClosed(reason="moved")), "attended", False),
    ],
)
def test_the_status_is_where_the_events_lead(facts: tuple[EventData, ...], status: Status, *, is_owed: bool):
    assert (row(*facts).status, row(*facts).is_owed) == (status, is_owed)


def test_one_with_an_appointment_from_the_start_is_scheduled():
    assert story(owed(appointment="2026-03-09")).row(MODEL).status == "scheduled"


def test_a_kept_one_says_when_by_what_and_whether_in_time():
    kept = row(BOOKED, KEPT)
    assert (kept.kept_on, kept.kept_by_session, kept.within_window) == (date(2026, 3, 9), SESSION, True)


def test_an_appointment_that_was_missed_is_told_but_one_after_the_window_is_not():
    assert row(BOOKED, NO_SHOW).appointment == "2026-03-09T11:00:00-04:00"
    assert row(BOOKED, AftercareMissed(follow_up=FOLLOW_UP, cause="window-closed")).appointment is None


def test_a_superseded_one_says_why_until_it_is_owed_again():
    assert row(READMITTED).superseded_cause == "readmission"
    assert row(READMITTED, REINSTATED).superseded_cause is None


def test_the_last_attempt_is_told():
    called = row(NO_SHOW, tried(1), tried(2))
    assert (called.attempts, called.last_channel, called.last_result) == (2, "phone", "no-answer")


def test_one_follow_up_does_not_move_another():
    later = owed("follow-up-30-day", due=date(2026, 4, 2), follow_up=LATER_FOLLOW_UP)
    rows = story(owed(), later, BOOKED, KEPT).rows(MODEL)
    assert {each.follow_up: each.status for each in rows} == {
        FOLLOW_UP: "attended",
        LATER_FOLLOW_UP: "planned",
    }
