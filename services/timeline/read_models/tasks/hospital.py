"""What a hospital's messages ask of a coordinator."""

from services.timeline.read_models.care.encounters import sender_of
from services.timeline.read_models.tasks.desk import Desk
from shared.events.base import EventData
from shared.events.encounter import AdmissionCancelled, DischargeCancelled, ReversalUnmatched
from shared.events.episode import StepDownPending, StepDownReversed, SteppedDown

HANDLES = (
    StepDownPending,
    SteppedDown,
    StepDownReversed,
    ReversalUnmatched,
    AdmissionCancelled,
    DischargeCancelled,
)


def apply(desk: Desk, event: EventData) -> None:
    """A discharge into no episode, and a cancellation without its original, wait for a person."""
    match event:
        case StepDownPending():
            _pending(desk, event)
        case SteppedDown(discharge=id) | StepDownReversed(discharge=id):
            desk.close(f"step-down:{id}")
        case ReversalUnmatched():
            _unmatched(desk, event)
        case AdmissionCancelled():
            desk.close(_reversal("admission", event))
        case DischargeCancelled():
            desk.close(_reversal("discharge", event))
        case _:
            pass


def _pending(desk: Desk, event: StepDownPending) -> None:
    day = desk.site.day_of(event.discharged)
    desk.open(
        f"step-down:{event.discharge}",
        "step-down",
        "Take up the step-down: no episode is open",
        due=desk.in_business_days(1),
        detail=f"Discharged from {event.from_organisation or 'a hospital'} on {day}.",
        priority="urgent",
        about=(event.discharge,),
    )


def _unmatched(desk: Desk, event: ReversalUnmatched) -> None:
    visit = f"visit {event.visit_number}" if event.visit_number else "a visit without a number"
    desk.open(
        _reversal(event.of, event),
        "unmatched-reversal",
        f"Find the {event.of} that was cancelled",
        due=desk.in_business_days(1),
        detail=f"{event.facility} cancelled the {event.of} of {visit}, which it never told us of.",
    )


def _reversal(of: str, event: ReversalUnmatched | AdmissionCancelled | DischargeCancelled) -> str:
    return f"reversal:{of}:{sender_of(event)}:{event.visit_number or ''}"
