"""A hospital's discharge: pending until an episode takes it up, then a step-down into the program."""

from uuid import UUID

from services.care_plan.deciders.levels import INPATIENT
from shared.commands.care_plan import StepDownAfterDischarge
from shared.events.episode import StepDownPending, SteppedDown


def pending(command: StepDownAfterDischarge) -> StepDownPending:
    """The discharge as it waits for an episode."""
    return StepDownPending(
        discharge=command.discharge,
        discharged=command.discharged,
        from_organisation=command.from_organisation,
        visit_number=command.visit_number,
        disposition=command.disposition,
        principal_diagnosis=command.principal_diagnosis,
        emergency=command.emergency,
    )


def stepped_down(notice: StepDownPending, episode: UUID, to_level: str, edition: str) -> SteppedDown:
    """The discharge as the step-down from inpatient care into an episode, at the time of the discharge."""
    return SteppedDown(
        episode=episode,
        from_level=INPATIENT,
        to_level=to_level,
        edition=edition,
        at=notice.discharged,
        discharge=notice.discharge,
        from_organisation=notice.from_organisation,
        visit_number=notice.visit_number,
        discharged=notice.discharged,
        disposition=notice.disposition,
        principal_diagnosis=notice.principal_diagnosis,
        emergency=notice.emergency,
    )
