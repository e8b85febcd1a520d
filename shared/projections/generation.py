"""Generations of read models: each has a schema of its own; readers see the active one through views."""

from collections.abc import Sequence
from typing import Final

import asyncpg
import msgspec
import structlog
from msgspec import Struct

from shared.projections.postgres import Connection
from shared.projections.projection import AnyProjection
from shared.projections.queries import sql
from shared.projections.table import schema_of

_log: Final = structlog.get_logger()

DROP_LOCK_SECONDS: Final = 2

Versions = dict[str, int]


class Generation(Struct, frozen=True):
    """A number, and the name and version of the projections that fill it."""

    number: int
    versions: Versions


class OtherProjectionsError(Exception):
    """The read models are filled by other projections than this process has."""


def versions_of(projections: Sequence[AnyProjection]) -> Versions:
    """Return the version of each projection by its name."""
    return {projection.name: projection.version for projection in projections}


async def active_generation(connection: Connection) -> Generation | None:
    """Return the generation that readers see; None before the first."""
    row = await connection.fetchrow(sql("active_generation"))
    if row is None:
        return None
    return Generation(row["number"], msgspec.json.decode(row["projections"], type=Versions))


async def expect_generation(
    connection: Connection, number: int, projections: Sequence[AnyProjection]
) -> None:
    """Raise OtherProjectionsError unless the generation is active and filled by these projections."""
    active = await active_generation(connection)
    if active is None or active != Generation(number, versions_of(projections)):
        raise OtherProjectionsError(
            "The read models are filled by other versions of the projections than this process has; "
            "it stands by until it is replaced or started again."
        )


async def make_generation(connection: Connection, projections: Sequence[AnyProjection]) -> int:
    """Make the tables of a new generation, which nobody sees yet; returns its number."""
    async with connection.transaction():
        number = int(await connection.fetchval(sql("next_generation")))
        versions = msgspec.json.encode(versions_of(projections)).decode()
        await connection.execute(sql("add_generation"), number, versions)
        await connection.execute(f"create schema {schema_of(number)}")
        for projection in projections:
            await _make_table(connection, projection, schema_of(number))
    return number


async def activate(connection: Connection, number: int, projections: Sequence[AnyProjection]) -> None:
    """Let readers see a generation and projectors write it; in the transaction that holds the checkpoints."""
    for row in await connection.fetch(sql("views")):
        await connection.execute(f'drop view read."{row["viewname"]}"')
    for projection in projections:
        await connection.execute(
            f"create view read.{projection.name} as select * from {schema_of(number)}.{projection.name}"  # noqa: S608
        )
    await connection.execute(sql("retire_generation"))
    await connection.execute(sql("activate_generation"), number)
    await connection.execute(sql("enter_generation"), number)


async def drop_generations(connection: Connection) -> None:
    """Drop every generation but the active one: those left by a swap or by a rebuild that was interrupted."""
    for row in await connection.fetch(sql("generations")):
        if not row["active"]:
            await _drop(connection, row["number"])


async def _drop(connection: Connection, number: int) -> None:
    try:
        async with connection.transaction():
            await connection.execute(f"set local lock_timeout = '{DROP_LOCK_SECONDS}s'")
            await connection.execute(f"drop schema if exists {schema_of(number)} cascade")
            await connection.execute(sql("forget_generation"), number)
    except asyncpg.LockNotAvailableError:
        _log.warning("somebody still reads an old generation; the next rebuild drops it", generation=number)


async def _make_table(connection: Connection, projection: AnyProjection, schema: str) -> None:
    await connection.execute(f"set local search_path to {schema}")
    await connection.execute(projection.ddl)
    if not await connection.fetchval(sql("leads_index"), f"{schema}.{projection.name}", "participant"):
        # Rows are loaded, verified and replayed by participant.
        await connection.execute(f"create index on {projection.name} (participant)")
    await connection.execute("set local search_path to default")
