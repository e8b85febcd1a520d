"""The commands that care_plan answers."""

from typing import Final

from services.care_plan.deciders import care
from shared.commands import care_plan
from shared.eventlog.commands import Accepted
from shared.records import Records

_COMMANDS: Final = (
    care_plan.OpenEpisode,
    care_plan.StepUp,
    care_plan.StepDown,
    care_plan.PauseEpisode,
    care_plan.ResumeEpisode,
    care_plan.CompleteEpisode,
    care_plan.ScheduleSession,
    care_plan.RecordSessionAttended,
    care_plan.RecordSessionMissed,
    care_plan.InvolveFamilyMember,
    care_plan.SetGoal,
    care_plan.RecordGoalProgress,
    care_plan.AchieveGoal,
    care_plan.AbandonGoal,
    care_plan.AgreeRelapsePreventionPlan,
)

_CLOSURE: Final = (care_plan.EndEpisodeEarly, care_plan.CancelSession)


def accepted(records: Records) -> tuple[Accepted, ...]:
    """Return what coordinators may ask: after a death told of any of a person's records, closure only.

    A discharge, its reversal and a death come from intake's events only (see policies).
    """
    return (
        *(Accepted(command, care.DECIDER, records.of_the_living) for command in _COMMANDS),
        *(Accepted(command, care.DECIDER) for command in _CLOSURE),
    )
