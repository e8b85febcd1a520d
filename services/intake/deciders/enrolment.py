"""Which programs the participant is in, and whether they were shown how each works."""

from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from services.intake.deciders.asam import LEVELS, unknown_level
from shared.commands.decision import Decision, refused
from shared.commands.intake import CompleteOrientation, Enrol
from shared.events.base import EventData
from shared.events.enrolment import Enrolled, OrientationCompleted

EnrolmentCommand = Enrol | CompleteOrientation


class State(Struct, frozen=True, kw_only=True):
    """One enrolment a program."""

    programs: dict[UUID, str] = {}  # by enrolment
    oriented: frozenset[UUID] = frozenset()


def evolve(state: State, event: EventData) -> State:
    """Keep who joined what."""
    match event:
        case Enrolled(enrolment=enrolment, program=program):
            return replace(state, programs={**state.programs, enrolment: program})
        case OrientationCompleted(enrolment=enrolment):
            return replace(state, oriented=state.oriented | {enrolment})
        case _:
            return state


def decide(command: EnrolmentCommand, state: State) -> Decision:
    """Join a program once, at a level that its edition has."""
    match command:
        case Enrol(enrolment=enrolment) if enrolment in state.programs:
            return []
        case Enrol(program=program) if program in state.programs.values():
            return refused("already-enrolled", "The participant is in this program already.", "program")
        case Enrol(level=level, edition=edition) if level not in LEVELS[edition]:
            return unknown_level(edition, level)
        case Enrol():
            return [_enrolled(command)]
        case CompleteOrientation(enrolment=enrolment) if enrolment not in state.programs:
            return refused("enrolment-unknown", "The participant has no such enrolment.", "enrolment")
        case CompleteOrientation(enrolment=enrolment):
            return [] if enrolment in state.oriented else [OrientationCompleted(enrolment=enrolment)]


def _enrolled(command: Enrol) -> Enrolled:
    return Enrolled(
        enrolment=command.enrolment,
        program=command.program,
        level=command.level,
        edition=command.edition,
        start=command.start,
        track=command.track,
        referral=command.referral,
    )
