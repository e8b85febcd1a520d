"""What takes the place of a follow-up: a later discharge, a readmission, a cancelled discharge."""

from datetime import date

from msgspec.structs import replace

from services.aftercare.deciders.aftercare import DECIDER
from services.aftercare.deciders.follow_up import Status
from shared.commands.aftercare import CancelReadmission, NoteReadmission
from shared.events.aftercare import AftercareAttended, AftercareClosed, FollowUpReinstated
from tests.unit.aftercare.aftercare_stories import (
    ADMISSION,
    APR_2,
    ASKED,
    DAY,
    DISCHARGE,
    LATER,
    MAR_3,
    MAR_4,
    MAR_9,
    ORIGIN,
    SEVEN,
    THIRTY,
    booked,
    cancel_discharge,
    discharged,
    follow_ups,
    no_show,
    overtaken,
    program_ended,
    readmitted,
    voided,
)
from tests.unit.scenario import given

OWED = follow_ups()
KEPT = AftercareAttended(follow_up=SEVEN, on=MAR_4, within_window=True)
REINSTATED = tuple(FollowUpReinstated(follow_up=it.follow_up, admission=ADMISSION) for it in OWED)
NOT_READMITTED = CancelReadmission(**ASKED, admission=ADMISSION)


def admitted(on: date = MAR_9) -> NoteReadmission:
    return NoteReadmission(**ASKED, admission=ADMISSION, admitted_on=on)


def test_only_the_last_of_two_discharges_within_30_days_counts():
    later = follow_ups(MAR_9, id=LATER)
    given(DECIDER, *OWED).when(discharged(MAR_9, id=LATER)).then(*later, *overtaken(*OWED))


def test_a_follow_up_already_kept_stays_so():
    later = follow_ups(MAR_9, id=LATER)
    given(DECIDER, *OWED, KEPT).when(discharged(MAR_9, id=LATER)).then(*later, *overtaken(OWED[1]))


def test_a_discharge_on_the_thirtieth_day_takes_the_earlier_ones_place_and_on_the_next_it_does_not():
    given(DECIDER, *OWED).when(discharged(APR_2, id=LATER)).then(
        *follow_ups(APR_2, id=LATER), *overtaken(*OWED)
    )
    given(DECIDER, *OWED).when(discharged(APR_2 + DAY, id=LATER)).then(*follow_ups(APR_2 + DAY, id=LATER))


def test_an_earlier_discharge_told_late_takes_nobodys_place():
    later = follow_ups(MAR_9, id=LATER)
    given(DECIDER, *later).when(discharged()).then(*OWED, *overtaken(*OWED))


def test_an_earlier_discharge_told_late_counts_where_the_later_one_was_cancelled():
    later = follow_ups(MAR_9, id=LATER)
    given(DECIDER, *later, *voided(*later)).when(discharged()).then(*OWED)


def test_an_earlier_discharge_told_after_more_than_30_days_counts():
    given(DECIDER, *follow_ups(APR_2 + DAY, id=LATER)).when(discharged()).then(*OWED)


def test_an_emergency_visit_leaves_what_is_owed_after_a_stay():
    visit = follow_ups(MAR_9, id=LATER, emergency=True)
    given(DECIDER, *OWED).when(discharged(MAR_9, id=LATER, emergency=True)).then(*visit)


def test_a_stay_takes_the_place_of_an_earlier_emergency_visit():
    visit, stay = follow_ups(emergency=True), follow_ups(MAR_9, id=LATER)
    given(DECIDER, *visit).when(discharged(MAR_9, id=LATER)).then(*stay, *overtaken(*visit))


def test_a_cancelled_discharge_owes_nothing():
    given(DECIDER, *OWED, booked()).when(cancel_discharge()).then(*voided(*OWED))


def test_a_cancelled_discharge_leaves_what_was_kept_and_what_others_owe():
    other = follow_ups(APR_2 + DAY, id=LATER)
    given(DECIDER, *OWED, KEPT, *other).when(cancel_discharge()).then(*voided(OWED[1]))


def test_a_cancelled_discharge_that_nobody_told_us_of_changes_nothing():
    given(DECIDER).when(cancel_discharge()).then_nothing()


def test_a_cancelled_discharge_told_again_owes_nothing_either():
    given(DECIDER, *OWED, *voided(*OWED)).when(discharged()).then_nothing()


def test_a_readmission_within_30_days_takes_the_place_of_what_was_owed():
    given(DECIDER, *OWED, booked(), no_show()).when(admitted()).then(*readmitted(*OWED))
    given(DECIDER, *OWED).when(admitted(APR_2)).then(*readmitted(*OWED))


def test_a_readmission_after_30_days_or_the_stay_itself_told_late_does_not():
    given(DECIDER, *OWED).when(admitted(APR_2 + DAY)).then_nothing()
    given(DECIDER, *OWED).when(admitted(MAR_3)).then_nothing()
    given(DECIDER, *OWED).when(admitted(date(2026, 2, 20))).then_nothing()


def test_a_stay_known_to_be_another_counts_on_the_day_of_the_discharge_but_never_for_its_own():
    same_day = replace(admitted(MAR_3), same_day=True)
    given(DECIDER, *OWED).when(same_day).then(*readmitted(*OWED))
    given(DECIDER, *OWED).when(replace(same_day, admission=DISCHARGE)).then_nothing()


def test_a_readmission_leaves_the_check_ins_after_the_program():
    owed = given(DECIDER).when(program_ended()).events
    given(DECIDER, *owed).when(admitted()).then_nothing()


def test_a_cancelled_readmission_brings_back_what_it_had_taken_the_place_of():
    superseded = given(DECIDER, *OWED, booked(), *readmitted(*OWED))
    story = superseded.when(NOT_READMITTED).then(*REINSTATED)
    assert story.state.follow_ups[SEVEN].status is Status.SCHEDULED
    assert story.state.follow_ups[THIRTY].status is Status.PLANNED


def test_a_cancelled_readmission_brings_back_nothing_else():
    superseded = (*OWED, KEPT, *readmitted(OWED[1]))
    given(DECIDER, *superseded).when(NOT_READMITTED).then(REINSTATED[1])


def test_a_cancelled_readmission_told_again_after_all_is_not_noted_again():
    given(DECIDER, *OWED, *readmitted(*OWED), *REINSTATED).when(admitted()).then_nothing()


def test_a_cancelled_readmission_does_not_bring_back_what_a_cancelled_discharge_had_owed():
    story = given(DECIDER, *OWED, *readmitted(*OWED)).when(cancel_discharge()).then(*voided(*OWED))
    story.when(NOT_READMITTED).then_nothing()


def test_a_cancelled_readmission_brings_nothing_back_once_aftercare_is_closed():
    closed = AftercareClosed(reason="completed")
    given(DECIDER, *OWED, *readmitted(*OWED), closed).when(NOT_READMITTED).then_nothing()


def test_only_the_last_end_of_the_program_is_counted_from():
    first = [
        it.owed for it in given(DECIDER, *given(DECIDER).when(program_ended(origin=LATER)).events).state.open
    ]
    story = given(DECIDER, *first).when(program_ended(APR_2, origin=ORIGIN))
    assert list(story.events[6:]) == overtaken(*first)
    assert {it.owed.index_discharge for it in story.then(*story.events).state.open} == {APR_2}
