"""Sends framed messages to a front door over a few connections: as fast as it answers, or at a given rate."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Self, cast

from tests.bench.referrals import Sent

_CONNECTIONS = 4
_WINDOW = 64  # unanswered messages on one connection, where the rate is the receiver's
_END = b"\x1c\r"
_ANSWER_SECONDS = 60.0


class NotAcceptedError(Exception):
    """A front door refused a message, or hung up."""


class Door:
    """Connections to one front door."""

    def __init__(self, peers: Sequence["_Peer"]) -> None:
        self._peers = peers

    @classmethod
    @asynccontextmanager
    async def open(cls, port: int) -> AsyncGenerator[Self]:
        """Have the connections while inside."""
        loop = asyncio.get_running_loop()
        opened = [await loop.create_connection(_Peer, "127.0.0.1", port) for _ in range(_CONNECTIONS)]
        try:
            yield cls([peer for _, peer in opened])
        finally:
            for _, peer in opened:
                peer.close()

    async def send(self, messages: Sequence[Sent]) -> None:
        """Send as fast as the answers come; returns when all are answered."""
        share = [messages[at :: len(self._peers)] for at in range(len(self._peers))]
        async with asyncio.timeout(_ANSWER_SECONDS):
            await asyncio.gather(*(p.send_all(each) for p, each in zip(self._peers, share, strict=True)))

    async def send_at(self, messages: Sequence[Sent], rate: float) -> list[float]:
        """Send at a rate a second, come what may; returns when each was due (as time.perf_counter)."""
        begin = time.perf_counter()
        due = [begin + number / rate for number in range(len(messages))]
        for number, message in enumerate(messages):
            if (wait := due[number] - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            self._peers[number % len(self._peers)].write(message.frame)
        async with asyncio.timeout(_ANSWER_SECONDS):
            await asyncio.gather(*(peer.answered() for peer in self._peers))
        return due


class _Peer(asyncio.Protocol):
    def __init__(self) -> None:
        self._half = b""
        self._unanswered = 0
        self._problem: str | None = None
        self._moved = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- asyncio's signature
        self._problem = self._problem or "The connection was closed."
        self._moved.set()

    def data_received(self, data: bytes) -> None:
        *answers, self._half = (self._half + data).split(_END)
        for answer in answers:
            if b"MSA|AA" not in answer:
                self._problem = f"The answer is {answer!r}."
        self._unanswered -= len(answers)
        self._moved.set()

    def write(self, frame: bytes) -> None:
        self._unanswered += 1
        self._transport.write(frame)

    async def send_all(self, messages: Sequence[Sent]) -> None:
        for message in messages:
            await self._until(_WINDOW - 1)
            self.write(message.frame)
        await self.answered()

    async def answered(self) -> None:
        """Wait until nothing is unanswered."""
        await self._until(0)

    def close(self) -> None:
        self._transport.close()

    async def _until(self, unanswered: int) -> None:
        while self._unanswered > unanswered or self._problem:
            if self._problem:
                raise NotAcceptedError(self._problem)
            self._moved.clear()
            await self._moved.wait()
