"""What services answered to a command, told to a person or a program."""

from typing import Final

import typer

from services.console.faults import REFUSED
from services.console.output import out, print_json, tell
from shared.commands.decision import Refused
from shared.commands.reply import Appended, Invalid, Reply, Unavailable, Unchanged

_DONE: Final = (Appended, Unchanged)


def report(answer: Reply, *, as_json: bool) -> None:
    """Print the answer; ends the command with status 1 where it was not done."""
    if as_json:
        print_json(answer)
    elif isinstance(answer, _DONE):
        out.print(sentence_of(answer), markup=False)
    else:
        tell(sentence_of(answer))
    if not isinstance(answer, _DONE):
        raise typer.Exit(REFUSED)


def sentence_of(answer: Reply) -> str:
    """Return the answer as a sentence."""
    match answer:
        case Appended(position=at, events=events):
            named = ", ".join(event.rpartition(".")[2] for event in events)
            return f"{named} recorded (position {at.partition}/{at.sequence})."
        case Unchanged():
            return "It was so already: nothing was recorded."
        case Refused(sentence=sentence, code=code, field=field):
            about = f", field {field}" if field else ""
            return f"Refused ({code}{about}): {sentence}"
        case Invalid(sentence=sentence) | Unavailable(sentence=sentence):
            return sentence
