"""`throughcare apply`: streams, buckets, consumers and the database's schema as this version wants them."""

import asyncio
from typing import Annotated

import typer

from services.console.output import out
from services.console.place import Place, place_of
from shared.eventlog import streams
from shared.projections.migration import migrate


def apply(
    context: typer.Context,
    replicas: Annotated[
        int, typer.Option(help="Copies of each stream; three in production.", min=1, max=5)
    ] = 1,
) -> None:
    """Make the NATS server's streams and the database's schema what this version wants.

    May run any number of times, and says what it changed. Services never do this themselves.
    """
    changed = asyncio.run(apply_all(place_of(context), replicas))
    for line in changed:
        out.print(line, markup=False)
    out.print("Everything is as declared." if changed else "Everything was as declared already.")


async def apply_all(place: Place, replicas: int = 1) -> list[str]:
    """Apply the streams, then the migrations; returns a line for each thing that was changed."""
    partitions = place.settings().partitions
    async with place.nats() as nats:
        changed = await streams.apply(nats, partitions, replicas=replicas)
    async with place.database() as connection:
        return [*changed, *(f"migration {name} applied" for name in await migrate(connection))]
