"""The individual plan: what the participant wants to reach, and how a relapse is prevented."""

from collections.abc import Mapping
from uuid import UUID

from msgspec import Struct, field
from msgspec.structs import replace

from shared.commands.care_plan import (
    AbandonGoal,
    AchieveGoal,
    AgreeRelapsePreventionPlan,
    RecordGoalProgress,
    SetGoal,
)
from shared.commands.decision import Decision, refused
from shared.events.base import EventData
from shared.events.plan import (
    GoalAbandoned,
    GoalAchieved,
    GoalProgressRecorded,
    GoalSet,
    RelapsePreventionPlanAgreed,
)

Closing = GoalAchieved | GoalAbandoned


class Goal(Struct, frozen=True):
    """A goal as set, how it goes, and how it was closed."""

    set: GoalSet
    progress: GoalProgressRecorded | None = None
    closed: Closing | None = None


class State(Struct, frozen=True):
    """A participant's goals and the relapse-prevention plan in force: the last one agreed."""

    goals: Mapping[UUID, Goal] = field(default_factory=dict[UUID, Goal])
    relapse_plan: RelapsePreventionPlanAgreed | None = None

    def with_goal(self, id: UUID, goal: Goal) -> "State":
        return replace(self, goals={**self.goals, id: goal})


def evolve(state: State, event: EventData) -> State:
    """Move the state by an event of the plan; others leave it as it is."""
    match event:
        case GoalSet(goal=id):
            return state.with_goal(id, Goal(event))
        case GoalProgressRecorded(goal=id):
            goal = state.goals.get(id)
            return state if goal is None else state.with_goal(id, replace(goal, progress=event))
        case GoalAchieved(goal=id) | GoalAbandoned(goal=id):
            goal = state.goals.get(id)
            return state if goal is None else state.with_goal(id, replace(goal, closed=event))
        case RelapsePreventionPlanAgreed():
            return replace(state, relapse_plan=event)
        case _:
            return state


GoalCommand = RecordGoalProgress | AchieveGoal | AbandonGoal
PlanCommand = SetGoal | GoalCommand | AgreeRelapsePreventionPlan


def decide(command: PlanCommand, state: State) -> Decision:
    """Decide on a command about the plan."""
    match command:
        case SetGoal():
            return _set(command, state)
        case AgreeRelapsePreventionPlan():
            return _agree(command, state)
        case RecordGoalProgress() | AchieveGoal() | AbandonGoal():
            goal = state.goals.get(command.goal)
            return _UNKNOWN_GOAL if goal is None else _work_on(command, goal)


_UNKNOWN_GOAL = refused("unknown-goal", "The participant's plan has no such goal.", "goal")


def _set(command: SetGoal, state: State) -> Decision:
    if not command.description.strip():
        return refused("no-description", "Say what the participant wants to reach.", "description")
    set_ = GoalSet(goal=command.goal, description=command.description, target=command.target)
    goal = state.goals.get(command.goal)
    if goal is None:
        return [set_]
    if goal.set == set_:
        return []
    return refused("goal-already-set", "This goal is already set in other words; set another goal.", "goal")


def _work_on(command: GoalCommand, goal: Goal) -> Decision:
    match command:
        case RecordGoalProgress(goal=id, achievement=achievement, note=note):
            return _progress(GoalProgressRecorded(goal=id, achievement=achievement, note=note), goal)
        case AchieveGoal(goal=id):
            return _close(GoalAchieved(goal=id), goal)
        case AbandonGoal(goal=id, reason=reason):
            return _close(GoalAbandoned(goal=id, reason=reason), goal)


def _progress(progress: GoalProgressRecorded, goal: Goal) -> Decision:
    if goal.closed is not None:
        return _GOAL_CLOSED
    return [] if goal.progress == progress else [progress]


def _close(closing: Closing, goal: Goal) -> Decision:
    if goal.closed is None:
        return [closing]
    return [] if goal.closed == closing else _GOAL_CLOSED


_GOAL_CLOSED = refused("goal-closed", "The goal was achieved or given up; set another one.", "goal")


def _agree(command: AgreeRelapsePreventionPlan, state: State) -> Decision:
    if not _says_something(command.warning_signs):
        return refused("no-warning-sign", "A relapse-prevention plan needs a warning sign.", "warning_signs")
    if not _says_something(command.action_steps):
        return refused("no-action-step", "A relapse-prevention plan needs an action step.", "action_steps")
    agreed = RelapsePreventionPlanAgreed(
        warning_signs=command.warning_signs, action_steps=command.action_steps, contacts=command.contacts
    )
    return [] if state.relapse_plan == agreed else [agreed]


def _says_something(lines: tuple[str, ...]) -> bool:
    return any(line.strip() for line in lines)
