"""What a check tells: for each step what was expected, what came, and what to do where they differ."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from rich.text import Text

from services.console.checking.steps import Name
from services.console.output import out, print_json, table_of

_BY_CODE: Final = {
    "": "Look at the address, the firewall, TLS and certificates, and whether a gateway runs.",
    "AE": "Correct the field that is named; where it says `again later`, send it again later.",
    "AR": "Such a message is never taken: compare MSH-3, MSH-4, MSH-9, MSH-11 with your profile at the site.",
    "401": "The token is not known at the site: compare its hash with `tokens` in the profile.",
    "403": "The profile's `messages` do not let this source send this: ask the site.",
    "404": "Look at the address: --fhir has to end with /fhir.",
    "413": "It is too long for the site's limits.",
    "503": "The site cannot store now: send it again, as Retry-After says.",
}
_OTHER: Final = "Correct what the answer names; docs/connecting.md has every field."
_UNSEEN: Final = (
    "It is stored and has no effect that this sender sees: the site looks at `throughcare parked list`; the"
    " token has to be of the same source as the messages."
)


class Result(Struct, frozen=True, omit_defaults=True):
    """Of one step."""

    step: Name
    is_good: bool
    expected: str
    came: str
    is_stored: bool = False
    is_watched: bool = False  # it was looked for, whether seen or not
    advice: str = ""


def advice_on(code: str) -> str:
    """Return what to do about a refusal."""
    known = _BY_CODE.get(f"A{code[1:]}" if code in {"CE", "CR"} else code)
    return known or _OTHER


def unseen() -> str:
    """Return what to do about a message that is accepted and not seen."""
    return _UNSEEN


def show(results: Sequence[Result], *, as_json: bool) -> None:
    """Print a line for each step, and what to do about those that differ."""
    if as_json:
        print_json(results)
        return
    rows = [(_mark(each), each.step, each.expected, each.came) for each in results]
    out.print(table_of(("", "SENT", "EXPECTED", "CAME"), rows))
    for each in results:
        if each.advice:
            out.print(f"{each.step}: {each.advice}", markup=False, soft_wrap=True)


def _mark(result: Result) -> Text:
    return Text("✓", style="green") if result.is_good else Text("✗", style="red")
