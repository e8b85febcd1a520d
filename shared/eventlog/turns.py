"""Turns: what is about the same goes one after the other, in the order in which it came; the rest at once."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Hashable
from contextlib import asynccontextmanager


class Turns:
    """A queue for each key that anybody waits for; it is gone when nobody does.

    Who has several keys waits for the earlier ones of each. Nobody can wait for somebody later, so there is
    no deadlock. The order is that of this process: two processes share a consumer's messages in any order.
    """

    def __init__(self) -> None:
        self._last: dict[Hashable, asyncio.Future[None]] = {}

    @property
    def is_busy(self) -> bool:
        """Tell whether anybody is inside or waits."""
        return bool(self._last)

    @asynccontextmanager
    async def of(self, keys: Collection[Hashable]) -> AsyncGenerator[None]:
        """Be inside once everybody who asked earlier for any of the keys has left; asking takes the place."""
        mine = asyncio.get_running_loop().create_future()
        earlier = {before for key in keys if (before := self._last.get(key))}
        self._last.update(dict.fromkeys(keys, mine))
        try:
            if earlier:
                await asyncio.wait(earlier)
            yield
        finally:
            mine.set_result(None)
            for key in keys:
                if self._last.get(key) is mine:
                    del self._last[key]
