"""A referral, from its receipt to the outcome told to whoever sent it, and what of it reached them.

What may move it is in `transitions`. A command that would make happen again exactly what last moved the
referral is the same command repeated and changes nothing: so a second interim note needs another text.
"""

from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from services.intake.deciders import appointment, receipt
from services.intake.deciders.appointment import Appointment
from services.intake.deciders.transitions import TERMINAL, Action, Status, not_allowed, wrong_party
from shared.commands.decision import Decider, Decision, Refused, refused
from shared.commands.intake import (
    AcceptReferral,
    AmendReferral,
    CancelIntakeAppointment,
    ConfirmReferralCancellation,
    DeclineReferral,
    ReceiveInformation,
    ReceiveReferral,
    RecordIntakeAttendance,
    RecordIntakeNoShow,
    RecordStatusDelivery,
    ReferralCommand,
    RefuseReferralCancellation,
    RemoveFromWaitlist,
    RequestInformation,
    RequestReferralCancellation,
    RescheduleIntakeAppointment,
    ScheduleIntakeAppointment,
    SendInterimNote,
    SendReferralOutcome,
    WaitlistReferral,
)
from shared.events.base import EventData, MessageReference
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
    ReferralInterimNoteSent,
    ReferralOutcomeSent,
    ReferralReceived,
    ReferralStatusDelivered,
    Waitlisted,
    WaitlistRemoved,
)


class State(Struct, frozen=True, kw_only=True):
    """Where the referral is, and what is asked of us in it."""

    status: Status = "draft"
    left: tuple[Status, ...] = ()  # what an answer of the other party leads back to, the latest last
    asked: ReferralReceived | None = None  # as amended
    appointment: Appointment | None = None
    last: EventData | None = None  # what last moved it
    told: frozenset[tuple[str, str]] = frozenset()  # what messages told already: (what, inbound id)
    delivered: frozenset[tuple[UUID, str]] = frozenset()  # what arrived: (id of the message, way)


_LEADS_TO: dict[type[EventData], Status] = {
    ReferralReceived: "received",
    ReferralAccepted: "accepted",
    ReferralDeclined: "rejected",
    ReferralCancellationConfirmed: "cancelled",
    ReferralCompleted: "completed",
    IntakeAppointmentRescheduled: "scheduled",
    IntakeAppointmentCancelled: "appointment-cancelled",
    IntakeAppointmentMissed: "no-show",
    Waitlisted: "waitlisted",
    WaitlistRemoved: "accepted",
}


def evolve(state: State, event: EventData) -> State:
    """Move the referral by what happened to it."""
    match event:
        case ReferralReceived(message=message):
            return replace(state, status="received", asked=event, told=state.told | {_key("send", message)})
        case ReferralDuplicateDetected(message=message):
            return replace(state, told=state.told | {_key("send", message)})
        case ReferralAmended(message=message) if state.asked is not None:
            asked = receipt.as_amended(state.asked, event)
            return replace(state, asked=asked, told=state.told | {_key("amend", message)})
        case ReferralCompleted():  # follows the outcome, which a repeated command is known by
            return replace(state, status="completed")
        case ReferralStatusDelivered(because=because, way=way):
            return replace(state, delivered=state.delivered | {(because, way)})
        case _:
            return replace(_moved(state, event), last=_bare(event))


def _moved(state: State, event: EventData) -> State:
    match event:
        case ReferralCancellationRequested(message=message):
            told = state.told | {_key("request-cancel", message)}
            return replace(_set_aside(state, "cancel-requested"), told=told)
        case InformationRequested():
            return _set_aside(state, "awaiting-information")
        case ReferralCancellationRefused() | InformationReceived():
            return _taken_up_again(state)
        case ReferralInterimNoteSent(ongoing=ongoing):
            return replace(state, status="active" if ongoing else "visit-completed")
        case IntakeAppointmentScheduled(ongoing=ongoing):
            status: Status = "active" if ongoing else "scheduled"
        case _:
            status = _LEADS_TO.get(type(event), state.status)
    return replace(state, status=status, appointment=appointment.evolve(state.appointment, event))


def _set_aside(state: State, status: Status) -> State:
    return replace(state, status=status, left=(*state.left, state.status))


def _taken_up_again(state: State) -> State:
    if not state.left:
        return state
    return replace(state, status=state.left[-1], left=state.left[:-1])


def _key(what: str, message: MessageReference | None) -> tuple[str, str]:
    return (what, "" if message is None else message.inbound_id)


def _bare(event: EventData) -> EventData:
    """Return the fact without which message told it: told twice, it is the same."""
    is_told = isinstance(event, ReferralCancellationRequested | InformationReceived)
    return replace(event, message=None) if is_told else event


_ACTIONS: dict[type[ReferralCommand], Action] = {
    ReceiveReferral: "send",
    AcceptReferral: "accept",
    DeclineReferral: "decline",
    RequestReferralCancellation: "request-cancel",
    ConfirmReferralCancellation: "confirm-cancel",
    ScheduleIntakeAppointment: "schedule",
    RescheduleIntakeAppointment: "reschedule",
    RecordIntakeNoShow: "no-show",
    CancelIntakeAppointment: "cancel-appointment",
    SendInterimNote: "interim-note",
    SendReferralOutcome: "outcome",
    RequestInformation: "request-information",
    ReceiveInformation: "receive-information",
    WaitlistReferral: "waitlist",
    RemoveFromWaitlist: "remove-from-waitlist",
    RefuseReferralCancellation: "refuse-cancel",
    RecordIntakeAttendance: "attend",
    AmendReferral: "amend",
}


def decide(command: ReferralCommand, state: State) -> Decision:
    """Do what the table allows the asking party in the present status, once."""
    if isinstance(command, RecordStatusDelivery):
        return _delivery(command, state)
    action = _ACTIONS.get(type(command))
    if action is None:
        return refused("command-unknown", "A referral cannot be asked that.")
    return wrong_party(command.party, action) or _decided(command, action, state)


def _delivery(command: RecordStatusDelivery, state: State) -> Decision:
    """Record that it arrived, in whichever status: the news was sent before, and moves nothing."""
    if state.asked is None:
        return refused("referral-unknown", "No such referral was received.", "referral")
    if (command.because, command.way) in state.delivered:
        return []
    return [
        ReferralStatusDelivered(
            referral=command.referral,
            because=command.because,
            status=command.status,
            to=command.to,
            way=command.way,
            answer=command.answer,
        )
    ]


def _decided(command: ReferralCommand, action: Action, state: State) -> Decision:
    match command, state.asked:
        case ReceiveReferral(), None:
            return [receipt.first(command)]
        case _, None:
            return refused("referral-unknown", "No such referral was received.", "referral")
        case ReceiveReferral(message=message), asked:
            return [] if _key(action, message) in state.told else receipt.again(command, asked)
        case ((AmendReferral() | RequestReferralCancellation() | ReceiveInformation()), asked) if (
            _is_of_another_sender(command.message, asked)
        ):
            return _OF_ANOTHER_SENDER
        case AmendReferral(), asked:
            return _amendment(command, asked, state)
        case _:
            return _transition(command, action, state)


def _is_of_another_sender(message: MessageReference | None, asked: ReferralReceived) -> bool:
    """Tell whether a message asks what only the referral's initiator may: whoever sent it (BSeR, 360X)."""
    if message is None or asked.message is None:
        return False
    return message.source != asked.message.source


_OF_ANOTHER_SENDER = refused(
    "other-sender", "Another sender sent this referral; only that one may amend, cancel or add to it."
)


def _amendment(command: AmendReferral, asked: ReferralReceived, state: State) -> Decision:
    if command.message is not None and _key("amend", command.message) in state.told:
        return []
    if state.status in TERMINAL:
        return refused("referral-closed", f"The referral is {state.status}: it cannot be amended any more.")
    return receipt.amendment(command, asked)


def _transition(command: ReferralCommand, action: Action, state: State) -> Decision:
    fact = _fact(command, state)
    if _is_repeated(fact, state):
        return []
    ongoing = isinstance(command, ScheduleIntakeAppointment | SendInterimNote) and command.ongoing
    no = not_allowed(command.party, action, state.status, ongoing=ongoing)
    if no is not None:
        return no
    return fact if isinstance(fact, Refused) else [fact, *_consequences(fact)]


def _consequences(fact: EventData) -> list[EventData]:
    return [ReferralCompleted(referral=fact.referral)] if isinstance(fact, ReferralOutcomeSent) else []


def _is_repeated(fact: EventData | Refused, state: State) -> bool:
    match fact:
        case Refused():
            return False
        case IntakeAppointmentAttended():
            return state.appointment is not None and state.appointment.attended
        case ReferralCancellationRequested(message=MessageReference() as message):
            return _key("request-cancel", message) in state.told or _bare(fact) == state.last
        case _:
            return _bare(fact) == state.last


def _fact(command: ReferralCommand, state: State) -> EventData | Refused:
    """Return what would happen were the table to allow it."""
    referral = command.referral
    match command:
        case AcceptReferral(owner=owner, expected_by=expected_by):
            return ReferralAccepted(referral=referral, owner=owner, expected_by=expected_by)
        case DeclineReferral(reason_code=reason_code, alternative=alternative):
            return ReferralDeclined(referral=referral, reason_code=reason_code, alternative=alternative)
        case RequestInformation(what=what, by_when=by_when):
            return InformationRequested(referral=referral, what=what, by_when=by_when)
        case ReceiveInformation(what=what, message=message):
            return InformationReceived(referral=referral, what=what, message=message)
        case RequestReferralCancellation(reason=reason, message=message):
            return ReferralCancellationRequested(referral=referral, reason=reason, message=message)
        case ConfirmReferralCancellation():
            return ReferralCancellationConfirmed(referral=referral)
        case RefuseReferralCancellation(reason=reason):
            return ReferralCancellationRefused(referral=referral, reason=reason)
        case ScheduleIntakeAppointment():
            return appointment.scheduled(command)
        case (
            RescheduleIntakeAppointment()
            | CancelIntakeAppointment()
            | RecordIntakeNoShow()
            | RecordIntakeAttendance()
        ):
            return appointment.changed(command, state.appointment)
        case SendInterimNote(note=note, ongoing=ongoing):
            return ReferralInterimNoteSent(referral=referral, note=note, ongoing=ongoing)
        case SendReferralOutcome(outcome=outcome, report=report):
            return ReferralOutcomeSent(referral=referral, outcome=outcome, report=report)
        case WaitlistReferral(program=program, track=track, reason=reason):
            return Waitlisted(referral=referral, program=program, track=track, reason=reason)
        case RemoveFromWaitlist(reason=reason):
            return WaitlistRemoved(referral=referral, reason=reason)
        case _:
            return refused("command-unknown", "A referral cannot be asked that.")


DECIDER = Decider(category="referral", initial=State(), evolve=evolve, decide=decide)
