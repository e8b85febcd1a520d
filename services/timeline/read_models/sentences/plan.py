"""Goals and relapse prevention."""

from datetime import tzinfo

from services.timeline.read_models.sentences.description import Description, after, on_day, said
from shared.events.base import EventData
from shared.events.plan import (
    GoalAbandoned,
    GoalAchieved,
    GoalProgressRecorded,
    GoalSet,
    RelapsePreventionPlanAgreed,
)

HANDLES = (GoalSet, GoalProgressRecorded, GoalAchieved, GoalAbandoned, RelapsePreventionPlanAgreed)


def describe(event: EventData, _zone: tzinfo) -> Description:
    """Say how the plan stands."""
    match event:
        case GoalSet(description=goal, target=target):
            return said("Goal set", goal, after("by", target and on_day(target)), due=target)
        case GoalProgressRecorded(achievement=achievement, note=note):
            return said(f"Goal: {achievement}", note)
        case GoalAchieved():
            return said("Goal achieved")
        case GoalAbandoned(reason=reason):
            return said("Goal abandoned", reason)
        case RelapsePreventionPlanAgreed():
            return said(
                "Relapse-prevention plan agreed",
                after("warning signs:", "; ".join(event.warning_signs)),
                after("steps:", "; ".join(event.action_steps)),
                after("contacts:", "; ".join(event.contacts)),
            )
        case _:
            raise TypeError(type(event))
