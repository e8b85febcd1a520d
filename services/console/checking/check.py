"""A check from the first message to the last."""

from collections.abc import AsyncIterator

from services.console.checking.case import Case
from services.console.checking.report import Result, advice_on, unseen
from services.console.checking.steps import STEPS, Step
from services.console.checking.watching import NoWatch, Watch
from services.console.checking.ways import Way


async def run(case: Case, way: Way, watch: Watch, seconds: float) -> AsyncIterator[Result]:
    """Send each message when the one before was looked for; `seconds` is how long each may take to be seen.

    Where the referral is refused nothing more is sent; where it is not seen, only its cancellation.
    """
    for step in STEPS:
        result = await _one(case, way, watch, step, seconds)
        if result is None:
            continue
        yield result
        if step is STEPS[0] and not result.is_good:
            last = await _one(case, way, NoWatch(), STEPS[-1], seconds) if result.is_stored else None
            if last is not None:
                yield last
            return


async def _one(case: Case, way: Way, watch: Watch, step: Step, seconds: float) -> Result | None:
    """Return what came of a step; None where the way in has no such message."""
    answer = await way.send(case, step.name)
    if answer is None:
        return None
    expected = f"{way.expects}; {step.sight.wanted}"
    if not answer.is_accepted:
        came = " ".join(filter(None, (answer.code or "no answer;", answer.said)))
        return Result(step.name, is_good=False, expected=expected, came=came, advice=advice_on(answer.code))
    seen = await watch.sees(case, step.sight, seconds)
    if seen is None:
        return Result(step.name, is_good=True, is_stored=True, expected=way.expects, came=answer.code)
    return Result(
        step.name,
        is_good=seen,
        is_stored=True,
        is_watched=True,
        expected=expected,
        came=f"{answer.code}; {'seen' if seen else f'not seen within {seconds:g} s'}",
        advice="" if seen else unseen(),
    )
