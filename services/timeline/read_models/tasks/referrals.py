"""What a referral asks of a coordinator, from triage to enrolment (domain.md, section 4)."""

from datetime import date, datetime
from uuid import UUID

from msgspec.structs import replace

from services.timeline.read_models.tasks.desk import Desk, Priority, Task
from shared.events.base import EventData
from shared.events.moment import moment
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
    ReferralInterimNoteSent,
    ReferralReceived,
    Waitlisted,
    WaitlistRemoved,
)
from shared.events.referral import Priority as ReferralPriority

HANDLES = (
    ReferralReceived,
    ReferralAmended,
    ReferralAccepted,
    ReferralDeclined,
    ReferralCompleted,
    InformationRequested,
    InformationReceived,
    ReferralCancellationRequested,
    ReferralCancellationConfirmed,
    ReferralCancellationRefused,
    IntakeAppointmentScheduled,
    IntakeAppointmentRescheduled,
    IntakeAppointmentCancelled,
    IntakeAppointmentMissed,
    IntakeAppointmentAttended,
    ReferralInterimNoteSent,
    Waitlisted,
    WaitlistRemoved,
)

_RANKS: dict[ReferralPriority, Priority] = {
    "stat": "stat",
    "urgent": "urgent",
    "asap": "urgent",
    "routine": "routine",
}


def apply(desk: Desk, event: EventData) -> None:
    """Open what the referral needs next, close what was done."""
    match event:
        case ReferralReceived():
            _triage(desk, event)
        case ReferralAmended(referral=id, priority=priority) if priority is not None:
            _retriage(desk, id, priority)
        case ReferralAccepted(referral=id, expected_by=expected_by, owner=owner):
            desk.close(f"triage:{id}")
            _schedule_intake(desk, id, f"Accepted by {owner}.", expected_by)
        case ReferralDeclined(referral=id) | ReferralCancellationConfirmed(referral=id):
            _close_all(desk, id)
            desk.close("enrolment")
        case ReferralCompleted(referral=id):
            _close_all(desk, id)
        case Waitlisted(referral=id, program=program, reason=reason):
            desk.close(f"intake:{id}")
            detail = f"Waiting for a place in {program}" + (f": {reason}" if reason else "")
            desk.open(f"waitlist:{id}", "waitlisted", "Offer a place", due=None, detail=detail, about=(id,))
        case WaitlistRemoved(referral=id):
            desk.close(f"waitlist:{id}")
            _schedule_intake(desk, id, "Off the waiting list.")
        case _:
            _answered(desk, event)


def _answered(desk: Desk, event: EventData) -> None:
    """What waits for the other party holds back everything else about the referral."""
    match event:
        case InformationRequested(referral=id, what=what, by_when=by_when):
            task = f"information:{id}"
            desk.hold(desk.about(id), task)
            desk.open(task, "information", "Get the information", due=by_when, detail=what, about=(id,))
        case InformationReceived(referral=id):
            desk.close(f"information:{id}")
            desk.release(f"information:{id}")
        case ReferralCancellationRequested(referral=id, reason=reason):
            task, due = f"cancellation:{id}", desk.in_business_days(1)
            desk.hold(desk.about(id), task)
            title = "Confirm or refuse the cancellation"
            desk.open(task, "confirm-cancellation", title, due=due, detail=reason or "", about=(id,))
        case ReferralCancellationRefused(referral=id):
            desk.close(f"cancellation:{id}")
            desk.release(f"cancellation:{id}")
        case _:
            _appointed(desk, event)


def _appointed(desk: Desk, event: EventData) -> None:
    match event:
        case IntakeAppointmentScheduled(referral=id, ongoing=True):
            desk.close(f"intake:{id}")
        case IntakeAppointmentScheduled(referral=id) | IntakeAppointmentRescheduled(referral=id):
            _hold_intake(desk, id, event.appointment, event.start)
        case IntakeAppointmentCancelled(referral=id, reason=reason):
            _schedule_intake(desk, id, "Cancelled" + (f": {reason}" if reason else "."))
        case IntakeAppointmentMissed(referral=id):
            _schedule_intake(desk, id, "The person did not come.", desk.in_business_days(1))
        case IntakeAppointmentAttended(referral=id):
            title = "Recommend a level of care"
            desk.open(f"intake:{id}", "assess", title, due=desk.in_business_days(2), about=(id,))
        case ReferralInterimNoteSent(referral=id):
            desk.close(f"intake:{id}")
        case _:
            pass


def _triage(desk: Desk, event: ReferralReceived) -> None:
    sender = event.referrer.organisation or event.referrer.name or event.source
    asked = event.service_requested
    detail = f"From {sender}" + (f": {asked.display or asked.code}" if asked else "")
    desk.open(
        f"triage:{event.referral}",
        "triage",
        "Triage the referral",
        due=_triage_due(desk, event.priority, desk.today),
        detail=detail,
        priority=_RANKS[event.priority],
        about=(event.referral,),
    )


def _triage_due(desk: Desk, priority: ReferralPriority, received: date) -> date:
    """Stat within a day, urgent (and asap) within two, routine within two business days of its receipt."""
    match priority:
        case "stat":
            return date.fromordinal(received.toordinal() + 1)
        case "urgent" | "asap":
            return date.fromordinal(received.toordinal() + 2)
        case "routine":
            return desk.site.business_day_after(received, 2)


def _retriage(desk: Desk, referral: UUID, priority: ReferralPriority) -> None:
    row = desk.get(f"triage:{referral}")
    if row is not None:
        due = _triage_due(desk, priority, desk.site.today(row.opened_at))
        desk.rows.put(replace(row, priority=_RANKS[priority], due=due))


def _schedule_intake(desk: Desk, referral: UUID, detail: str, due: date | None = None) -> None:
    desk.open(
        f"intake:{referral}",
        "schedule-intake",
        "Schedule the intake appointment",
        due=due or desk.in_business_days(2),
        detail=detail,
        about=(referral,),
    )


def _hold_intake(desk: Desk, referral: UUID, appointment: UUID, start: datetime) -> None:
    desk.open(
        f"intake:{referral}",
        "intake-appointment",
        "Hold the intake appointment and record who came",
        due=desk.site.day_of(moment(start)),
        about=(referral, appointment),
    )


def _close_all(desk: Desk, referral: UUID) -> None:
    for row in desk.about(referral):
        desk.close(row.task)


def close_before_care(desk: Desk, referral: UUID | None) -> None:
    """Close what was to be done before enrolment: of one referral, or of all where none is named."""
    for row in list(desk.rows.all()):
        if _is_before_care(row) and (referral is None or str(referral) in row.about):
            desk.close(row.task)


def _is_before_care(row: Task) -> bool:
    return row.kind in ("schedule-intake", "intake-appointment", "assess", "waitlisted")
