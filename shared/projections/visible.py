"""Read-your-writes: waiting until what was appended is in the read models."""

import asyncio
from typing import Final

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from shared.events.envelope import Position
from shared.projections.jetstream import subscribe
from shared.projections.postgres import Pool
from shared.projections.queries import sql

POLL_SECONDS: Final = 0.5


class NotVisibleError(Exception):
    """The read models do not hold the position yet, in the time that was given."""


class Visible:
    """Knows how far each partition is projected: projectors tell, and Postgres is asked at the latest."""

    def __init__(self, nats: Client, pool: Pool) -> None:
        self._nats = nats
        self._pool = pool
        self._reached: dict[int, int] = {}
        self._moved = asyncio.Condition()
        self._subscription: Subscription | None = None

    async def start(self) -> None:
        """Listen to the projectors."""
        self._subscription = await subscribe(self._nats, "projected.*", self._hear)

    async def stop(self) -> None:
        """Stop listening."""
        if self._subscription and not self._nats.is_closed:
            await self._subscription.unsubscribe()
        self._subscription = None

    async def wait_for(self, position: Position, timeout: float) -> None:  # noqa: ASYNC109 (told in the error)
        """Return when a reader sees everything up to the position. Raises NotVisibleError after `timeout` s.

        Whoever tells is only believed to have moved forward, so a message that is lost or late costs at most
        the poll's half second. Of a partition that was heard of Postgres is asked only after that.
        """
        k = position.partition
        try:
            async with asyncio.timeout(timeout):
                if k not in self._reached:
                    await self._ask(k)
                while not self._has_reached(position):
                    if not await self._is_told(position):
                        await self._ask(k)
        except TimeoutError:
            raise NotVisibleError(f"What was recorded is not shown yet after {timeout:g} s.") from None

    def _has_reached(self, position: Position) -> bool:
        return self._reached.get(position.partition, 0) >= position.sequence

    async def _ask(self, k: int) -> None:
        row = await self._pool.fetchrow(sql("checkpoint"), k)
        self._reached[k] = row["seq"] if row else 0

    async def _is_told(self, position: Position) -> bool:
        """Wait for a projector to tell; False where none does for half a second."""
        try:
            async with asyncio.timeout(POLL_SECONDS), self._moved:
                return await self._moved.wait_for(lambda: self._has_reached(position))
        except TimeoutError:
            return False

    async def _hear(self, message: Msg) -> None:
        k, seq = message.subject.rpartition(".")[2], message.data
        if not (k.isdecimal() and seq.isdigit()):
            return
        async with self._moved:
            self._reached[int(k)] = max(self._reached.get(int(k), 0), int(seq))
            self._moved.notify_all()
