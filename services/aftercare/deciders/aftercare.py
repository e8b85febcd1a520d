"""A participant's aftercare as one entity: what is owed after each discharge and after the program's end.

A step-down's reversal always comes after the step-down on the log, and the policies read a participant's
events in order: follow-ups of a discharge not known here are not superseded in advance.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from uuid import UUID

from msgspec import Struct, field
from msgspec.structs import replace

from services.aftercare.deciders import follow_up, windows
from services.aftercare.deciders.follow_up import FollowUp, FollowUpCommand, Outcome
from services.aftercare.deciders.windows import Window
from shared.commands.aftercare import (
    CancelReadmission,
    CloseAftercare,
    CreditSession,
    NoteReadmission,
    PlanAftercare,
    ScheduleCheckIns,
    ScheduleFollowUps,
    SupersedeFollowUps,
)
from shared.commands.decision import Decider, Decision, derived, refused
from shared.events.aftercare import (
    AftercareAttended,
    AftercareClosed,
    AftercarePlanned,
    AftercareScheduled,
    FollowUpKind,
    FollowUpReinstated,
    FollowUpSuperseded,
)
from shared.events.base import EventData


class State(Struct, frozen=True):
    """Every follow-up there has been, the needs planned for, and whether all of it is closed."""

    follow_ups: Mapping[UUID, FollowUp] = field(default_factory=dict[UUID, FollowUp])
    needs: tuple[str, ...] = ()
    closed: AftercareClosed | None = None
    cancelled_admissions: frozenset[UUID] = frozenset()

    @property
    def is_deceased(self) -> bool:
        return self.closed is not None and self.closed.reason == "died"

    @property
    def open(self) -> tuple[FollowUp, ...]:
        return tuple(it for it in self.follow_ups.values() if it.is_open)

    def with_follow_up(self, it: FollowUp) -> "State":
        return replace(self, follow_ups={**self.follow_ups, it.owed.follow_up: it})


def evolve(state: State, event: EventData) -> State:
    """Move the state by an event of aftercare; others leave it as it is."""
    match event:
        case AftercarePlanned(needs=needs):
            return replace(state, needs=needs, closed=None)
        case AftercareScheduled():
            return replace(state.with_follow_up(follow_up.owed(event)), closed=None)
        case AftercareClosed():
            return _closed(state, event)
        case FollowUpReinstated(admission=admission):
            cancelled = state.cancelled_admissions | {admission}
            return _moved(replace(state, cancelled_admissions=cancelled), event)
        case _:
            return _moved(state, event) if isinstance(event, Outcome) else state


def _closed(state: State, event: AftercareClosed) -> State:
    follow_ups = {id: follow_up.closed(it) for id, it in state.follow_ups.items()}
    return replace(state, follow_ups=follow_ups, needs=(), closed=event)


def _moved(state: State, event: Outcome) -> State:
    it = state.follow_ups.get(event.follow_up)
    return state if it is None else state.with_follow_up(follow_up.evolve(it, event))


Command = (
    PlanAftercare
    | ScheduleFollowUps
    | ScheduleCheckIns
    | CreditSession
    | SupersedeFollowUps
    | NoteReadmission
    | CancelReadmission
    | CloseAftercare
    | FollowUpCommand
)


def decide(command: Command, state: State) -> Decision:
    """Decide on a command; what concerns one follow-up only is decided by it."""
    if isinstance(command, CloseAftercare):
        return _close(command, state)
    if state.is_deceased:
        return _DECEASED
    match command:
        case PlanAftercare():
            return _plan(command, state)
        case ScheduleFollowUps():
            return _schedule(_after_discharge(command), state)
        case ScheduleCheckIns():
            return _schedule(_after_program(command), state)
        case CreditSession():
            return _credit(command, state)
        case SupersedeFollowUps():
            return _supersede(command, state)
        case NoteReadmission():
            return _readmitted(command, state)
        case CancelReadmission(admission=admission):
            return _not_readmitted(admission, state)
        case _:
            it = state.follow_ups.get(command.follow_up)
            return _UNKNOWN if it is None else follow_up.decide(command, it)


_DECEASED = refused("participant-deceased", "The participant has died; nothing more is owed.")
_UNKNOWN = refused("unknown-follow-up", "The participant has no such follow-up.", "follow_up")


def _close(command: CloseAftercare, state: State) -> Decision:
    if state.closed is None or (command.reason == "died" and not state.is_deceased):
        return [AftercareClosed(reason=command.reason)]
    if state.closed.reason == command.reason:
        return []
    if state.is_deceased:
        return _DECEASED
    sentence = f"Aftercare is already closed ({state.closed.reason}); a new follow-up or plan opens it again."
    return refused("aftercare-closed", sentence, "reason")


def _plan(command: PlanAftercare, state: State) -> Decision:
    if not any(need.strip() for need in command.needs):
        return refused(
            "no-needs", "Name at least one need that the participant has after the program.", "needs"
        )
    return [] if state.needs == command.needs else [AftercarePlanned(needs=command.needs)]


_FOLLOW_UPS: Mapping[FollowUpKind, int] = {"follow-up-7-day": 7, "follow-up-30-day": 30}
_CHECK_INS = (1, 3, 6, 12)  # months


def _after_discharge(command: ScheduleFollowUps) -> Sequence[AftercareScheduled]:
    window = windows.after_emergency if command.emergency else windows.after_discharge
    return [
        AftercareScheduled(
            follow_up=derived(_in_record(command), kind),
            kind=kind,
            provider_type=command.provider_type,
            index_discharge=command.index_discharge,
            window_opens=window(command.index_discharge, days).opens,
            due=window(command.index_discharge, days).due,
            discharge=command.discharge,
            visit_number=command.visit_number,
        )
        for kind, days in _FOLLOW_UPS.items()
    ]


def _in_record(command: ScheduleFollowUps) -> UUID:
    """Name a discharge in one record: given back to another person, it is owed follow-ups there anew."""
    return derived(command.discharge, str(command.participant))


def _after_program(command: ScheduleCheckIns) -> Sequence[AftercareScheduled]:
    return [
        *(
            _by_program(command, kind, kind, windows.after_discharge(command.ended_on, days))
            for kind, days in _FOLLOW_UPS.items()
        ),
        *(
            _by_program(command, "check-in", f"check-in-{months}", windows.check_in(command.ended_on, months))
            for months in _CHECK_INS
        ),
    ]


def _by_program(
    command: ScheduleCheckIns, kind: FollowUpKind, name: str, window: Window
) -> AftercareScheduled:
    return AftercareScheduled(
        follow_up=derived(command.origin, name),
        kind=kind,
        provider_type="program",
        index_discharge=command.ended_on,
        window_opens=window.opens,
        due=window.due,
    )


def _schedule(owed: Sequence[AftercareScheduled], state: State) -> Decision:
    if owed[0].follow_up in state.follow_ups:
        return []
    earlier = [it.owed for it in state.open if _takes_the_place(owed[0], it.owed)]
    too_late = any(_is_later(it, owed[0]) for it in state.follow_ups.values())
    return [*owed, *_superseded(earlier), *(_superseded(owed) if too_late else [])]


def _takes_the_place(newer: AftercareScheduled, older: AftercareScheduled) -> bool:
    """Only the last of several discharges within 30 days counts, and only the last end of the program.

    An emergency visit ends no stay: what is owed after one stays owed (HEDIS counts FUH and FUM apart).
    """
    apart = newer.index_discharge - older.index_discharge
    if newer.discharge is None or older.discharge is None:
        return newer.discharge == older.discharge and apart >= timedelta()
    if follow_up.is_after_emergency(newer) and not follow_up.is_after_emergency(older):
        return False
    return timedelta() <= apart <= windows.COUNTED_TOGETHER


def _is_later(known: FollowUp, told: AftercareScheduled) -> bool:
    """Tell whether what is told now had already been overtaken by what is known."""
    later = known.owed.index_discharge > told.index_discharge
    return later and not known.is_void and _takes_the_place(known.owed, told)


def _superseded(owed: Iterable[AftercareScheduled]) -> list[FollowUpSuperseded]:
    return [FollowUpSuperseded(follow_up=it.follow_up, cause="later-discharge") for it in owed]


def _credit(command: CreditSession, state: State) -> Decision:
    return [
        AftercareAttended(
            follow_up=it.owed.follow_up, on=command.on, within_window=True, session=command.session
        )
        for it in state.open
        if it.spans(command.on)
    ]


def _supersede(command: SupersedeFollowUps, state: State) -> Decision:
    # Those that a readmission had superseded too: its cancellation must not bring them back.
    return [
        FollowUpSuperseded(follow_up=id, cause=command.cause)
        for id, it in state.follow_ups.items()
        if it.owed.discharge == command.discharge and (it.is_open or it.can_be_reinstated)
    ]


def _readmitted(command: NoteReadmission, state: State) -> Decision:
    if command.admission in state.cancelled_admissions:
        return []
    return [
        FollowUpSuperseded(follow_up=it.owed.follow_up, cause="readmission", admission=command.admission)
        for it in state.open
        if it.owed.discharge not in {None, command.admission}
        and _is_readmission(command, it.owed.index_discharge)
    ]


def _is_readmission(command: NoteReadmission, index: date) -> bool:
    """Within 30 days after the discharge; on its own day it may be the very stay, told late."""
    apart = command.admitted_on - index
    return timedelta() < apart <= windows.COUNTED_TOGETHER or (command.same_day and not apart)


def _not_readmitted(admission: UUID, state: State) -> Decision:
    return [
        FollowUpReinstated(follow_up=id, admission=admission)
        for id, it in state.follow_ups.items()
        if it.superseded is not None and it.can_be_reinstated and it.superseded.admission == admission
    ]


DECIDER = Decider(category="aftercare", initial=State(), evolve=evolve, decide=decide)
