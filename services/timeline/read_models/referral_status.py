"""Where each referral is: the harmonised state table's statuses and our extensions."""

from datetime import date, datetime
from typing import Literal, cast
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from services.timeline.read_models.ddl import ddl_beside
from shared.events.base import Coding, EventData
from shared.events.envelope import Recorded
from shared.events.referral import (
    InformationReceived,
    InformationRequested,
    IntakeAppointmentAttended,
    IntakeAppointmentCancelled,
    IntakeAppointmentMissed,
    IntakeAppointmentRescheduled,
    IntakeAppointmentScheduled,
    ReferralAccepted,
    ReferralAmended,
    ReferralCancellationConfirmed,
    ReferralCancellationRefused,
    ReferralCancellationRequested,
    ReferralCompleted,
    ReferralDeclined,
    ReferralDuplicateDetected,
    ReferralEvent,
    ReferralInterimNoteSent,
    ReferralOutcomeSent,
    ReferralReceived,
    ReferralStatusDelivered,
    Waitlisted,
    WaitlistRemoved,
)
from shared.events.registry import REGISTRY
from shared.projections.projection import Projection, Rows

Status = Literal[
    "received",
    "accepted",
    "rejected",
    "scheduled",
    "no-show",
    "appointment-cancelled",
    "visit-completed",
    "active",
    "cancel-requested",
    "cancelled",
    "completed",
    "awaiting-information",  # extension
    "waitlisted",  # extension
]


class ReferralStatus(Struct, frozen=True, kw_only=True, gc=False):
    """A referral as it stands; times are when things happened in the world."""

    referral: UUID
    participant: UUID
    status: Status = "received"
    left_for: tuple[str, ...] = ()  # what an answer of the other party leads back to, the latest last
    placer_assigner: str | None = None
    placer_value: str | None = None
    source: str | None = None  # hospital, community, self
    sender: str | None = None  # the token of whoever sent the message
    priority: str = "routine"
    referrer: str | None = None
    organisation: str | None = None
    service: str | None = None
    reasons: tuple[str, ...] = ()  # codes with their text
    owner: str | None = None
    expected_by: date | None = None
    received_at: datetime | None = None
    accepted_at: datetime | None = None
    closed_at: datetime | None = None
    appointment: UUID | None = None
    appointment_start: datetime | None = None
    appointment_attended: bool = False
    asked_for: str | None = None  # what information we wait for
    asked_by: date | None = None
    duplicates: int = 0
    reason: str | None = None  # of the last change
    changed_at: datetime
    k: int
    seq: int


_LEADS_TO: dict[type[EventData], Status] = {
    ReferralReceived: "received",
    ReferralAccepted: "accepted",
    ReferralDeclined: "rejected",
    ReferralCancellationConfirmed: "cancelled",
    ReferralCompleted: "completed",
    IntakeAppointmentScheduled: "scheduled",
    IntakeAppointmentRescheduled: "scheduled",
    IntakeAppointmentCancelled: "appointment-cancelled",
    IntakeAppointmentMissed: "no-show",
    ReferralInterimNoteSent: "visit-completed",
    Waitlisted: "waitlisted",
    WaitlistRemoved: "accepted",
}
"""Where an event leads whatever the status before; what is ongoing leads to active."""

_CLOSED = frozenset({"rejected", "cancelled", "completed"})


def referral_status() -> Projection[ReferralStatus]:
    """Return the projection."""
    return Projection(
        name="referral_status",
        version=1,
        row=ReferralStatus,
        key=("referral",),
        ddl=ddl_beside(__file__),
        handles=frozenset(
            next(category.types for category in REGISTRY.categories if category.name == "referral")
        )
        - {ReferralStatusDelivered},  # what its sender was told does not change a referral
        apply=_apply,
    )


def _apply(rows: Rows[ReferralStatus], at: Recorded) -> None:
    event = cast("ReferralEvent", at.event.data)
    place = {"changed_at": at.event.time, "k": at.position.partition, "seq": at.position.sequence}
    held = rows.get(event.referral)
    if held is None:
        held = ReferralStatus(
            referral=event.referral,
            participant=at.event.subject,
            changed_at=at.event.time,
            k=at.position.partition,
            seq=at.position.sequence,
        )
    moved = _evolve(held, event, at.event.time)
    if moved.status in _CLOSED and moved.closed_at is None:
        moved = replace(moved, closed_at=at.event.time)
    rows.put(replace(moved, **place))


def _evolve(row: ReferralStatus, event: ReferralEvent, time: datetime) -> ReferralStatus:
    match event:
        case ReferralReceived() | ReferralAmended() | ReferralDuplicateDetected():
            return _asked(row, event, time)
        case ReferralCancellationRequested(reason=reason):
            return replace(_set_aside(row, "cancel-requested"), reason=reason)
        case InformationRequested(what=what, by_when=by_when):
            return replace(_set_aside(row, "awaiting-information"), asked_for=what, asked_by=by_when)
        case InformationReceived():
            return replace(_taken_up_again(row), asked_for=None, asked_by=None)
        case ReferralCancellationRefused(reason=reason):
            return replace(_taken_up_again(row), reason=reason)
        case _:
            return _moved(row, event, time)


def _asked(
    row: ReferralStatus, event: ReferralReceived | ReferralAmended | ReferralDuplicateDetected, time: datetime
) -> ReferralStatus:
    match event:
        case ReferralReceived():
            return _received(row, event, time)
        case ReferralAmended():
            return _amended(row, event)
        case ReferralDuplicateDetected():
            return replace(row, duplicates=row.duplicates + 1)


def _received(row: ReferralStatus, event: ReferralReceived, time: datetime) -> ReferralStatus:
    return replace(
        row,
        status="received",
        placer_assigner=event.placer.assigner,
        placer_value=event.placer.value,
        source=event.source,
        sender=event.message and event.message.source,
        priority=event.priority,
        referrer=event.referrer.name,
        organisation=event.referrer.organisation,
        service=event.service_requested and _in_words(event.service_requested),
        reasons=tuple(map(_in_words, event.reasons)),
        received_at=time,
    )


def _amended(row: ReferralStatus, event: ReferralAmended) -> ReferralStatus:
    referrer = event.referrer
    return replace(
        row,
        priority=event.priority or row.priority,
        referrer=row.referrer if referrer is None else referrer.name,
        organisation=row.organisation if referrer is None else referrer.organisation,
        service=row.service if event.service_requested is None else _in_words(event.service_requested),
        reasons=row.reasons if event.reasons is None else tuple(map(_in_words, event.reasons)),
    )


def _moved(row: ReferralStatus, event: ReferralEvent, time: datetime) -> ReferralStatus:
    row = replace(row, status=_LEADS_TO.get(type(event), row.status))
    match event:
        case ReferralAccepted(owner=owner, expected_by=expected_by):
            return replace(row, owner=owner, expected_by=expected_by, accepted_at=time)
        case ReferralDeclined(reason_code=reason):
            return replace(row, reason=reason)
        case ReferralOutcomeSent(outcome=outcome):
            return replace(row, reason=outcome)
        case ReferralInterimNoteSent(ongoing=True):
            return replace(row, status="active")
        case Waitlisted(reason=reason) | WaitlistRemoved(reason=reason):
            return replace(row, reason=reason)
        case _:
            return _appointed(row, event)


def _appointed(row: ReferralStatus, event: ReferralEvent) -> ReferralStatus:
    match event:
        case IntakeAppointmentScheduled(ongoing=ongoing):
            status: Status = "active" if ongoing else "scheduled"
            row = replace(row, status=status, appointment=event.appointment, appointment_start=event.start)
            return replace(row, appointment_attended=False, reason=None)
        case IntakeAppointmentRescheduled(start=start):
            return replace(row, appointment_start=start, appointment_attended=False)
        case IntakeAppointmentCancelled(reason=reason):
            return replace(row, appointment=None, appointment_start=None, reason=reason)
        case IntakeAppointmentAttended():
            return replace(row, appointment_attended=True)
        case _:
            return row


def _set_aside(row: ReferralStatus, status: Status) -> ReferralStatus:
    return replace(row, status=status, left_for=(*row.left_for, row.status))


def _taken_up_again(row: ReferralStatus) -> ReferralStatus:
    if not row.left_for:
        return row
    return replace(row, status=row.left_for[-1], left_for=row.left_for[:-1])


def _in_words(coding: Coding) -> str:
    return f"{coding.code} {coding.display}" if coding.display else coding.code
