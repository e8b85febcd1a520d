"""One MLLP connection that keeps a number of messages on their way, and costs the machine little itself."""

import asyncio
from collections.abc import Sequence
from typing import Self, cast

_END = b"\x1c"
_REFUSALS = (b"|AE|", b"|AR|")


class RefusedError(Exception):
    """A receiver did not take a message, or hung up."""


class Peer(asyncio.Protocol):
    """A sender that counts its answers."""

    def __init__(self) -> None:
        self._answers = 0
        self._problem = ""
        self._moved = asyncio.Event()

    @classmethod
    async def open(cls, port: int) -> Self:
        """Connect to a port of this machine."""
        _, peer = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return peer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- asyncio calls it by name
        self._problem = self._problem or "The connection was closed."
        self._moved.set()

    def data_received(self, data: bytes) -> None:
        self._answers += data.count(_END)
        if any(refusal in data for refusal in _REFUSALS):
            self._problem = "A message was refused."
        self._moved.set()

    async def send(self, frames: Sequence[bytes], window: int) -> None:
        """Send all, at most `window` unanswered at a time; returns when all are answered."""
        sent, already = 0, self._answers
        while (answered := self._answers - already) < len(frames):
            more = frames[sent : answered + window]
            if more:
                self._transport.write(b"".join(more))
                sent += len(more)
            await self._next()

    def close(self) -> None:
        """Hang up."""
        self._transport.close()

    async def _next(self) -> None:
        await self._moved.wait()
        self._moved.clear()
        if self._problem:
            raise RefusedError(self._problem)
