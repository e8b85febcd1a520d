"""One follow-up: owed within its window, until it is attended, reached by outreach, or no longer owed."""

from datetime import date
from enum import Enum
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from shared.commands.aftercare import (
    AttemptOutreach,
    BookFollowUp,
    CancelFollowUp,
    CloseFollowUpWindow,
    RecordFollowUpAttended,
    RecordFollowUpMissed,
)
from shared.commands.decision import Decision, Refused, refused
from shared.events.aftercare import (
    AftercareAttended,
    AftercareCancelled,
    AftercareMissed,
    AftercareRescheduled,
    AftercareScheduled,
    FollowUpEscalated,
    FollowUpReinstated,
    FollowUpSuperseded,
    OutreachAttempted,
    OutreachExhausted,
)
from shared.events.moment import Moment, before, moment


class Status(Enum):
    """Where a follow-up stands; overdue is derived from the dates, never stored."""

    PLANNED = "planned"
    SCHEDULED = "scheduled"  # has an appointment
    MISSED = "missed"  # outreach is owed
    ESCALATED = "escalated"  # outreach was in vain; somebody else takes it on
    ATTENDED = "attended"
    REACHED = "reached"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    CLOSED = "closed"


_OPEN = frozenset({Status.PLANNED, Status.SCHEDULED, Status.MISSED, Status.ESCALATED})


class FollowUp(Struct, frozen=True):
    """What is owed, and what has come of it."""

    owed: AftercareScheduled
    status: Status
    appointment: Moment | None = None
    attended: date | None = None
    cancelled: str | None = None
    attempts: tuple[OutreachAttempted, ...] = ()
    superseded: FollowUpSuperseded | None = None
    before_superseded: Status | None = None

    @property
    def is_open(self) -> bool:
        """Still owed, perhaps late."""
        return self.status in _OPEN

    @property
    def is_void(self) -> bool:
        """Its discharge did not happen."""
        return self.superseded is not None and self.superseded.cause == "discharge-cancelled"

    @property
    def can_be_reinstated(self) -> bool:
        """Superseded by a readmission, which may still be cancelled."""
        return self.superseded is not None and self.superseded.cause == "readmission"

    def spans(self, day: date) -> bool:
        """Tell whether the day is within the window."""
        return self.owed.window_opens <= day <= self.owed.due


Outcome = (
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


def is_after_emergency(event: AftercareScheduled) -> bool:
    """After an emergency visit, and only then, the index day itself counts."""
    return event.window_opens == event.index_discharge


def owed(event: AftercareScheduled) -> FollowUp:
    """A follow-up as it begins."""
    status = Status.PLANNED if event.appointment is None else Status.SCHEDULED
    return FollowUp(event, status, appointment=event.appointment)


def evolve(it: FollowUp, event: Outcome) -> FollowUp:
    """Move a follow-up by what has come of it."""
    match event:
        case AftercareRescheduled(appointment=appointment):
            return replace(it, status=Status.SCHEDULED, appointment=appointment)
        case AftercareAttended(on=on):
            return replace(it, status=Status.ATTENDED, attended=on)
        case AftercareMissed(cause="window-closed"):
            return replace(it, status=Status.MISSED, appointment=None)
        case AftercareMissed():
            return replace(it, status=Status.MISSED)
        case AftercareCancelled(reason=reason):
            return replace(it, status=Status.CANCELLED, cancelled=reason)
        case FollowUpSuperseded():
            return _superseded(it, event)
        case FollowUpReinstated():
            return replace(it, status=it.before_superseded or it.status, superseded=None)
        case OutreachAttempted(result=result):
            status = Status.REACHED if result == "reached" else it.status
            return replace(it, status=status, attempts=(*it.attempts, event))
        case OutreachExhausted():
            return it
        case FollowUpEscalated():
            return replace(it, status=Status.ESCALATED)


def _superseded(it: FollowUp, event: FollowUpSuperseded) -> FollowUp:
    before_superseded = it.status if it.is_open else it.before_superseded
    return replace(it, status=Status.SUPERSEDED, superseded=event, before_superseded=before_superseded)


def closed(it: FollowUp) -> FollowUp:
    """Closed with the whole of aftercare; what was superseded cannot be owed again either."""
    if it.is_open:
        return replace(it, status=Status.CLOSED)
    return replace(it, superseded=None) if it.can_be_reinstated else it


FollowUpCommand = (
    BookFollowUp
    | RecordFollowUpAttended
    | RecordFollowUpMissed
    | CloseFollowUpWindow
    | CancelFollowUp
    | AttemptOutreach
)

ATTEMPTS = 3  # on different days and channels, then somebody else takes it on
ESCALATED_TO = "clinical-lead"


def decide(command: FollowUpCommand, it: FollowUp) -> Decision:
    """Decide on a command about one follow-up."""
    match command:
        case BookFollowUp():
            return _book(command, it)
        case RecordFollowUpAttended():
            return _attend(command, it)
        case RecordFollowUpMissed():
            return _miss(command, it)
        case CloseFollowUpWindow():
            return _close_window(command, it)
        case CancelFollowUp():
            return _cancel(command, it)
        case AttemptOutreach():
            return _reach_out(command, it)


def _no_longer_open(it: FollowUp) -> Refused | None:
    if it.is_open:
        return None
    sentence = f"The follow-up is {it.status.value}; nothing more is owed for it."
    return refused("follow-up-closed", sentence, "follow_up")


def _book(command: BookFollowUp, it: FollowUp) -> Decision:
    if (problem := _no_longer_open(it)) is not None:
        return problem
    if command.appointment == it.appointment:
        return [] if it.status is Status.SCHEDULED else _APPOINTMENT_MISSED
    if before(command.appointment, moment(it.owed.window_opens)):
        return _before_window(it, "appointment")
    return [AftercareRescheduled(follow_up=command.follow_up, appointment=command.appointment)]


_APPOINTMENT_MISSED = refused(
    "appointment-missed", "That appointment was missed; give the follow-up another one.", "appointment"
)


def _before_window(it: FollowUp, field: str) -> Refused:
    sentence = f"The follow-up counts from {it.owed.window_opens} on; an earlier contact is another one."
    return refused("before-window", sentence, field)


def _attend(command: RecordFollowUpAttended, it: FollowUp) -> Decision:
    if it.status is Status.ATTENDED and it.attended == command.on:
        return []
    if (problem := _no_longer_open(it)) is not None:
        return problem
    if command.on < it.owed.window_opens:
        return _before_window(it, "on")
    if it.status is Status.SCHEDULED and it.appointment is not None:
        return _before_appointment(it.appointment, command.on) or [_attended(it, command.on)]
    return [_attended(it, command.on)]


def _before_appointment(appointment: Moment, on: date) -> Refused | None:
    if not before(moment(on), appointment):
        return None
    sentence = f"The appointment is on {appointment}; book another one where the participant came earlier."
    return refused("attended-before-start", sentence, "on")


def _attended(it: FollowUp, on: date) -> AftercareAttended:
    return AftercareAttended(follow_up=it.owed.follow_up, on=on, within_window=on <= it.owed.due)


def _miss(command: RecordFollowUpMissed, it: FollowUp) -> Decision:
    if it.status in {Status.MISSED, Status.ESCALATED}:
        return []
    if (problem := _no_longer_open(it)) is not None:
        return problem
    if it.appointment is None:
        return refused("no-appointment", "The follow-up has no appointment to be missed.", "follow_up")
    when = command.at if command.at is not None else moment(command.now)
    if before(when, it.appointment):
        sentence = f"The appointment is at {it.appointment}; it cannot be missed before that."
        return refused("missed-before-start", sentence, "at")
    return _missed(it, "no-show")


def _close_window(command: CloseFollowUpWindow, it: FollowUp) -> Decision:
    if command.today <= it.owed.due or it.status not in {Status.PLANNED, Status.SCHEDULED}:
        return []
    return _missed(it, "window-closed")


def _missed(it: FollowUp, cause: Literal["no-show", "window-closed"]) -> Decision:
    """Missed; where every attempt of outreach was used up before, somebody else takes it on at once."""
    missed = AftercareMissed(follow_up=it.owed.follow_up, cause=cause)
    escalated = FollowUpEscalated(follow_up=it.owed.follow_up, to=ESCALATED_TO)
    return [missed] if len(it.attempts) < ATTEMPTS else [missed, escalated]


def _cancel(command: CancelFollowUp, it: FollowUp) -> Decision:
    if not command.reason.strip():
        return refused("no-reason", "Say why the follow-up is no longer owed.", "reason")
    if it.status is Status.CANCELLED and it.cancelled == command.reason:
        return []
    return _no_longer_open(it) or [AftercareCancelled(follow_up=command.follow_up, reason=command.reason)]


def _reach_out(command: AttemptOutreach, it: FollowUp) -> Decision:
    attempt = OutreachAttempted(
        follow_up=command.follow_up,
        attempt=len(it.attempts) + 1,
        channel=command.channel,
        on=command.on,
        result=command.result,
    )
    if it.attempts and replace(attempt, attempt=len(it.attempts)) == it.attempts[-1]:
        return []
    return _outreach_problem(attempt, it) or _attempted(attempt)


def _outreach_problem(attempt: OutreachAttempted, it: FollowUp) -> Refused | None:
    if (problem := _no_longer_open(it)) is not None:
        return problem
    if it.status in {Status.PLANNED, Status.SCHEDULED}:
        return refused(
            "not-missed", "Outreach follows a missed follow-up; this one is not missed.", "follow_up"
        )
    if attempt.attempt > ATTEMPTS:
        sentence = f"{ATTEMPTS} attempts were made; the follow-up is with the {ESCALATED_TO}."
        return refused("outreach-exhausted", sentence, "follow_up")
    if attempt.on in {earlier.on for earlier in it.attempts}:
        return refused("outreach-same-day", f"An attempt was already made on {attempt.on}.", "on")
    if attempt.channel in {earlier.channel for earlier in it.attempts}:
        sentence = f"An attempt by {attempt.channel} was already made; try another channel."
        return refused("outreach-same-channel", sentence, "channel")
    return None


def _attempted(attempt: OutreachAttempted) -> Decision:
    if attempt.result == "reached" or attempt.attempt < ATTEMPTS:
        return [attempt]
    return [
        attempt,
        OutreachExhausted(follow_up=attempt.follow_up, attempts=attempt.attempt),
        FollowUpEscalated(follow_up=attempt.follow_up, to=ESCALATED_TO),
    ]
