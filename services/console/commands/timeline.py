"""`throughcare timeline`: all that is known about one participant."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer

from services.console import lookup
from services.console.asking import instant_at_site
from services.console.options import AsJson, Participant
from services.console.output import out, print_json
from services.console.place import Place, place_of
from services.console.timeline_view import Chart, chart
from services.timeline import queries
from services.timeline.person import person
from shared.projections.postgres import Connection
from shared.site import Site, site_of


def timeline(
    context: typer.Context,
    participant: Participant,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of", metavar="WHEN", help="As it was known then: 2026-03-03T10:00, in the site's time."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what happened to a participant: when, who did it, which message told us, and what is due.

    Times are when things happened at the site; where we were told a day later or more, that day is shown too.
    """
    place = place_of(context)
    settings = place.settings()
    then = instant_at_site(as_of, settings, option="--as-of") if as_of else None
    read = asyncio.run(_read(place, participant, site_of(settings), then))
    if as_json:
        print_json(read)
    else:
        out.print(chart(read, site_of(settings)))


async def _read(place: Place, meant: str, site: Site, then: datetime | None) -> Chart:
    found = await lookup.participant(place, meant)
    async with place.database() as connection:
        if then is None:
            return await read_chart(connection, site, found.id)
        return Chart(
            asked=found.id,
            person=await person(connection, found.id, then),
            care=await queries.care_state_as_of(connection, site, found.id, then),
            timeline=await queries.timeline(connection, found.id, then),
            follow_ups=(),
            tasks=(),
        )


async def read_chart(connection: Connection, site: Site, participant: UUID) -> Chart:
    """Read all that a coordinator reads about a participant, as it is now."""
    now = datetime.now(UTC)
    return Chart(
        asked=participant,
        person=await person(connection, participant),
        care=await queries.care_state(connection, participant, site),
        timeline=await queries.timeline(connection, participant),
        follow_ups=await queries.follow_ups(connection, site, now, participant),
        tasks=await queries.worklist(connection, site, now, participant=participant),
    )
