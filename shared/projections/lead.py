"""Who projects a partition: the one process whose connection holds its lock.

The same connection writes the batches. So who loses the lock, because the connection broke, cannot commit,
and Postgres gives the lock away only when whatever that connection had under way is decided.
"""

import asyncio

from shared.projections.postgres import Connection
from shared.projections.queries import sql

TRY_SECONDS = 0.5


async def try_lead(connection: Connection, k: int) -> bool:
    """Tell whether this connection is the partition's now."""
    return bool(await connection.fetchval(sql("try_lead"), k))


async def until_elected(connection: Connection, k: int) -> None:
    """Wait until this connection is the partition's: asking again, as a blocking lock would stop vacuum."""
    while not await try_lead(connection, k):  # noqa: ASYNC110 (Postgres tells nobody)
        await asyncio.sleep(TRY_SECONDS)


async def until_rebuilder(connection: Connection) -> None:
    """Wait until this connection is the one that may build a generation."""
    while not await connection.fetchval(sql("try_rebuild")):  # noqa: ASYNC110 (the same)
        await asyncio.sleep(TRY_SECONDS)
