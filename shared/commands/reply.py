"""What a service answers to a command."""

from msgspec import Struct

from shared.commands.decision import Refused
from shared.events.envelope import Position


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="answer"):
    """One of the below."""


class Appended(Answer, frozen=True, kw_only=True, omit_defaults=True, tag="appended"):
    """Done, and stored: a reader that sees `position` sees these events."""

    position: Position
    events: tuple[str, ...]  # their CloudEvents types, in order


class Unchanged(Answer, frozen=True, kw_only=True, omit_defaults=True, tag="unchanged"):
    """It was so already; `position` is the entity's last event, absent where it has none."""

    position: Position | None = None


class Invalid(Answer, frozen=True, kw_only=True, omit_defaults=True, tag="invalid"):
    """Not a command: the sentence names the field and what is expected."""

    sentence: str


class Unavailable(Answer, frozen=True, kw_only=True, omit_defaults=True, tag="unavailable"):
    """The log could not be reached in time; asking again with the same id is safe."""

    sentence: str


Reply = Appended | Unchanged | Refused | Invalid | Unavailable
