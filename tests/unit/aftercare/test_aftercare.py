"""Needs, and the end of all aftercare."""

import pytest

from services.aftercare.deciders.aftercare import DECIDER, Command
from services.aftercare.deciders.follow_up import Status
from shared.commands.aftercare import CancelReadmission, CloseAftercare, NoteReadmission, PlanAftercare
from shared.events.aftercare import AftercareClosed, AftercarePlanned
from shared.events.episode import EpisodeResumed
from tests.unit.aftercare.aftercare_stories import (
    ADMISSION,
    ASKED,
    LATER,
    MAR_9,
    MAR_10,
    PARTICIPANT,
    SEVEN,
    attend,
    book,
    cancel,
    cancel_discharge,
    close_window,
    credit,
    discharged,
    follow_ups,
    miss,
    program_ended,
    reach_out,
)
from tests.unit.scenario import given

OWED = follow_ups()
PLAN = PlanAftercare(**ASKED, needs=("therapy", "housing"))
PLANNED = AftercarePlanned(needs=("therapy", "housing"))
DIED, COMPLETED = AftercareClosed(reason="died"), AftercareClosed(reason="completed")


def test_aftercare_is_planned_for_what_the_participant_needs():
    given(DECIDER).when(PLAN).then(PLANNED)


def test_a_plan_without_needs_is_refused():
    given(DECIDER).when(PlanAftercare(**ASKED, needs=())).then_refused("no-needs", field="needs")


def test_closing_aftercare_closes_every_open_follow_up():
    story = given(DECIDER, *OWED).when(CloseAftercare(**ASKED, reason="completed")).then(COMPLETED)
    assert {it.status for it in story.state.follow_ups.values()} == {Status.CLOSED}
    story.when(book()).then_refused("follow-up-closed")


def test_closing_aftercare_for_another_reason_is_refused():
    given(DECIDER, *OWED, COMPLETED).when(CloseAftercare(**ASKED, reason="moved")).then_refused(
        "aftercare-closed"
    )


def test_a_new_discharge_or_plan_opens_aftercare_again():
    given(DECIDER, *OWED, COMPLETED).when(discharged(MAR_9, id=LATER)).then(*follow_ups(MAR_9, id=LATER))
    given(DECIDER, PLANNED, COMPLETED).when(PLAN).then(PLANNED)


def test_death_closes_aftercare_even_where_it_was_closed():
    given(DECIDER, *OWED, COMPLETED).when(CloseAftercare(**ASKED, reason="died")).then(DIED)


@pytest.mark.parametrize(
    "command",
    [
        PLAN,
        discharged(MAR_9, id=LATER),
        program_ended(),
        book(),
        attend(),
        credit(),
        miss(),
        close_window(MAR_10),
        cancel(),
        reach_out("phone", MAR_10),
        cancel_discharge(),
        NoteReadmission(**ASKED, admission=ADMISSION, admitted_on=MAR_9),
        CancelReadmission(**ASKED, admission=ADMISSION),
        CloseAftercare(**ASKED, reason="completed"),
    ],
    ids=lambda command: type(command).__name__,
)
def test_after_death_everything_but_administrative_closure_is_refused(command: Command):
    given(DECIDER, *OWED, DIED).when(command).then_refused("participant-deceased")


def test_a_death_told_again_changes_nothing():
    given(DECIDER, *OWED, DIED).when(CloseAftercare(**ASKED, reason="died")).then_nothing()


def test_an_event_of_another_entity_leaves_aftercare_as_it_is():
    before = given(DECIDER, *OWED)
    assert before.after([EpisodeResumed(episode=PARTICIPANT)]).state == before.state
    assert before.state.follow_ups[SEVEN].is_open
