"""Follow-ups, until each is kept, reached or no longer owed."""

from datetime import tzinfo
from typing import Final

from services.timeline.read_models.sentences.description import (
    Description,
    after,
    corrected,
    on_day,
    said,
    when,
)
from shared.events.aftercare import (
    AftercareAttended,
    AftercareCancelled,
    AftercareClosed,
    AftercareMissed,
    AftercarePlanned,
    AftercareRescheduled,
    AftercareScheduled,
    FollowUpEscalated,
    FollowUpReinstated,
    FollowUpSuperseded,
    OutreachAttempted,
    OutreachExhausted,
)
from shared.events.base import EventData

HANDLES = (
    AftercarePlanned,
    AftercareScheduled,
    AftercareRescheduled,
    AftercareAttended,
    AftercareMissed,
    AftercareCancelled,
    FollowUpSuperseded,
    FollowUpReinstated,
    OutreachAttempted,
    OutreachExhausted,
    FollowUpEscalated,
    AftercareClosed,
)

_KINDS: Final = {
    "follow-up-7-day": "7-day follow-up",
    "follow-up-30-day": "30-day follow-up",
    "check-in": "Check-in",
}
_CAUSES: Final = {
    "discharge-cancelled": "the discharge it followed was cancelled, or is another person's",
    "readmission": "the participant was admitted again: only the last discharge counts",
    "later-discharge": "a later discharge counts instead",
}


def describe(event: EventData, zone: tzinfo) -> Description:
    """Say what is owed, and what became of it."""
    match event:
        case AftercarePlanned(needs=needs):
            return said("Aftercare planned", "; ".join(needs))
        case AftercareScheduled():
            return _scheduled(event, zone)
        case AftercareRescheduled(appointment=appointment):
            return said("Follow-up booked", f"for {when(appointment, zone)}")
        case AftercareAttended(on=on, within_window=within, session=session):
            return said(
                "Follow-up kept",
                f"on {on_day(on)}",
                "within its window" if within else "after its window",
                None if session is None else "by a session of the program",
            )
        case AftercareMissed(cause=cause):
            no_show = cause == "no-show"
            return said("Follow-up missed", "the person did not come" if no_show else "its window has closed")
        case _:
            return _outreach(event) or _no_longer_owed(event)


def _scheduled(event: AftercareScheduled, zone: tzinfo) -> Description:
    origin = "discharge" if event.discharge else "end of care"
    return said(
        f"{_KINDS[event.kind]} owed",
        f"between {on_day(event.window_opens)} and {on_day(event.due)}",
        f"after the {origin} of {on_day(event.index_discharge)}",
        f"with {event.provider_type}",
        after("booked for", event.appointment and when(event.appointment, zone)),
        due=event.due,
    )


def _outreach(event: EventData) -> Description | None:
    match event:
        case OutreachAttempted(attempt=attempt, channel=channel, on=on, result=result):
            return said(f"Outreach {attempt} by {channel}: {result}", f"on {on_day(on)}")
        case OutreachExhausted(attempts=attempts):
            return said("Outreach exhausted", f"nobody was reached in {attempts} attempts")
        case FollowUpEscalated(to=to):
            return said("Follow-up escalated", f"to {to}")
        case _:
            return None


def _no_longer_owed(event: EventData) -> Description:
    match event:
        case AftercareCancelled(reason=reason):
            return corrected("Follow-up cancelled", reason)
        case FollowUpSuperseded(cause=cause):
            return corrected("Follow-up no longer owed", _CAUSES[cause])
        case FollowUpReinstated():
            return corrected("Follow-up owed again", "the readmission that superseded it was cancelled")
        case AftercareClosed(reason=reason):
            return said(f"Aftercare closed: {reason}", "no follow-up is owed any more")
        case _:
            raise TypeError(type(event))
