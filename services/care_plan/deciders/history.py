"""The levels of care of one episode, as the steps that were taken and the intervals that follow from them.

Only steps are kept: taking one out leaves a history without a gap or an overlap, as if it had never been.
"""

from itertools import groupby, pairwise
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from services.care_plan.deciders import levels
from shared.events.moment import Moment, before


class Step(Struct, frozen=True):
    """From `at` on the participant is at `level`; perhaps because a hospital discharged them."""

    level: str
    at: Moment
    discharge: UUID | None = None


class Interval(Struct, frozen=True):
    """A level of care from `start` to `end`; without an end it is open."""

    level: str
    start: Moment
    end: Moment | None = None


class LevelHistory(Struct, frozen=True):
    """Steps in the order of time, never none; all levels are of one ASAM edition."""

    edition: str
    steps: tuple[Step, ...]

    @property
    def last(self) -> Step:
        """The latest step."""
        return self.steps[-1]

    @property
    def level(self) -> str:
        """The level that the participant is at, or was at last."""
        return self.last.level

    def stepped(self, step: Step) -> "LevelHistory":
        """Take a step; one from before the last step came too late to move anything."""
        if before(step.at, self.last.at):
            return self
        return replace(self, steps=(*self.steps, step))

    def without(self, discharge: UUID) -> "LevelHistory":
        """The history as if that discharge had not happened."""
        return replace(self, steps=tuple(step for step in self.steps if step.discharge != discharge))

    def landing(self, discharged: Moment, *, emergency: bool) -> str:
        """The level at which the program takes the participant back from a hospital.

        The latest level at or below the program's own. Told too late, after a step of a later day, a
        discharge moves nothing; nor does an emergency visit, which is no stay.
        """
        if emergency or before(discharged, self.last.at):
            return self.level
        return next((step.level for step in reversed(self.steps) if self._is_ours(step)), levels.PROGRAM)

    def intervals(self, end: Moment | None = None) -> tuple[Interval, ...]:
        """Intervals without gap or overlap, the last one open or up to `end`; none begins after it."""
        runs = [next(steps) for _, steps in groupby(self.steps, key=lambda step: step.level)]
        begun = [step for step in runs if end is None or not before(end, step.at)]
        closed = [Interval(step.level, step.at, following.at) for step, following in pairwise(begun)]
        return (*closed, *(Interval(step.level, step.at, end) for step in begun[-1:]))

    def _is_ours(self, step: Step) -> bool:
        return not levels.above(step.level, levels.PROGRAM, self.edition)
