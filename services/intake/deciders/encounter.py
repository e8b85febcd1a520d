"""What hospitals tell of a participant's stays and appointments, matched by sender and their own number.

A notice is never refused. The same message again, or one that tells nothing new of the visit, gives nothing.
"""

from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from services.intake.deciders import admission, discharge
from services.intake.deciders.visit import Ledger, Reversal, Visit, visit
from shared.commands.decision import Decision, Refused
from shared.commands.intake import (
    CancelAdmission,
    CancelDischarge,
    NotifyAdmission,
    NotifyAppointment,
    NotifyDeath,
    NotifyDischarge,
    NotifyTransfer,
)
from shared.events.base import EventData, MessageReference
from shared.events.encounter import (
    AdmissionCancelled,
    AppointmentNotified,
    DeathNotified,
    DischargeCancelled,
    DischargeNotified,
    InpatientAdmissionNotified,
    ReversalUnmatched,
    TransferNotified,
)

Notice = (
    NotifyAdmission
    | NotifyTransfer
    | NotifyDischarge
    | CancelAdmission
    | CancelDischarge
    | NotifyAppointment
    | NotifyDeath
)


class State(Struct, frozen=True, kw_only=True):
    """What was told of each visit and not taken back."""

    admissions: Ledger[InpatientAdmissionNotified] = Ledger[InpatientAdmissionNotified]()
    discharges: Ledger[DischargeNotified] = Ledger[DischargeNotified]()
    transfers: dict[Visit, TransferNotified] = {}  # the last of each visit
    appointments: dict[tuple[str, str], AppointmentNotified] = {}  # the last told of each
    died: bool = False
    told: frozenset[tuple[str, str]] = frozenset()  # what messages told already: (what, inbound id)


Stay = InpatientAdmissionNotified | DischargeNotified | AdmissionCancelled | DischargeCancelled


def told_also(event: EventData, records: tuple[UUID, ...]) -> EventData:
    """Say with a stay's event which other records are the person's."""
    is_news = isinstance(event, Stay) and event.also != records
    return replace(event, also=records) if is_news else event


def evolve(state: State, event: EventData) -> State:
    """Note what was told, and by which message; which records were the person's by then is no news of it."""
    return _noted(state, told_also(event, ()))


def _noted(state: State, event: EventData) -> State:
    match event:
        case InpatientAdmissionNotified(admission=id, message=message):
            noted = replace(state, admissions=state.admissions.noted(id, event))
            return _told(noted, "admission", message)
        case DischargeNotified(discharge=id, message=message):
            noted = replace(state, discharges=state.discharges.noted(id, event))
            return _told(noted, "discharge", message)
        case AdmissionCancelled(admission=id, message=message):
            noted = replace(state, admissions=state.admissions.cancelled(id, _reversal(event)))
            return _told(noted, "admission-reversal", message)
        case DischargeCancelled(discharge=id, message=message):
            noted = replace(state, discharges=state.discharges.cancelled(id, _reversal(event)))
            return _told(noted, "discharge-reversal", message)
        case ReversalUnmatched(of=of, message=message):
            return _told(_waits(state, event), f"{of}-reversal", message)
        case TransferNotified(message=message):
            key = visit(message, event.facility, event.visit_number)
            return _told(replace(state, transfers={**state.transfers, key: event}), "transfer", message)
        case AppointmentNotified(appointment=appointment, message=message):
            key = (appointment.assigner, appointment.value)
            noted = replace(state, appointments={**state.appointments, key: event})
            return _told(noted, "appointment", message)
        case DeathNotified():
            return replace(state, died=True)
        case _:
            return state


def _told(state: State, what: str, message: MessageReference | None) -> State:
    return state if message is None else replace(state, told=state.told | {(what, message.inbound_id)})


def _reversal(event: AdmissionCancelled | DischargeCancelled | ReversalUnmatched) -> Reversal:
    return Reversal(visit=visit(event.message, event.facility, event.visit_number), message=event.message)


def _waits(state: State, event: ReversalUnmatched) -> State:
    if event.of == "admission":
        return replace(state, admissions=state.admissions.waits(_reversal(event)))
    return replace(state, discharges=state.discharges.waits(_reversal(event)))


_WHAT: dict[type[Notice], str] = {
    NotifyAdmission: "admission",
    NotifyTransfer: "transfer",
    NotifyDischarge: "discharge",
    CancelAdmission: "admission-reversal",
    CancelDischarge: "discharge-reversal",
    NotifyAppointment: "appointment",
    NotifyDeath: "death",
}


def decide(command: Notice, state: State) -> Decision:
    """Record what is news; refuse nothing."""
    if _is_told(command, state):
        return []
    match command:
        case NotifyAdmission():
            return _with_its_discharge(admission.notified(command, state.admissions), state)
        case NotifyDischarge():
            return discharge.notified(command, state.discharges)
        case CancelAdmission():
            return _with_its_discharge(admission.cancelled(command, state.admissions), state)
        case CancelDischarge():
            return discharge.cancelled(command, state.discharges)
        case NotifyTransfer():
            return _transferred(command, state)
        case NotifyAppointment():
            return _appointed(command, state)
        case NotifyDeath(facility=facility, died=died, message=message):
            return [] if state.died else [DeathNotified(facility=facility, died=died, message=message)]


def _with_its_discharge(decision: Decision, state: State) -> Decision:
    """Take back with an admission the discharge that its visit came to: a stay that was not had no end."""
    if isinstance(decision, Refused):
        return decision
    return [event for told in decision for event in (*_its_discharge(told, state), told)]


def _its_discharge(told: EventData, state: State) -> list[DischargeCancelled]:
    return discharge.of_no_stay(told, state.discharges) if isinstance(told, AdmissionCancelled) else []


def _transferred(command: NotifyTransfer, state: State) -> Decision:
    """A move tells where the person is now: only the same place as the last of the visit is no news."""
    moved = TransferNotified(
        facility=command.facility,
        visit_number=command.visit_number,
        location=command.location,
        encounter_class=command.encounter_class,
        message=command.message,
    )
    held = state.transfers.get(visit(command.message, command.facility, command.visit_number))
    return [] if held is not None and replace(moved, message=held.message) == held else [moved]


def _appointed(command: NotifyAppointment, state: State) -> Decision:
    """Record each step of an appointment once: the same as the last told of it is no news."""
    told = AppointmentNotified(
        appointment=command.appointment,
        status=command.status,
        start=command.start,
        end=command.end,
        reason=command.reason,
        location=command.location,
        message=command.message,
    )
    held = state.appointments.get((command.appointment.assigner, command.appointment.value))
    return [] if held is not None and replace(told, message=held.message) == held else [told]


def continues(command: Notice, state: State) -> bool:
    """Tell whether a notice goes on with what this record was told: of the same visit or appointment."""
    if _is_told(command, state):
        return True
    match command:
        case NotifyAdmission() | CancelAdmission():
            return _stands(command, state.admissions)
        case NotifyDischarge() | CancelDischarge():
            return _stands(command, state.discharges)
        case NotifyAppointment(appointment=appointment):
            return (appointment.assigner, appointment.value) in state.appointments
        case _:
            return False


def _is_told(command: Notice, state: State) -> bool:
    return command.message is not None and (_WHAT[type(command)], command.message.inbound_id) in state.told


def _stands(
    command: NotifyAdmission | CancelAdmission | NotifyDischarge | CancelDischarge,
    ledger: Ledger[InpatientAdmissionNotified] | Ledger[DischargeNotified],
) -> bool:
    of = visit(command.message, command.facility, command.visit_number)
    return of[1] is not None and any(True for _ in ledger.open_of(of))
