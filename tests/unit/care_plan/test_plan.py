"""Goals and the relapse-prevention plan."""

import pytest

from services.care_plan.deciders.care import DECIDER
from shared.commands.care_plan import (
    AbandonGoal,
    AchieveGoal,
    AgreeRelapsePreventionPlan,
    RecordGoalProgress,
    SetGoal,
)
from shared.events.plan import (
    GoalAbandoned,
    GoalAchieved,
    GoalProgressRecorded,
    GoalSet,
    RelapsePreventionPlanAgreed,
)
from tests.unit.care_plan.care_stories import ASKED, GOAL
from tests.unit.scenario import given

SET = SetGoal(**ASKED, goal=GOAL, description="Sleep through the night")
WAS_SET = GoalSet(goal=GOAL, description="Sleep through the night")
IMPROVE = RecordGoalProgress(**ASKED, goal=GOAL, achievement="improving", note="six hours")
IMPROVED = GoalProgressRecorded(goal=GOAL, achievement="improving", note="six hours")
ACHIEVE, ACHIEVED = AchieveGoal(**ASKED, goal=GOAL), GoalAchieved(goal=GOAL)
ABANDON = AbandonGoal(**ASKED, goal=GOAL, reason="Other goals come first")
ABANDONED = GoalAbandoned(goal=GOAL, reason="Other goals come first")


def test_a_goal_is_set():
    given(DECIDER).when(SET).then(WAS_SET)


def test_a_goal_says_what_the_participant_wants():
    given(DECIDER).when(SetGoal(**ASKED, goal=GOAL, description=" ")).then_refused(
        "no-description", field="description"
    )


def test_a_goal_set_again_in_other_words_is_refused():
    other = SetGoal(**ASKED, goal=GOAL, description="Sleep")
    given(DECIDER, WAS_SET).when(other).then_refused("goal-already-set")


def test_progress_is_recorded():
    given(DECIDER, WAS_SET).when(IMPROVE).then(IMPROVED)


def test_progress_changes_again_and_again():
    worse = RecordGoalProgress(**ASKED, goal=GOAL, achievement="worsening")
    story = (
        given(DECIDER, WAS_SET, IMPROVED)
        .when(worse)
        .then(GoalProgressRecorded(goal=GOAL, achievement="worsening"))
    )
    story.when(IMPROVE).then(IMPROVED)


def test_a_goal_is_achieved():
    given(DECIDER, WAS_SET, IMPROVED).when(ACHIEVE).then(ACHIEVED)


def test_a_goal_is_given_up():
    given(DECIDER, WAS_SET).when(ABANDON).then(ABANDONED)


@pytest.mark.parametrize("command", [IMPROVE, ACHIEVE, ABANDON])
def test_an_unknown_goal_is_refused(command: RecordGoalProgress | AchieveGoal | AbandonGoal):
    given(DECIDER).when(command).then_refused("unknown-goal", field="goal")


def test_nothing_more_is_recorded_on_an_achieved_goal():
    given(DECIDER, WAS_SET, ACHIEVED).when(IMPROVE).then_refused("goal-closed")
    given(DECIDER, WAS_SET, ACHIEVED).when(ABANDON).then_refused("goal-closed")


def test_nothing_more_is_recorded_on_a_goal_given_up():
    given(DECIDER, WAS_SET, ABANDONED).when(IMPROVE).then_refused("goal-closed")
    given(DECIDER, WAS_SET, ABANDONED).when(ACHIEVE).then_refused("goal-closed")


def agree(
    *, signs: tuple[str, ...] = ("sleepless",), steps: tuple[str, ...] = ("call sponsor",)
) -> AgreeRelapsePreventionPlan:
    return AgreeRelapsePreventionPlan(**ASKED, warning_signs=signs, action_steps=steps, contacts=("sponsor",))


def test_a_relapse_prevention_plan_is_agreed():
    given(DECIDER).when(agree()).then(
        RelapsePreventionPlanAgreed(
            warning_signs=("sleepless",), action_steps=("call sponsor",), contacts=("sponsor",)
        )
    )


@pytest.mark.parametrize("nothing", [(), ("",), (" ", "")])
def test_a_relapse_prevention_plan_needs_a_warning_sign_and_an_action_step(nothing: tuple[str, ...]):
    given(DECIDER).when(agree(signs=nothing)).then_refused("no-warning-sign", field="warning_signs")
    given(DECIDER).when(agree(steps=nothing)).then_refused("no-action-step", field="action_steps")


def test_a_later_relapse_prevention_plan_replaces_the_earlier():
    agreed = given(DECIDER, RelapsePreventionPlanAgreed(warning_signs=("a",), action_steps=("b",)))
    agreed.when(agree(signs=("sleepless", "skipping meals"))).then(
        RelapsePreventionPlanAgreed(
            warning_signs=("sleepless", "skipping meals"),
            action_steps=("call sponsor",),
            contacts=("sponsor",),
        )
    )
