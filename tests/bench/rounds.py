"""Rounds of ours and of the bare thing in turn: what disturbs the machine disturbs both."""

from collections.abc import Callable
from statistics import median
from typing import NamedTuple, TypeVar

T = TypeVar("T")


class Rounds(NamedTuple):
    """What each round gave."""

    ours: list[float]
    bare: list[float]

    @property
    def value(self) -> float:
        return median(self.ours)

    @property
    def ceiling(self) -> float:
        return median(self.bare)


def interleaved(rounds: int, *, ours: Callable[[], T], bare: Callable[[], T]) -> list[tuple[T, T]]:
    """Run the bare thing and ours in turn; returns (ours, bare) of each round."""
    pairs: list[tuple[T, T]] = []
    for _ in range(rounds):
        ceiling = bare()
        pairs.append((ours(), ceiling))
    return pairs


def rounds_of(pairs: list[tuple[float, float]]) -> Rounds:
    """Take the rounds apart."""
    return Rounds([ours for ours, _ in pairs], [bare for _, bare in pairs])
