"""Until when the resources are complete: who polls by `_lastUpdated` is shown nothing later.

A resource was last updated when its event was recorded in the log. Each partition is projected in that order,
but one partition may be behind another: were the later one's changes shown at once, a poller would go on from
them and never see the earlier ones.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

from shared.eventlog.errors import LogUnavailableError
from shared.eventlog.log import Log
from shared.eventlog.subjects import stream_of
from shared.projections.checkpoint import Checkpoint, read_checkpoints
from shared.projections.postgres import Connection

_ON_ITS_WAY: Final = timedelta(seconds=1)
"""So long a replicated stream may take to show a message that has its time already; clocks differ, too."""


class Settled:
    """Knows it of all partitions."""

    def __init__(self, log: Log, partitions: int) -> None:
        self._log = log
        self._partitions = partitions

    async def before(self, connection: Connection) -> datetime | None:
        """Return before when nothing can be added to what a transaction sees; None: whatever it sees is all.

        The transaction is repeatable read: what is asked here is its first look, and the log is asked after
        it, so a message that is not there yet is recorded later than anything that the transaction sees.
        """
        if self._partitions == 1:
            return None  # what is projected is all up to it
        projected = {each.k: each for each in await read_checkpoints(connection)}
        latest = datetime.now(UTC) - _ON_ITS_WAY
        waiting = (self._waits_since(k, projected.get(k)) for k in range(self._partitions))
        return min([latest, *filter(None, await asyncio.gather(*waiting))])

    async def _waits_since(self, k: int, projected: Checkpoint | None) -> datetime | None:
        """Return when the first message that is not projected was recorded; None where there is none."""
        seq = projected.seq if projected else 0
        try:
            message = await self._log.next(stream_of(k), f"care.{k}.>", seq + 1)
        except LogUnavailableError:  # nothing says that it is not behind
            return (projected and projected.recorded_at) or datetime.min.replace(tzinfo=UTC)
        return message.recorded_at if message else None
