"""Follow-ups owed, each with its window and what became of it. Overdue is never stored."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Literal, cast
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from services.timeline.read_models.ddl import ddl_beside
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
    OutreachExhausted,
)
from shared.events.envelope import Recorded
from shared.projections.projection import Projection, Rows

Status = Literal[
    "planned",
    "scheduled",
    "missed",
    "outreach",
    "exhausted",
    "escalated",
    "attended",
    "reached",
    "cancelled",
    "superseded",
    "closed",
]

_OWED: frozenset[Status] = frozenset({"planned", "scheduled", "missed", "outreach", "exhausted", "escalated"})


class FollowUp(Struct, frozen=True, kw_only=True, gc=False):
    """One owed contact: between the two days, both included."""

    follow_up: UUID
    participant: UUID
    kind: str
    provider_type: str
    status: Status
    status_before: Status | None = None  # of a superseded one, should it be owed again
    index_discharge: date
    discharge: UUID | None = None
    visit_number: str | None = None
    window_opens: date
    due: date
    appointment: str | None = None  # as told: a day or an instant
    attempts: int = 0
    last_channel: str | None = None
    last_result: str | None = None
    kept_on: date | None = None
    kept_by_session: UUID | None = None
    within_window: bool | None = None
    superseded_cause: str | None = None
    escalated_to: str | None = None
    reason: str | None = None
    changed_at: datetime
    k: int
    seq: int

    @property
    def is_owed(self) -> bool:
        """Tell whether somebody still has to do something."""
        return self.status in _OWED


_OfOne = (
    AftercareRescheduled
    | AftercareAttended
    | AftercareMissed
    | AftercareCancelled
    | FollowUpSuperseded
    | FollowUpReinstated
    | OutreachAttempted
    | OutreachExhausted
    | FollowUpEscalated
)

_HANDLES = (
    AftercareScheduled,
    AftercareRescheduled,
    AftercareAttended,
    AftercareMissed,
    AftercareCancelled,
    AftercareClosed,
    FollowUpSuperseded,
    FollowUpReinstated,
    OutreachAttempted,
    OutreachExhausted,
    FollowUpEscalated,
)


def follow_up() -> Projection[FollowUp]:
    """Return the projection."""
    return Projection(
        name="follow_up",
        version=1,
        row=FollowUp,
        key=("follow_up",),
        ddl=ddl_beside(__file__),
        handles=frozenset(_HANDLES),
        apply=_apply,
    )


def _apply(rows: Rows[FollowUp], at: Recorded) -> None:
    match at.event.data:
        case AftercareScheduled() as event:
            changed: Iterable[FollowUp] = (_scheduled(event, at),)
        case AftercareClosed(reason=reason):
            changed = [replace(row, status="closed", reason=reason) for row in rows.all() if row.is_owed]
        case event:
            one = cast("_OfOne", event)
            held = rows.get(one.follow_up)
            changed = () if held is None else (_evolve(held, one),)
    for row in changed:
        rows.put(replace(row, changed_at=at.event.time, k=at.position.partition, seq=at.position.sequence))


def closed_on_death(row: FollowUp) -> FollowUp:
    """Return it as one that nobody owes any more: the participant's death was told."""
    return replace(row, status="closed", reason="died") if row.is_owed else row


def _scheduled(event: AftercareScheduled, at: Recorded) -> FollowUp:
    return FollowUp(
        follow_up=event.follow_up,
        participant=at.event.subject,
        kind=event.kind,
        provider_type=event.provider_type,
        status="planned" if event.appointment is None else "scheduled",
        index_discharge=event.index_discharge,
        discharge=event.discharge,
        visit_number=event.visit_number,
        window_opens=event.window_opens,
        due=event.due,
        appointment=event.appointment,
        changed_at=at.event.time,
        k=at.position.partition,
        seq=at.position.sequence,
    )


def _evolve(row: FollowUp, event: _OfOne) -> FollowUp:
    match event:
        case AftercareRescheduled(appointment=appointment):
            return replace(row, status="scheduled", appointment=appointment)
        case AftercareAttended(on=on, within_window=within, session=session):
            return replace(row, status="attended", kept_on=on, within_window=within, kept_by_session=session)
        case AftercareMissed(cause=cause):
            appointment = None if cause == "window-closed" else row.appointment
            return replace(row, status="missed", appointment=appointment, reason=cause)
        case AftercareCancelled(reason=reason):
            return replace(row, status="cancelled", reason=reason)
        case FollowUpSuperseded(cause=cause):
            before = row.status if row.is_owed else row.status_before
            return replace(row, status="superseded", status_before=before, superseded_cause=cause)
        case FollowUpReinstated():
            before = row.status_before or "planned"
            return replace(row, status=before, status_before=None, superseded_cause=None)
        case OutreachAttempted():
            return _outreach(row, event)
        case OutreachExhausted(attempts=attempts):
            return replace(row, status="exhausted", attempts=attempts)
        case FollowUpEscalated(to=to):
            return replace(row, status="escalated", escalated_to=to)


def _outreach(row: FollowUp, event: OutreachAttempted) -> FollowUp:
    status: Status = "reached" if event.result == "reached" else "outreach"
    told = replace(row, status=status, attempts=event.attempt)
    return replace(told, last_channel=event.channel, last_result=event.result)
