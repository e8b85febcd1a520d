"""How long to wait before the next attempt."""

import random
from datetime import timedelta
from typing import Final

from msgspec import Struct

_SPREAD: Final = 0.2
_LARGEST_POWER: Final = 40


class Pace(Struct, frozen=True, kw_only=True):
    """Times in seconds. Pauses double from `first` to `longest` and vary by a fifth, up or down."""

    first: float = 5.0
    longest: float = 7_200.0
    lease: float = 45.0  # so long a channel is its leader's after the last sign of life

    @property
    def attempt(self) -> float:
        """The longest that one attempt may take: a leader never delivers when its lease may be over."""
        return self.lease / 3

    def pause(self, attempts: int, asked: float = 0.0) -> timedelta:
        """Return the pause after so many attempts in a row that failed.

        What a receiver asks for counts up to `longest`: it may say a year, and is asked again all the same.
        """
        doubled = self.first * 2 ** min(max(attempts - 1, 0), _LARGEST_POWER)
        spread = random.uniform(1 - _SPREAD, 1 + _SPREAD)  # noqa: S311 -- spreads load, guards nothing
        return timedelta(seconds=max(min(doubled, self.longest) * spread, min(asked, self.longest)))
