"""What is measured: a figure, its target, and what came out; all that a measurement has to give."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from msgspec import Struct

from tests.bench.context import Context


class MeasurementError(Exception):
    """A figure could not be measured; the text says what did not happen."""


class Target(Struct, frozen=True):
    """What the ratio of our value to the ceiling must be."""

    sign: Literal[">=", "<="]
    ratio: float

    def holds(self, ratio: float) -> bool:
        return ratio >= self.ratio if self.sign == ">=" else ratio <= self.ratio

    def __str__(self) -> str:
        return f"{self.sign} {self.ratio:g}"


class Figure(Struct, frozen=True):
    """One line of the table. `value` and `ceiling` are medians over interleaved rounds, in `unit`."""

    name: str
    value: float
    unit: str
    ceiling: float
    ratio: float
    target: str
    holds: bool


@dataclass(frozen=True)
class Measurement:
    """Something to measure: a name for the command line, and what gives its figures.

    `run` is called in the main thread, without a running loop: it may start servers and processes.
    """

    name: str
    run: Callable[[Context], Sequence[Figure]]


def figure(name: str, value: float, unit: str, ceiling: float, target: Target) -> Figure:
    """Make a figure of our value and the bare one."""
    ratio = value / ceiling
    return Figure(name, value, unit, ceiling, ratio, str(target), target.holds(ratio))
