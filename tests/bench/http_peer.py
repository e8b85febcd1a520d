"""One HTTP/1.1 connection that sends prepared requests one after the other, and costs little itself."""

import asyncio
from collections.abc import Sequence
from typing import Self, cast

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"
_CREATED = b"HTTP/1.1 201"


class NotCreatedError(Exception):
    """A request was answered with another status than 201, or the connection was closed."""


class HttpPeer(asyncio.Protocol):
    """A client that knows answers with a Content-Length, which is all that is measured."""

    def __init__(self) -> None:
        self._received = b""
        self._left: list[bytes] = []
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @classmethod
    async def open(cls, port: int) -> Self:
        """Connect to a port of this machine."""
        _, peer = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return peer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- asyncio calls it by name
        self._fail("The connection was closed.")

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(_END_OF_HEAD)) >= 0:
            head = self._received[:end]
            after = end + len(_END_OF_HEAD) + _length(head)
            if len(self._received) < after:
                return
            self._received = self._received[after:]
            if not head.startswith(_CREATED):
                self._fail(head.partition(b"\r\n")[0].decode())
                return
            self._next()

    async def send(self, requests: Sequence[bytes]) -> None:
        """Send each once the one before is answered; returns when all are. Raises NotCreatedError."""
        self._done = asyncio.get_running_loop().create_future()
        self._left = list(reversed(requests))
        self._next()
        await self._done

    def close(self) -> None:
        """Hang up."""
        self._transport.close()

    def _next(self) -> None:
        if self._left:
            self._transport.write(self._left.pop())
        elif not self._done.done():
            self._done.set_result(None)

    def _fail(self, sentence: str) -> None:
        if not self._done.done() and self._left:
            self._done.set_exception(NotCreatedError(sentence))


def _length(head: bytes) -> int:
    lowered = head.lower()
    at = lowered.find(_LENGTH)
    return int(lowered[at + len(_LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0
