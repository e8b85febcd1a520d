"""Goals and relapse prevention."""

from msgspec.structs import replace

from services.timeline.read_models.care.state import CareState
from shared.events.envelope import Recorded
from shared.events.plan import GoalAbandoned, GoalAchieved, GoalSet, RelapsePreventionPlanAgreed
from shared.site import Site

HANDLES = (GoalSet, GoalAchieved, GoalAbandoned, RelapsePreventionPlanAgreed)


def evolve(state: CareState, at: Recorded, site: Site) -> CareState:
    """Count goals; keep the day at the site when the relapse-prevention plan was last agreed."""
    match at.event.data:
        case GoalSet():
            return replace(state, goals_open=state.goals_open + 1)
        case GoalAchieved():
            return replace(state, goals_open=state.goals_open - 1, goals_achieved=state.goals_achieved + 1)
        case GoalAbandoned():
            return replace(state, goals_open=state.goals_open - 1)
        case RelapsePreventionPlanAgreed():
            return replace(state, relapse_plan_agreed=site.day_of(at.event.happened))
        case _:
            return state
