"""Enrolment, the episode and its levels of care."""

from datetime import tzinfo

from services.timeline.read_models.sentences.description import (
    Description,
    after,
    corrected,
    in_words,
    on_day,
    said,
    when,
)
from shared.events.base import EventData
from shared.events.enrolment import Enrolled, OrientationCompleted
from shared.events.episode import (
    CareClosedOnDeath,
    EpisodeCompleted,
    EpisodeEndedEarly,
    EpisodeOpened,
    EpisodePaused,
    EpisodeResumed,
    LevelOfCareStarted,
    StepDownPending,
    StepDownReversed,
    SteppedDown,
    SteppedUp,
)

HANDLES = (
    Enrolled,
    OrientationCompleted,
    EpisodeOpened,
    LevelOfCareStarted,
    SteppedUp,
    SteppedDown,
    StepDownPending,
    StepDownReversed,
    EpisodePaused,
    EpisodeResumed,
    EpisodeCompleted,
    EpisodeEndedEarly,
    CareClosedOnDeath,
)


def describe(event: EventData, zone: tzinfo) -> Description:
    """Say how care moves."""
    match event:
        case Enrolled(program=program, level=level, start=start, track=track):
            return said(
                f"Enrolled in {program}", f"level {level}", f"from {on_day(start)}", after("track", track)
            )
        case OrientationCompleted():
            return said("Orientation completed")
        case LevelOfCareStarted(level=level, edition=edition, at=at):
            return said(f"Level of care {level} started", f"ASAM edition {edition}", f"on {when(at, zone)}")
        case SteppedUp(from_level=start, to_level=to, at=at, reason=reason):
            return said(f"Stepped up from {start} to {to}", f"on {when(at, zone)}", reason)
        case SteppedDown() | StepDownPending() | StepDownReversed():
            return _step_down(event, zone)
        case _:
            return _episode(event, zone)


def _step_down(event: SteppedDown | StepDownPending | StepDownReversed, zone: tzinfo) -> Description:
    match event:
        case StepDownReversed(cause="parted"):
            return corrected("Step-down reversed", "the discharge behind it is in another person's record")
        case StepDownReversed(cause=cause, visit_number=visit):
            of = f" of visit {visit}" if visit else ""
            return corrected(
                "Step-down reversed",
                f"the discharge{of} behind it was cancelled ({cause}): it does not count",
            )
        case SteppedDown(discharge=None, from_level=start, to_level=to, at=at):
            return said(f"Stepped down from {start} to {to}", f"on {when(at, zone)}")
        case SteppedDown(from_level=start, to_level=to):
            title = f"Stepped down from {start} to {to}"
            return said(title, *_after_discharge(event, zone))
        case StepDownPending():
            title = "Step-down pending: no episode is open"
            return said(title, *_after_discharge(event, zone))


def _after_discharge(event: SteppedDown | StepDownPending, zone: tzinfo) -> tuple[str | None, ...]:
    visit = "emergency visit" if event.emergency else "discharge"
    place = f"after the {visit} from {event.from_organisation or 'a hospital'}"
    return (
        place + (f" on {when(event.discharged, zone)}" if event.discharged else ""),
        after("disposition", event.disposition),
        after("principal diagnosis", in_words(event.principal_diagnosis)),
    )


def _episode(event: EventData, zone: tzinfo) -> Description:
    match event:
        case EpisodeOpened(program=program, start=start, track=track):
            return said(f"Episode opened in {program}", f"from {on_day(start)}", after("track", track))
        case EpisodePaused(reason=reason):
            return said("Episode on hold", reason)
        case EpisodeResumed():
            return said("Episode resumed")
        case EpisodeCompleted(on=on):
            return said("Episode completed", f"on {on_day(on)}")
        case EpisodeEndedEarly(on=on, reason=reason):
            return said(f"Episode ended early: {reason}", f"on {on_day(on)}")
        case CareClosedOnDeath(died=died):
            return said("Care closed: the participant died", died and f"on {when(died, zone)}")
        case _:
            raise TypeError(type(event))
