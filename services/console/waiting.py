"""Waiting for what others do: asked again and again, never slept for."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import asyncpg

from services.console.faults import Failed
from services.console.place import Place
from shared.events.envelope import Position
from shared.projections.checkpoint import read_checkpoint

VISIBLE_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.05


async def until(condition: Callable[[], Awaitable[bool]], seconds: float) -> bool:
    """Ask until the condition holds; False where it does not within the seconds."""
    try:
        async with asyncio.timeout(seconds):
            while not await condition():  # noqa: ASYNC110 -- a read model in Postgres tells nobody
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        return False
    return True


async def until_visible(place: Place, position: Position) -> bool:
    """Wait until the read models hold a position: the next command shows it. False where not in time."""
    try:
        async with place.database() as connection:

            async def holds() -> bool:
                checkpoint = await read_checkpoint(connection, position.partition)
                return checkpoint is not None and checkpoint.seq >= position.sequence

            return await until(holds, VISIBLE_SECONDS)
    except (Failed, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False  # the log has it; the read models follow when Postgres is back
