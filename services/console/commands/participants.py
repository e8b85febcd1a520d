"""`throughcare assess | enrol`: what a coordinator records about a participant."""

from collections.abc import Mapping
from typing import Annotated, Final, cast

import typer

from services.console import lookup
from services.console.asking import ask, common, day_of, moment_at_site, new_id
from services.console.options import CONSOLE, Actor, AsJson, At, Participant
from services.console.place import place_of
from shared.commands.intake import Enrol, RecordAssessment
from shared.events.assessment import AsamEdition, Instrument
from shared.events.moment import moment
from shared.site import site_of

_ITEMS: Final[Mapping[Instrument, tuple[str, ...]]] = {
    "PHQ-9": tuple("123456789"),
    "GAD-7": tuple("1234567"),
    "C-SSRS": (*"123456", "6-recent"),
}
_NOT_ANSWERED: Final = {"", "-"}
_WORDS: Final = {"no": "0", "yes": "1", "n": "0", "y": "1"}


def assess(
    context: typer.Context,
    participant: Participant,
    instrument: Annotated[
        str, typer.Option(metavar="NAME", help="PHQ-9, GAD-7 or C-SSRS.", show_default=False)
    ],
    items: Annotated[
        str,
        typer.Option(
            metavar="1,2,…",
            help="The answers in order; - for one not given; yes and no for C-SSRS.",
            show_default=False,
        ),
    ],
    at: At = None,
    actor: Actor = CONSOLE,
    as_json: AsJson = False,
) -> None:
    """Record the answers to a screening instrument; scoring and flags follow from them."""
    settings = place_of(context).settings()
    named = instrument_of(instrument)
    answers = items_of(named, items)
    when = moment_at_site(at, settings)
    ask(
        context,
        lookup.participant,
        participant,
        lambda found: RecordAssessment(
            **(fields := common(found.participant, actor)),
            at=when,
            assessment=new_id(),
            instrument=named,
            items=answers,
            administered_at=when or moment(fields["now"]),
        ),
        as_json=as_json,
    )


def enrol(
    context: typer.Context,
    participant: Participant,
    start: Annotated[str | None, typer.Option(metavar="DATE", help="First day; else today.")] = None,
    level: Annotated[str | None, typer.Option(help="ASAM level of care; else the program's.")] = None,
    track: Annotated[str | None, typer.Option(help="A track of the program.")] = None,
    actor: Actor = CONSOLE,
    as_json: AsJson = False,
) -> None:
    """Enrol a participant in the program."""
    settings = place_of(context).settings()
    day = day_of(start, option="--start") if start else None
    ask(
        context,
        lookup.participant,
        participant,
        lambda found: Enrol(
            **(fields := common(found.participant, actor)),
            enrolment=new_id(),
            program=settings.program,
            level=level or settings.program_level,
            edition=cast("AsamEdition", settings.asam_edition),
            start=day or site_of(settings).today(fields["now"]),
            track=track,
        ),
        as_json=as_json,
    )


def instrument_of(told: str) -> Instrument:
    """Return the instrument, however its name is written: `phq9` is PHQ-9."""
    for name in _ITEMS:
        if name.replace("-", "").casefold() == told.replace("-", "").casefold():
            return name
    raise typer.BadParameter(f"{told} is none of {', '.join(_ITEMS)}.", param_hint="--instrument")


def items_of(instrument: Instrument, told: str) -> dict[str, int]:
    """Read ``0,1,2`` as the answers to items 1, 2, 3; one that was not given is left out, never guessed."""
    numbers = _ITEMS[instrument]
    answers = [answer.strip().casefold() for answer in told.split(",")]
    if len(answers) > len(numbers):
        raise typer.BadParameter(
            f"{instrument} has {len(numbers)} items; {len(answers)} answers were given.", param_hint="--items"
        )
    given = zip(numbers, answers, strict=False)
    return {number: _answer(number, answer) for number, answer in given if answer not in _NOT_ANSWERED}


def _answer(number: str, told: str) -> int:
    try:
        return int(_WORDS.get(told, told))
    except ValueError:
        raise typer.BadParameter(f"Item {number}: {told} is not a number.", param_hint="--items") from None
