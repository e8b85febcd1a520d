"""Plays the journeys, all at once, and tells which kept their promises."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from msgspec import Struct

from services.console.demo import hl7
from services.console.demo.front_door import FrontDoor
from services.console.demo.journeys import JOURNEYS, Journey
from services.console.demo.stage import Stage
from services.console.faults import Failed

_EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)
_DIGITS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_OLDEST: Final = date(1972, 5, 17)
_KNOWN: Final = "select exists (select from read.participant where array_to_string(identifiers, ' ') like $1)"


class Played(Struct, frozen=True):
    """One journey, its person, and why it did not come to its end, where it did not."""

    journey: Journey
    patient: hl7.Patient
    problem: str | None = None


async def to_play(door: FrontDoor) -> tuple[Journey, ...]:
    """Return all journeys for empty read models; where a cohort is there already, a few more people."""
    known = await door.holds(_KNOWN, f"%{hl7.FACILITY}|DEMO-%")
    return tuple(journey for journey in JOURNEYS if journey.again) if known else JOURNEYS


async def play(door: FrontDoor, journeys: Sequence[Journey], run: str) -> list[Played]:
    """Play journeys with people of this run."""
    patients = [_patient(journey, run, number) for number, journey in enumerate(journeys, 1)]
    playing = (_play(door, journey, who) for journey, who in zip(journeys, patients, strict=True))
    return await asyncio.gather(*playing)


def run_token(now: datetime) -> str:
    """Return a short text that no other run has: a run is a second's."""
    seconds = int((now - _EPOCH).total_seconds())
    text = ""
    while seconds:
        seconds, digit = divmod(seconds, len(_DIGITS))
        text = _DIGITS[digit] + text
    return text or "0"


async def _play(door: FrontDoor, journey: Journey, patient: hl7.Patient) -> Played:
    try:
        await journey.play(Stage(door, patient))
    except Failed as problem:
        return Played(journey, patient, str(problem))
    return Played(journey, patient)


def _patient(journey: Journey, run: str, number: int) -> hl7.Patient:
    return hl7.Patient(
        number=f"DEMO-{run}-{number:02}",
        given=journey.given,
        family=journey.family,
        birth_date=_OLDEST + timedelta(days=701 * number),
        sex="F" if journey.given.endswith("a") else "M",
    )
