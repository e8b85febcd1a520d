"""The commands that aftercare answers."""

from typing import Final

from services.aftercare.deciders import aftercare as decider
from shared.commands import aftercare
from shared.eventlog.commands import Accepted
from shared.records import Records

_COMMANDS: Final = (
    aftercare.PlanAftercare,
    aftercare.BookFollowUp,
    aftercare.RecordFollowUpAttended,
    aftercare.RecordFollowUpMissed,
    aftercare.AttemptOutreach,
)

_CLOSURE: Final = (aftercare.CancelFollowUp, aftercare.CloseAftercare)


def accepted(records: Records) -> tuple[Accepted, ...]:
    """Return what coordinators may ask: after a death told of any of a person's records, closure only.

    What is owed, and no longer owed, comes from care_plan's events only (see policies).
    """
    return (
        *(Accepted(command, decider.DECIDER, records.of_the_living) for command in _COMMANDS),
        *(Accepted(command, decider.DECIDER) for command in _CLOSURE),
    )
