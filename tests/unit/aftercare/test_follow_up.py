"""A follow-up: booked, attended, missed, its window closed, cancelled, credited with a session."""

from datetime import date

import pytest

from services.aftercare.deciders.aftercare import DECIDER, Command
from services.aftercare.deciders.follow_up import Status
from shared.events.aftercare import AftercareAttended, AftercareCancelled, AftercareClosed, FollowUpSuperseded
from shared.events.base import EventData
from tests.unit.aftercare.aftercare_stories import (
    APPOINTMENT,
    APR_2,
    DAY,
    MAR_3,
    MAR_4,
    MAR_9,
    MAR_10,
    SESSION,
    SEVEN,
    THIRTY,
    attend,
    book,
    booked,
    cancel,
    close_window,
    credit,
    follow_ups,
    miss,
    no_show,
    reach_out,
    tried,
    window_closed,
)
from tests.unit.scenario import given

OWED = follow_ups()
LATE_APPOINTMENT = "2026-03-20T10:00:00-05:00"
CANCELLED = AftercareCancelled(follow_up=SEVEN, reason="Has moved to another program")


def attended(on: date = MAR_9, *, within_window: bool = True) -> AftercareAttended:
    return AftercareAttended(follow_up=SEVEN, on=on, within_window=within_window)


def test_a_follow_up_is_given_an_appointment_and_another():
    story = given(DECIDER, *OWED).when(book()).then(booked())
    story.when(book(LATE_APPOINTMENT)).then(booked(LATE_APPOINTMENT))


def test_an_appointment_before_the_window_opens_is_refused():
    given(DECIDER, *OWED).when(book("2026-03-03T16:00:00-05:00")).then_refused(
        "before-window", field="appointment"
    )


def test_a_follow_up_is_attended_within_its_window():
    given(DECIDER, *OWED).when(attend(MAR_4)).then(attended(MAR_4))
    given(DECIDER, *OWED).when(attend(MAR_10)).then(attended(MAR_10))


def test_a_follow_up_attended_late_is_attended_outside_its_window():
    late = MAR_10 + DAY
    given(DECIDER, *OWED).when(attend(late)).then(attended(late, within_window=False))


def test_attended_on_the_day_of_discharge_is_refused():
    given(DECIDER, *OWED).when(attend(MAR_3)).then_refused("before-window", field="on")


def test_attended_on_the_day_of_an_emergency_visit_counts():
    given(DECIDER, *follow_ups(emergency=True)).when(attend(MAR_3)).then(attended(MAR_3))


def test_attended_before_the_appointments_day_is_refused():
    given(DECIDER, *OWED, booked()).when(attend(MAR_4)).then_refused("attended-before-start", field="on")


def test_attended_on_the_appointments_day_is_taken():
    given(DECIDER, *OWED, booked()).when(attend(MAR_9)).then(attended(MAR_9))


def test_a_missed_follow_up_made_up_for_is_attended():
    given(DECIDER, *OWED, booked(), no_show()).when(attend(MAR_10)).then(attended(MAR_10))


def test_attended_again_on_another_day_is_refused():
    given(DECIDER, *OWED, attended()).when(attend(MAR_10)).then_refused("follow-up-closed")


def test_an_appointment_is_missed():
    given(DECIDER, *OWED, booked()).when(miss()).then(no_show())


def test_an_appointment_is_not_missed_before_its_time():
    given(DECIDER, *OWED, booked()).when(miss(at="2026-03-09T09:59:00-05:00")).then_refused(
        "missed-before-start", field="at"
    )


def test_without_an_appointment_there_is_none_to_miss():
    given(DECIDER, *OWED).when(miss()).then_refused("no-appointment")


def test_a_missed_follow_up_is_booked_again_but_not_for_the_missed_appointment():
    missed = given(DECIDER, *OWED, booked(), no_show())
    missed.when(book(APPOINTMENT)).then_refused("appointment-missed", field="appointment")
    missed.when(book(LATE_APPOINTMENT)).then(booked(LATE_APPOINTMENT))


def test_a_follow_up_not_kept_by_the_last_day_of_its_window_is_missed():
    given(DECIDER, *OWED).when(close_window(MAR_10 + DAY)).then(window_closed())
    given(DECIDER, *OWED, booked()).when(close_window(MAR_10 + DAY)).then(window_closed())


def test_a_window_does_not_close_on_its_last_day():
    given(DECIDER, *OWED).when(close_window(MAR_10)).then_nothing()


@pytest.mark.parametrize(
    "event",
    [
        attended(),
        CANCELLED,
        FollowUpSuperseded(follow_up=SEVEN, cause="discharge-cancelled"),
        tried(1, "phone", MAR_10, "reached"),
        window_closed(),
    ],
    ids=lambda event: type(event).__name__,
)
def test_a_window_closes_silently_where_nothing_is_owed_any_more(
    event: EventData,
):
    given(DECIDER, *OWED, event).when(close_window(MAR_10 + DAY)).then_nothing()


def test_a_follow_up_is_cancelled_for_a_reason():
    given(DECIDER, *OWED).when(cancel()).then(CANCELLED)
    given(DECIDER, *OWED).when(cancel(" ")).then_refused("no-reason", field="reason")


@pytest.mark.parametrize(
    "command",
    [book(), attend(MAR_10), miss(), cancel("No longer needed"), reach_out("phone", MAR_10)],
    ids=lambda command: type(command).__name__,
)
@pytest.mark.parametrize(
    "end",
    [
        attended(),
        CANCELLED,
        tried(1, "phone", MAR_9, "reached"),
        FollowUpSuperseded(follow_up=SEVEN, cause="later-discharge"),
        AftercareClosed(reason="completed"),
    ],
    ids=lambda end: type(end).__name__,
)
def test_nothing_more_is_recorded_on_a_follow_up_that_is_no_longer_owed(command: Command, end: EventData):
    given(DECIDER, *OWED, end).when(command).then_refused("follow-up-closed")


def test_an_unknown_follow_up_is_refused():
    for command in (book(), attend(), miss(), cancel(), close_window(MAR_10), reach_out("phone", MAR_10)):
        given(DECIDER).when(command).then_refused("unknown-follow-up", field="follow_up")


def test_a_session_of_the_program_counts_as_every_follow_up_in_whose_window_it_falls():
    given(DECIDER, *OWED, booked()).when(credit(MAR_10)).then(
        AftercareAttended(follow_up=SEVEN, on=MAR_10, within_window=True, session=SESSION),
        AftercareAttended(follow_up=THIRTY, on=MAR_10, within_window=True, session=SESSION),
    )


def test_a_session_after_seven_days_counts_for_thirty():
    given(DECIDER, *OWED).when(credit(APR_2)).then(
        AftercareAttended(follow_up=THIRTY, on=APR_2, within_window=True, session=SESSION)
    )


def test_a_session_recorded_after_the_window_closed_still_counts():
    given(DECIDER, *OWED, window_closed()).when(credit(MAR_10)).then(
        AftercareAttended(follow_up=SEVEN, on=MAR_10, within_window=True, session=SESSION),
        AftercareAttended(follow_up=THIRTY, on=MAR_10, within_window=True, session=SESSION),
    )


def test_a_session_on_the_day_of_discharge_counts_for_nothing():
    given(DECIDER, *OWED).when(credit(MAR_3)).then_nothing()


def test_a_session_does_not_count_twice():
    given(DECIDER, *OWED, attended()).when(credit(MAR_10)).then(
        AftercareAttended(follow_up=THIRTY, on=MAR_10, within_window=True, session=SESSION)
    )


def test_a_follow_up_with_an_appointment_is_scheduled_and_without_one_planned():
    state = given(DECIDER, *OWED, booked()).state
    assert (state.follow_ups[SEVEN].status, state.follow_ups[THIRTY].status) == (
        Status.SCHEDULED,
        Status.PLANNED,
    )
