"""What came of one attempt to deliver."""

from msgspec import Struct


class Delivered(Struct, frozen=True):
    """The receiver confirmed it; `answer` is MSA-1 or the HTTP status."""

    answer: str


class Rejected(Struct, frozen=True):
    """The receiver answered and does not take this message; others it may take."""

    reason: str


class Unreachable(Struct, frozen=True):
    """Nobody answered, or the receiver as a whole is in trouble."""

    reason: str
    wait: float = 0.0  # seconds that the receiver asks for


Outcome = Delivered | Rejected | Unreachable
