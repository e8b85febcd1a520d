"""`throughcare apply`: streams, buckets, consumers and the database's schema as this version wants them."""

import asyncio
from typing import Annotated

import typer

from services.console.output import out
from services.console.place import database_of, nats_of, place_of
from shared.eventlog import streams
from shared.projections.migration import migrate
from shared.settings import Settings


def apply(
    context: typer.Context,
    replicas: Annotated[
        int | None,
        typer.Option(
            help="Copies of each stream: three in production. Without it they stay as many.", min=1, max=5
        ),
    ] = None,
) -> None:
    """Make the NATS server's streams and the database's schema what this version wants.

    May run any number of times, and says what it changed. Services never do this themselves.
    """
    changed = asyncio.run(apply_all(place_of(context).settings(), replicas))
    for line in changed:
        out.print(line, markup=False)
    out.print("Everything is as declared." if changed else "Everything was as declared already.")


async def apply_all(settings: Settings, replicas: int | None = None) -> list[str]:
    """Apply the streams, then the migrations; returns a line for each thing that was changed."""
    async with nats_of(settings) as nats:
        changed = await streams.apply(nats, settings.partitions, replicas=replicas)
    async with database_of(settings) as connection:
        return [*changed, *(f"migration {name} applied" for name in await migrate(connection))]
