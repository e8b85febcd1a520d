"""Reads one entity from the journal; knows when Postgres is not there, and leaves it alone for a moment."""

import asyncio
import time
from pathlib import Path
from typing import Any, Final

import asyncpg
import structlog
from msgspec import Struct

from shared.eventlog.subjects import EntityKey
from shared.settings import Settings

_ENTITY: Final = (Path(__file__).parent / "entity.sql").read_text(encoding="utf-8")
_TIMEOUT_SECONDS: Final = 2.0
_PAUSE_SECONDS: Final = 1.0
_log = structlog.get_logger()

Connection = Any  # asyncpg's proxies are not typed
Unreachable = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncio.TimeoutError)


class JournalRead(Struct, frozen=True):
    """What the journal holds of an entity: everything up to `checkpoint` in its partition."""

    checkpoint: int
    messages: tuple[tuple[int, bytes], ...]  # sequence, event


NOTHING: Final = JournalRead(0, ())


class Journal:
    """The index that entities are loaded from. Without Postgres it says that it holds nothing."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool
        self._paused_until = 0.0

    async def entity(self, key: EntityKey) -> JournalRead:
        """Read the entity; NOTHING where Postgres cannot be reached: then the log is read."""
        if time.monotonic() < self._paused_until:
            return NOTHING
        try:
            rows = await self._pool.fetch(
                _ENTITY, key.partition, key.category, key.entity, timeout=_TIMEOUT_SECONDS
            )
        except Unreachable as error:
            self._pause(error)
            return NOTHING
        if not rows:
            return NOTHING
        held = tuple((row["seq"], row["message"]) for row in rows if row["seq"] is not None)
        return JournalRead(rows[0]["checkpoint"], held)

    def _pause(self, error: BaseException) -> None:
        """Stop asking for a moment: every load would wait for the same time-out."""
        self._paused_until = time.monotonic() + _PAUSE_SECONDS
        _log.warning(
            "journal-unreachable", reason=type(error).__name__, consequence="entities load from the log"
        )


async def open_pool(settings: Settings, *, size: int = 8) -> "asyncpg.Pool[Any]":
    """Make a pool that opens its connections when they are needed: Postgres may be down at the start."""
    return await asyncpg.create_pool(
        settings.database_url, min_size=0, max_size=size, timeout=_TIMEOUT_SECONDS, reset=_keep
    )


async def _keep(_connection: Connection) -> None:
    """Leave a released connection as it is: these only read, and a reset costs a round trip each time."""
