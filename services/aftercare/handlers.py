"""The commands that aftercare answers."""

from typing import Final

from services.aftercare.deciders import aftercare as decider
from shared.commands import aftercare
from shared.eventlog.commands import Accepted

_COMMANDS: Final = (
    aftercare.PlanAftercare,
    aftercare.BookFollowUp,
    aftercare.RecordFollowUpAttended,
    aftercare.RecordFollowUpMissed,
    aftercare.CancelFollowUp,
    aftercare.AttemptOutreach,
    aftercare.CloseAftercare,
)

ACCEPTED: Final = tuple(Accepted(command, decider.DECIDER) for command in _COMMANDS)
"""What is owed, and no longer owed, comes from care_plan's events only (see policies)."""
