"""Leading a channel: of several gateways one delivers, the others wait for it to fall silent.

Whoever leads writes its name into the channel's progress and writes at least every third of the lease.
Another takes over when the value has not changed for a whole lease by its own clock, so clocks need not
agree, or at once where the leader said that it stops. An attempt to deliver is limited to a third of the
lease, and begins only within a third of the last write: it is over before anybody else may begin one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

from msgspec.structs import replace

from services.gateway.delivery.progress import Kept, Progress, ProgressStore
from shared.eventlog.errors import ConflictError

Change = Callable[[Progress], Progress]
Start = Callable[[], Awaitable[int]]
"""Returns the cursor of a channel that has none yet."""


class LeadLostError(Exception):
    """Another gateway leads the channel."""


class Lead:
    """One gateway's hold on one channel, and the progress as it knows it."""

    def __init__(self, store: ProgressStore, key: str, lease: float, start: Start) -> None:
        self.key = key
        self._store = store
        self._lease = lease
        self._start = start
        self._me = str(uuid4())
        self._kept = Kept(Progress(), 0)
        self._written = 0.0

    @property
    def progress(self) -> Progress:
        """The progress as last written or read."""
        return self._kept.progress

    async def take(self, wake: asyncio.Event) -> None:
        """Wait until the channel is ours."""
        loop = asyncio.get_running_loop()
        seen, since = -1, 0.0
        while True:
            kept = await self._store.read(self.key)
            if kept.revision != seen:
                seen, since = kept.revision, loop.time()
            if kept.progress.holder in (None, self._me) or loop.time() - since >= self._lease:
                if await self._claim(kept):
                    return
                continue
            await wait(wake, self._lease / 8)

    async def _claim(self, kept: Kept) -> bool:
        progress = kept.progress.again({})  # a gateway or a channel that is new is no reason to wait
        if progress == Progress():  # it has not begun
            progress = replace(progress, cursor=await self._start())
        try:
            await self._write(replace(progress, holder=self._me), kept.revision)
        except ConflictError:
            return False
        return True

    async def change(self, change: Change) -> None:
        """Write the progress after a change; where somebody asked for a resend meanwhile, change that.

        Raises LeadLostError.
        """
        while True:
            try:
                await self._write(change(self._kept.progress), self._kept.revision)
            except ConflictError:
                await self._reread()
            else:
                return

    async def refresh(self) -> None:
        """Show that we are there where that is due. Raises LeadLostError."""
        if asyncio.get_running_loop().time() - self._written > self._lease / 3:
            await self.change(_unchanged)

    async def look(self) -> None:
        """Take over what somebody asked for. Raises LeadLostError."""
        await self._reread()

    async def release(self) -> None:
        """Let another gateway take over at once."""
        await self.change(lambda progress: replace(progress, holder=None))

    async def _reread(self) -> None:
        kept = await self._store.read(self.key)
        if kept.progress.holder != self._me:
            raise LeadLostError
        self._kept = kept

    async def _write(self, progress: Progress, revision: int) -> None:
        begun = asyncio.get_running_loop().time()
        self._kept = Kept(progress, await self._store.write(self.key, progress, revision))
        self._written = begun


def _unchanged(progress: Progress) -> Progress:
    return progress


async def wait(wake: asyncio.Event, seconds: float) -> None:
    """Wait until woken, for so long at most."""
    try:
        async with asyncio.timeout(max(seconds, 0.0)):
            await wake.wait()
    except TimeoutError:
        return
    wake.clear()
