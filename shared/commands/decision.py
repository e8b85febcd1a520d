"""What a decider is: an initial state and two pure functions; and what it may answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID, uuid5

from msgspec import Struct

from shared.commands.base import Command
from shared.events.base import EventData

State = TypeVar("State")
CommandT = TypeVar("CommandT", bound=Command)


class Refused(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="refused", tag_field="answer"):
    """A command that the rules do not allow: a stable code, and a sentence a coordinator understands."""

    code: str
    sentence: str
    field: str | None = None


Decision = Sequence[EventData] | Refused


@dataclass(frozen=True)
class Fold(Generic[State]):
    """How an entity is read: where it starts, and how an event moves it."""

    category: str
    initial: State
    evolve: Callable[[State, EventData], State]

    def fold(self, state: State, events: Sequence[EventData]) -> State:
        """Move the state by each event in turn."""
        for event in events:
            state = self.evolve(state, event)
        return state


@dataclass(frozen=True)
class Decider(Fold[State], Generic[State, CommandT]):
    """How an entity decides: a fold, and what a command makes of the state.

    A command repeated yields no event.
    """

    decide: Callable[[CommandT, State], Decision]


def refused(code: str, sentence: str, field: str | None = None) -> Refused:
    """Say no, with a code and a sentence."""
    return Refused(code=code, sentence=sentence, field=field)


def derived(origin: UUID, name: str) -> UUID:
    """An id that is the same whenever the same origin asks for the same name (UUIDv5)."""
    return uuid5(origin, name)
