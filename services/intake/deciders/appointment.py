"""A referral's intake appointment: when it is, and what became of it."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from shared.commands.base import Command
from shared.commands.decision import Refused, refused
from shared.commands.intake import (
    CancelIntakeAppointment,
    RecordIntakeAttendance,
    RecordIntakeNoShow,
    RescheduleIntakeAppointment,
    ScheduleIntakeAppointment,
)
from shared.events.base import EventData
from shared.events.moment import before, moment
from shared.events.referral import (
    IntakeAppointmentAttended,
    IntakeAppointmentCancelled,
    IntakeAppointmentMissed,
    IntakeAppointmentRescheduled,
    IntakeAppointmentScheduled,
)


class Appointment(Struct, frozen=True, kw_only=True):
    """The last one made, at its last time."""

    id: UUID
    start: datetime
    attended: bool = False


Change = RescheduleIntakeAppointment | CancelIntakeAppointment | RecordIntakeNoShow | RecordIntakeAttendance


def evolve(appointment: Appointment | None, event: EventData) -> Appointment | None:
    """Keep the last time told, and whether the person came."""
    match event:
        case IntakeAppointmentScheduled() | IntakeAppointmentRescheduled():
            return Appointment(id=event.appointment, start=event.start)
        case IntakeAppointmentAttended() if appointment is not None:
            return replace(appointment, attended=True)
        case _:
            return appointment


def scheduled(command: ScheduleIntakeAppointment) -> EventData | Refused:
    """Make an appointment."""
    return _bad_times(command.start, command.end) or IntakeAppointmentScheduled(
        referral=command.referral,
        appointment=command.appointment,
        start=command.start,
        end=command.end,
        mode=command.mode,
        site=command.site,
        ongoing=command.ongoing,
    )


def changed(command: Change, appointment: Appointment | None) -> EventData | Refused:
    """Move it, cancel it, or say whether the person came: there must be one."""
    if appointment is None:
        return refused("no-appointment", "This referral has no appointment.")
    match command:
        case RescheduleIntakeAppointment():
            return _attended(appointment) or _rescheduled(command, appointment.id)
        case CancelIntakeAppointment(referral=referral, reason=reason):
            return IntakeAppointmentCancelled(referral=referral, appointment=appointment.id, reason=reason)
        case RecordIntakeNoShow(referral=referral):
            return (
                _attended(appointment)
                or _too_early(command, appointment, "missed-before-start", "missed")
                or IntakeAppointmentMissed(referral=referral, appointment=appointment.id)
            )
        case RecordIntakeAttendance(referral=referral):
            return _too_early(
                command, appointment, "attended-before-start", "attended"
            ) or IntakeAppointmentAttended(referral=referral, appointment=appointment.id)


def _rescheduled(command: RescheduleIntakeAppointment, appointment: UUID) -> EventData | Refused:
    return _bad_times(command.start, command.end) or IntakeAppointmentRescheduled(
        referral=command.referral,
        appointment=appointment,
        start=command.start,
        end=command.end,
        mode=command.mode,
        site=command.site,
    )


def _attended(appointment: Appointment) -> Refused | None:
    if not appointment.attended:
        return None
    return refused(
        "appointment-attended", "The person came to this appointment: it cannot be changed any more."
    )


def _bad_times(start: datetime, end: datetime) -> Refused | None:
    if start.tzinfo is None or end.tzinfo is None:
        return refused("time-zone-missing", "An appointment's times need their offset from UTC.", "start")
    if end <= start:
        return refused("ends-before-start", "The appointment must end after it starts.", "end")
    return None


def _too_early(command: Command, appointment: Appointment, code: str, what: str) -> Refused | None:
    if not before(command.at or moment(command.now), moment(appointment.start)):
        return None
    return refused(code, f"An appointment cannot be {what} before it starts.", "at")
