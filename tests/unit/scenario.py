"""How a rule is told: what had happened, what is asked, what comes of it.

    given(DECIDER, registered()).when(enrol()).then(enrolled())
    given(DECIDER).when(enrol()).then_refused("participant-unknown")
    given(DECIDER, registered(), enrolled()).when(enrol()).then_nothing()

`then` also asks the same command again: whoever missed the answer must hear that nothing more happens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from shared.commands.base import Command
from shared.commands.decision import Decider, Decision, Refused
from shared.events.base import EventData

State = TypeVar("State")
CommandT = TypeVar("CommandT", bound=Command)


@dataclass(frozen=True)
class Given(Generic[State, CommandT]):
    """An entity as its events so far have made it."""

    decider: Decider[State, CommandT]
    state: State

    def when(self, command: CommandT) -> "When[State, CommandT]":
        """Ask the decider."""
        return When(self, command, self.decider.decide(command, self.state))

    def after(self, events: Sequence[EventData]) -> "Given[State, CommandT]":
        """Return the entity moved by what happened next."""
        return Given(self.decider, self.decider.fold(self.state, events))


@dataclass(frozen=True)
class When(Generic[State, CommandT]):
    """A command and what the decider made of it."""

    before: Given[State, CommandT]
    command: CommandT
    decision: Decision

    @property
    def events(self) -> Sequence[EventData]:
        """What happened; a refusal fails the test with its sentence."""
        assert not isinstance(self.decision, Refused), f"refused: {self.decision}"
        return self.decision

    def then(self, *expected: EventData) -> Given[State, CommandT]:
        """Expect exactly these events, and none from the same command again; the story may go on."""
        assert list(self.events) == list(expected)
        after = self.before.after(self.events)
        again = after.decider.decide(self.command, after.state)
        assert list(again if not isinstance(again, Refused) else [again]) == [], f"repeated: {again}"
        return after

    def then_nothing(self) -> Given[State, CommandT]:
        """Expect that the command changes nothing and is not refused either."""
        return self.then()

    def then_refused(self, code: str, *, field: str | None = None) -> Refused:
        """Expect a refusal with this code, and naming this field where one is told."""
        assert isinstance(self.decision, Refused), f"not refused, but: {self.decision}"
        assert self.decision.code == code, self.decision
        assert field is None or self.decision.field == field, self.decision
        assert self.decision.sentence.endswith("."), "A refusal is a sentence."
        return self.decision


def given(decider: Decider[State, CommandT], *events: EventData) -> Given[State, CommandT]:
    """Start from what had happened to the entity, oldest first."""
    return Given(decider, decider.fold(decider.initial, events))
