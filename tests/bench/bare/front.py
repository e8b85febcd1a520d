"""The bare front door: a TCP server that stores each framed message before it answers."""

import asyncio

from nats.aio.client import Client

from tests.bench.bare.captured import Captured
from tests.bench.bare.log import bare, store

_END = b"\x1c\r"
_CONTROL_ID = 9  # field of MSH, counted from the first separator


async def serve(client: Client, captured: Captured) -> int:
    """Listen on a free port, which is returned."""
    server = await asyncio.get_running_loop().create_server(
        lambda: _Peer(client, captured), "127.0.0.1", 0, backlog=1024
    )
    return int(server.sockets[0].getsockname()[1])


class _Peer(asyncio.Protocol):
    """One sender; its messages are stored at the same time and answered in order."""

    def __init__(self, client: Client, captured: Captured) -> None:
        self._client = client
        self._captured = captured
        self._half = b""
        self._waiting: asyncio.Queue[asyncio.Task[bytes]] = asyncio.Queue()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._answering = asyncio.ensure_future(self._answer(transport))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- asyncio's signature
        self._answering.cancel()

    def data_received(self, data: bytes) -> None:
        *frames, self._half = (self._half + data).split(_END)
        for frame in frames:
            self._waiting.put_nowait(asyncio.ensure_future(self._store(frame)))

    async def _store(self, frame: bytes) -> bytes:
        control_id = frame.split(b"|", _CONTROL_ID + 1)[_CONTROL_ID]
        inbound = self._captured.inbound
        headers = {"Nats-Msg-Id": control_id.decode()}
        await store(self._client, bare(inbound.subject), inbound.payload, headers)
        return b"\x0bMSH|^~\\&|THROUGHCARE|IOP|EHR|HOSPITAL|||ACK^I12^ACK\rMSA|AA|%s\r\x1c\r" % control_id

    async def _answer(self, transport: asyncio.BaseTransport) -> None:
        while True:
            transport.write(await (await self._waiting.get()))  # type: ignore[attr-defined]
