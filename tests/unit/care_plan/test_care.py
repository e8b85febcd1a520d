"""What holds for the whole of a participant's care."""

import pytest

from services.care_plan.deciders.care import DECIDER, Command
from shared.commands.care_plan import (
    AchieveGoal,
    CancelSession,
    CloseCareOnDeath,
    EndEpisodeEarly,
    PauseEpisode,
    ResumeEpisode,
    SetGoal,
)
from shared.events.aftercare import AftercareClosed
from shared.events.episode import CareClosedOnDeath, EpisodeEndedEarly
from shared.events.session import SessionCancelled
from tests.unit.care_plan.care_stories import (
    ASKED,
    EPISODE,
    GOAL,
    MAR_12,
    OTHER,
    SESSION,
    attend,
    complete,
    discharge,
    involve,
    miss,
    open_episode,
    opened,
    reverse,
    schedule,
    scheduled,
    step_down,
    step_up,
)
from tests.unit.scenario import given

DECEASED = (
    *opened(),
    scheduled(),
    EpisodeEndedEarly(episode=EPISODE, on=MAR_12, reason="died"),
    CareClosedOnDeath(died="2026-03-12"),
)


@pytest.mark.parametrize(
    "command",
    [
        open_episode(episode=OTHER),
        step_up("2.5"),
        step_down("1.5"),
        discharge(),
        reverse(),
        PauseEpisode(**ASKED, reason="surgery"),
        ResumeEpisode(**ASKED),
        complete(),
        schedule(),
        attend(),
        miss(),
        involve(),
        SetGoal(**ASKED, goal=GOAL, description="Sleep"),
        AchieveGoal(**ASKED, goal=GOAL),
    ],
    ids=lambda command: type(command).__name__,
)
def test_after_death_everything_but_administrative_closure_is_refused(command: Command):
    given(DECIDER, *DECEASED).when(command).then_refused("participant-deceased")


def test_a_death_told_again_changes_nothing():
    given(DECIDER, *DECEASED).when(CloseCareOnDeath(**ASKED, on=MAR_12)).then_nothing()
    given(DECIDER, *DECEASED).when(EndEpisodeEarly(**ASKED, on=MAR_12, reason="died")).then_nothing()


def test_sessions_that_stood_open_at_death_are_cancelled():
    given(DECIDER, *DECEASED).when(CancelSession(**ASKED, session=SESSION)).then(
        SessionCancelled(session=SESSION, by="program")
    )


def test_an_event_of_another_entity_leaves_care_as_it_is():
    before = given(DECIDER, *opened())
    assert before.after([AftercareClosed(reason="moved")]).state == before.state
