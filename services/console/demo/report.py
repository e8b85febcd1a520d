"""What the demo tells at the end: which journeys kept their promises, and how to go on."""

from collections.abc import Sequence

from rich.panel import Panel
from rich.text import Text

from services.console.demo.cohort import Played
from services.console.demo.hl7 import Patient
from services.console.demo.journeys import STEPPED_DOWN
from services.console.faults import Failed
from services.console.output import out, table_of
from services.console.run_folder import Running
from services.timeline.read_models.timeline import Entry
from shared.site import Site


def whose_timeline(played: Sequence[Played]) -> Patient:
    """Return whose timeline is shown: the step-down, where it was played."""
    return next((one.patient for one in played if one.journey is STEPPED_DOWN), played[-1].patient)


def tell_journeys(played: Sequence[Played], *, continued: bool) -> None:
    """Print each journey and whether all came true; raises Failed naming those that did not."""
    title = "\nA few more people, beside those who were there" if continued else "\nThe cohort"
    out.print(table_of(("", "WHO", "SHOWS", "NUMBER"), map(_row, played), title=title))
    problems = [f"{one.patient.given} {one.patient.family}: {one.problem}" for one in played if one.problem]
    if problems:
        raise Failed("The demo did not keep its promises:\n" + "\n".join(problems))


def halfway(entries: Sequence[Entry], site: Site) -> str:
    """Return a time, as `timeline --as-of` reads it, by which about half of them were recorded."""
    recorded = sorted(entry.recorded_at for entry in entries)
    middle = recorded[len(recorded) // 2].astimezone(site.tz)
    return middle.replace(tzinfo=None).isoformat(timespec="milliseconds")


def tell_how_to_go_on(running: Running, patient: Patient, then: str) -> None:
    """Print where everything is, and what to type next: also what was known of the patient then."""
    rows = [
        ("MLLP", running.mllp, "where hospitals send HL7 v2"),
        ("FHIR", running.fhir, "R4 over HTTP; the hospital's bearer token is in .throughcare/run.json"),
    ]
    if running.nats_user:
        rows.append(
            ("NATS", running.nats, f"CloudEvents, as {running.nats_user}; the password is there, too")
        )
    rows += [(told.service, told.admin, "/livez /readyz /metrics") for told in running.services]
    out.print(table_of(("", "", ""), rows, title="\nRunning"))
    compared = f"./dev throughcare timeline {patient.number} --as-of {then}"
    told = _NEXT.format(whose=f"{patient.given} {patient.family}", compared=compared)
    out.print(Panel(told, title="Next, in another terminal in this folder", title_align="left"))


_NEXT = """\
./dev throughcare send FILE.hl7           send a message of your own
./dev throughcare check-connection        a hospital's messages: sent, seen and taken back
./dev throughcare worklist                what is to be done
./dev throughcare timeline PARTICIPANT    an id, either end of one, or a hospital's number
./dev throughcare status                  how far everything is
./dev throughcare verify                  the log against everything made of it

What was known of {whose} halfway through, to compare with now:
{compared}

Ctrl-C stops everything; the next demo continues with the data, --fresh starts over."""


def _row(one: Played) -> tuple[Text | str, ...]:
    mark = Text("✗", style="red") if one.problem else Text("✓", style="green")
    name = f"{one.patient.given} {one.patient.family}"
    return mark, name, one.journey.shows, Text(one.patient.number, style="dim")
