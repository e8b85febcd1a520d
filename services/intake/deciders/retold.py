"""What is told again: the news counts, and what is absent takes nothing away."""

from typing import TypeVar

from shared.events.encounter import EncounterClass
from shared.events.moment import Moment, before, is_day

T = TypeVar("T")


def latest(held: T, told: T) -> T:
    """Return what is told, else what is held."""
    return held if told is None else told


def latest_class(held: EncounterClass, told: EncounterClass) -> EncounterClass:
    """Return the class told; an unknown one is not told."""
    return held if told == "UNK" else told


def latest_time(held: Moment | None, told: Moment | None) -> Moment | None:
    """Return the time told, unless it is the one held, told otherwise or less precisely."""
    if held is None or told is None:
        return latest(held, told)
    is_sharper = is_day(held) and not is_day(told)
    return told if is_sharper or not is_same_time(held, told) else held


def is_same_time(left: Moment | None, right: Moment | None) -> bool:
    """Tell whether both may be one time; two unknown times are not."""
    return left is not None and right is not None and not before(left, right) and not before(right, left)
