"""Outreach after a missed follow-up: three attempts on different days and channels, then somebody else."""

from services.aftercare.deciders.aftercare import DECIDER
from services.aftercare.deciders.follow_up import Status
from shared.events.aftercare import FollowUpEscalated, OutreachExhausted
from tests.unit.aftercare.aftercare_stories import (
    DAY,
    MAR_10,
    SEVEN,
    attend,
    book,
    booked,
    cancel,
    close_window,
    follow_ups,
    miss,
    no_show,
    reach_out,
    tried,
    window_closed,
)
from tests.unit.scenario import given

OWED = follow_ups()
MISSED = (*OWED, booked(), no_show())
MAR_11, MAR_12 = MAR_10 + DAY, MAR_10 + 2 * DAY
EXHAUSTED = OutreachExhausted(follow_up=SEVEN, attempts=3)
ESCALATED = FollowUpEscalated(follow_up=SEVEN, to="clinical-lead")
IN_VAIN = (
    *MISSED,
    tried(1, "phone", MAR_10),
    tried(2, "text", MAR_11, "left-message"),
    tried(3, "email", MAR_12),
    EXHAUSTED,
    ESCALATED,
)


def test_outreach_follows_a_missed_follow_up():
    given(DECIDER, *MISSED).when(reach_out("phone", MAR_10)).then(tried(1, "phone", MAR_10))


def test_outreach_before_anything_is_missed_is_refused():
    given(DECIDER, *OWED).when(reach_out("phone", MAR_10)).then_refused("not-missed")
    given(DECIDER, *OWED, booked()).when(reach_out("phone", MAR_10)).then_refused("not-missed")


def test_a_participant_who_is_reached_is_owed_nothing_more():
    story = given(DECIDER, *MISSED).when(reach_out("phone", MAR_10, "reached"))
    reached = story.then(tried(1, "phone", MAR_10, "reached"))
    assert reached.state.follow_ups[SEVEN].status is Status.REACHED


def test_a_second_attempt_on_the_same_day_is_refused():
    given(DECIDER, *MISSED, tried(1, "phone", MAR_10)).when(reach_out("text", MAR_10)).then_refused(
        "outreach-same-day", field="on"
    )


def test_a_second_attempt_by_the_same_channel_is_refused():
    given(DECIDER, *MISSED, tried(1, "phone", MAR_10)).when(reach_out("phone", MAR_11)).then_refused(
        "outreach-same-channel", field="channel"
    )


def test_a_third_attempt_in_vain_hands_the_follow_up_on():
    given(DECIDER, *MISSED, tried(1, "phone", MAR_10), tried(2, "text", MAR_11)).when(
        reach_out("email", MAR_12, "declined")
    ).then(tried(3, "email", MAR_12, "declined"), EXHAUSTED, ESCALATED)


def test_a_third_attempt_that_reaches_the_participant_hands_nothing_on():
    given(DECIDER, *MISSED, tried(1, "phone", MAR_10), tried(2, "text", MAR_11)).when(
        reach_out("visit", MAR_12, "reached")
    ).then(tried(3, "visit", MAR_12, "reached"))


def test_a_fourth_attempt_is_refused():
    given(DECIDER, *IN_VAIN).when(reach_out("letter", MAR_12 + DAY)).then_refused("outreach-exhausted")


def test_a_follow_up_handed_on_can_still_be_booked_attended_or_cancelled():
    assert given(DECIDER, *IN_VAIN).when(book("2026-03-20T10:00:00-05:00")).events
    assert given(DECIDER, *IN_VAIN).when(attend(MAR_12)).events
    assert given(DECIDER, *IN_VAIN).when(cancel()).events


def test_a_follow_up_handed_on_is_not_missed_again():
    given(DECIDER, *IN_VAIN).when(close_window(MAR_12)).then_nothing()
    given(DECIDER, *IN_VAIN).when(miss()).then_nothing()


def test_attempts_before_a_new_appointment_count_on():
    again = (*MISSED, tried(1, "phone", MAR_10), booked("2026-03-20T10:00:00-05:00"), no_show())
    given(DECIDER, *again).when(reach_out("phone", MAR_12)).then_refused("outreach-same-channel")
    given(DECIDER, *again).when(reach_out("text", MAR_12)).then(tried(2, "text", MAR_12))


def test_missed_again_with_no_attempt_left_a_follow_up_is_handed_on_at_once():
    booked_again = given(DECIDER, *IN_VAIN, booked("2026-03-20T10:00:00-05:00"))
    booked_again.when(miss()).then(no_show(), ESCALATED)
    booked_again.when(close_window(MAR_12)).then(window_closed(), ESCALATED)
