"""What follow-ups ask of a coordinator: book, keep, reach out, escalate (domain.md, sections 3 and 4)."""

from datetime import date
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from services.timeline.read_models.tasks.desk import Desk, Kind, Priority
from shared.events.aftercare import (
    AftercareAttended,
    AftercareCancelled,
    AftercareClosed,
    AftercareMissed,
    AftercareRescheduled,
    AftercareScheduled,
    FollowUpEscalated,
    FollowUpReinstated,
    FollowUpSuperseded,
    OutreachAttempted,
)
from shared.events.base import EventData
from shared.events.moment import Moment

HANDLES = (
    AftercareScheduled,
    AftercareRescheduled,
    AftercareAttended,
    AftercareMissed,
    AftercareCancelled,
    AftercareClosed,
    FollowUpSuperseded,
    FollowUpReinstated,
    OutreachAttempted,
    FollowUpEscalated,
)

_REINSTATEMENT: Final = "reinstatement"
_IN_WORDS: Final = {
    "follow-up-7-day": "7-day follow-up",
    "follow-up-30-day": "30-day follow-up",
    "check-in": "Check-in",
}
_KINDS: Final[tuple[Kind, ...]] = (
    "book-follow-up",
    "follow-up-appointment",
    "outreach",
    "escalated-follow-up",
)


def apply(desk: Desk, event: EventData) -> None:
    """One task a follow-up at any time: what is to be done next."""
    match event:
        case AftercareScheduled():
            _scheduled(desk, event)
        case AftercareRescheduled(follow_up=id, appointment=appointment):
            _appointment(desk, id, appointment)
        case AftercareMissed(follow_up=id):
            _next(desk, id, "outreach", "Reach out after the missed follow-up", desk.in_business_days(1))
        case OutreachAttempted(follow_up=id, result="reached"):
            desk.close(_task(id))
        case OutreachAttempted(follow_up=id, attempt=attempt, on=on):
            title = f"Reach out again: attempt {attempt + 1}, on another day and channel"
            _next(desk, id, "outreach", title, desk.site.business_day_after(on, 1))
        case FollowUpEscalated(follow_up=id, to=to):
            title, due = f"Escalated to {to}: nobody could be reached", desk.in_business_days(1)
            _next(desk, id, "escalated-follow-up", title, due, "urgent")
        case _:
            _settled(desk, event)


def _settled(desk: Desk, event: EventData) -> None:
    match event:
        case AftercareAttended(follow_up=id) | AftercareCancelled(follow_up=id):
            desk.close(_task(id))
        case FollowUpSuperseded(follow_up=id, cause="readmission"):
            held = desk.get(_task(id))
            desk.hold([held] if held else [], _REINSTATEMENT)
        case FollowUpSuperseded(follow_up=id):
            desk.close(_task(id))
        case FollowUpReinstated(follow_up=id):
            held = desk.get(_task(id))
            if held is not None:
                desk.rows.put(replace(held, held_for=None))
        case AftercareClosed():
            desk.close_kinds(*_KINDS)
        case _:
            pass


def _task(follow_up: UUID) -> str:
    return f"follow-up:{follow_up}"


def _scheduled(desk: Desk, event: AftercareScheduled) -> None:
    origin = "the discharge" if event.discharge else "the end of care"
    detail = f"{_IN_WORDS[event.kind]} after {origin} of {event.index_discharge} ({event.provider_type})"
    id = event.follow_up
    title = "Book the follow-up"
    desk.open(_task(id), "book-follow-up", title, due=event.due, detail=detail, about=(id,))
    if event.appointment is not None:
        _appointment(desk, id, event.appointment)


def _appointment(desk: Desk, follow_up: UUID, appointment: Moment) -> None:
    day = desk.site.day_of(appointment)
    _next(desk, follow_up, "follow-up-appointment", "Record whether the follow-up was kept", day)


def _next(
    desk: Desk, follow_up: UUID, kind: Kind, title: str, due: date, priority: Priority = "routine"
) -> None:
    held = desk.get(_task(follow_up))
    detail = held.detail if held else ""
    desk.open(_task(follow_up), kind, title, due=due, detail=detail, priority=priority, about=(follow_up,))
