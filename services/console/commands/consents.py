"""`throughcare consent`: to whom a participant lets us tell what."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import msgspec
import typer
from msgspec import Struct, convert

from services.console import lookup
from services.console.asking import ask, common, moment_at_site, new_id
from services.console.options import CONSOLE, Actor, AsJson, Participant
from services.console.output import print_json, print_table
from services.console.place import Place, place_of
from shared.commands.consent import GrantConsent, RevokeConsent
from shared.disclosure import TREATMENT
from shared.events.consent import ConsentGranted

app = typer.Typer(no_args_is_help=True, help="To whom a participant lets us tell what: grant, revoke, list.")

_CONSENTS = """
select consent, terms::text as terms, granted_at, revoked_at, reason
from read.consent where participant = $1 order by granted_at, consent
"""


class Consent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A consent as it is listed."""

    consent: UUID
    terms: ConsentGranted
    granted_at: datetime
    revoked_at: datetime | None = None
    reason: str | None = None


@app.command()
def grant(
    context: typer.Context,
    participant: Participant,
    to: Annotated[
        list[str] | None, typer.Option(metavar="SOURCE", help="A recipient by name: a sender's token.")
    ] = None,
    to_class: Annotated[
        list[str] | None, typer.Option("--class", metavar="CLASS", help="A class of recipients.")
    ] = None,
    purpose: Annotated[
        list[str] | None, typer.Option(metavar="CODE", help=f"HL7 v3 PurposeOfUse; else {TREATMENT}.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="TYPE", help="Only this FHIR resource type, such as Task.")
    ] = None,
    starts: Annotated[str | None, typer.Option(metavar="WHEN", help="Not before; else at once.")] = None,
    expires: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Its last day, or the time of its end.")
    ] = None,
    part2: Annotated[
        bool, typer.Option("--part2", help="Substance-use treatment, too (42 CFR 2.31).")
    ] = False,
    counselling_notes: Annotated[
        bool, typer.Option("--counselling-notes", help="Counselling notes, and nothing else.")
    ] = False,
    actor: Actor = CONSOLE,
    as_json: AsJson = False,
) -> None:
    """Record a consent that the participant signed; several recipients by repeating the option."""
    settings = place_of(context).settings()
    begins, ends = moment_at_site(starts, settings), moment_at_site(expires, settings)
    ask(
        context,
        lookup.participant,
        participant,
        lambda found: GrantConsent(
            **common(found.participant, actor),
            consent=new_id(),
            recipients=tuple(to or ()),
            classes=tuple(to_class or ()),
            for_purpose=tuple(purpose or (TREATMENT,)),
            scope=tuple(only or ()),
            starts=begins,
            expires=ends,
            part2=part2,
            counselling_notes=counselling_notes,
        ),
        as_json=as_json,
    )


@app.command()
def revoke(
    context: typer.Context,
    participant: Participant,
    consent: Annotated[UUID, typer.Argument(help="Its id, as `list` shows it.", show_default=False)],
    reason: Annotated[str | None, typer.Option(help="Why, for whoever reads the record later.")] = None,
    actor: Actor = CONSOLE,
    as_json: AsJson = False,
) -> None:
    """Take a consent back: nothing more is told under it; what was told before stays as it was."""
    ask(
        context,
        lookup.participant,
        participant,
        lambda found: RevokeConsent(**common(found.participant, actor), consent=consent, reason=reason),
        as_json=as_json,
    )


@app.command("list")
def list_(context: typer.Context, participant: Participant, as_json: AsJson = False) -> None:
    """Show a participant's consents, also those that hold no more."""
    told = asyncio.run(read_consents(place_of(context), participant))
    if as_json:
        print_json(told)
        return
    columns = ("CONSENT", "TO", "FOR", "ABOUT", "UNTIL", "REVOKED")
    print_table(columns, map(_row, told), empty="The participant has agreed to nothing yet.")


async def read_consents(place: Place, meant: str) -> list[Consent]:
    """Read a participant's consents, oldest first. Raises Failed where nobody is meant."""
    found = await lookup.participant(place, meant)
    async with place.database() as connection:
        rows = await connection.fetch(_CONSENTS, found.participant)
    return [_consent(dict(row)) for row in rows]


def _consent(row: dict[str, object]) -> Consent:
    terms = msgspec.json.decode(str(row["terms"]), type=ConsentGranted)
    return convert({**row, "terms": terms}, Consent)


def _row(told: Consent) -> Sequence[str]:
    terms = told.terms
    about = ["counselling notes"] if terms.counselling_notes else list(terms.scope or ("all",))
    if terms.part2:
        about.append("with substance use")
    return (
        str(told.consent),
        ", ".join((*terms.recipients, *(f"any {each}" for each in terms.classes))),
        ", ".join(terms.purpose),
        ", ".join(about),
        terms.expires or "",
        told.revoked_at.astimezone(UTC).date().isoformat() if told.revoked_at else "",
    )
