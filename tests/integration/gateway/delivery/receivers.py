"""A hospital's receivers: one of MLLP and one of HTTP, both real, that note what comes and answer as told."""

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Self

import msgspec
import uvicorn
from msgspec import Struct

from services.gateway.hl7v2 import acknowledgement
from services.gateway.hl7v2.error import Condition, Hl7Error, Place
from services.gateway.hl7v2.header import read_header
from services.gateway.hl7v2.message import Message, parse
from services.gateway.mllp.framing import Frame
from services.gateway.mllp.server import Server, serve


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port: int = held.getsockname()[1]
        return port


class MllpReceiver:
    """Notes messages; `refuses` are placer numbers whose messages get AE."""

    def __init__(
        self, port: int | None = None, seconds: float = 0.0, tls: ssl.SSLContext | None = None
    ) -> None:
        self.port = port or free_port()
        self.messages: list[Message] = []
        self.refuses: set[str] = set()
        self.because = "We do not know this referral."
        self.at_once = 0  # the most messages in hand at a time
        self._in_hand = 0
        self._seconds = seconds
        self._tls = tls
        self._server: Server | None = None

    @property
    def heard(self) -> list[tuple[str, str]]:
        """The placer's number and our exact status of each message that was accepted."""
        return [_heard(each) for each in self.messages if each.text("RF1", 6) not in self.refuses]

    @property
    def control_ids(self) -> list[str]:
        return [each.control_id for each in self.messages]

    async def __aenter__(self) -> Self:
        self._server = await serve(self._handle, "127.0.0.1", self.port, tls=self._tls)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server:
            await self._server.close()

    async def _handle(self, frame: Frame) -> bytes | None:
        assert isinstance(frame, bytes)
        self._in_hand += 1
        self.at_once = max(self.at_once, self._in_hand)
        await asyncio.sleep(self._seconds)
        self._in_hand -= 1
        message = parse(frame)
        self.messages.append(message)
        if message.text("RF1", 6) in self.refuses:
            error = Hl7Error(Condition.APPLICATION_ERROR, Place("RF1", 6), self.because)
            return acknowledgement.refuse(read_header(frame), error)
        return acknowledgement.accept(read_header(frame))


def _heard(message: Message) -> tuple[str, str]:
    return message.text("RF1", 6), message.text("RF1", 1, 4)


@asynccontextmanager
async def broken_receiver(port: int, answer: bytes | None) -> AsyncGenerator[list[bytes]]:
    """Note what comes; say `answer` to it and hang up, or say nothing and hang on where it is None."""
    heard: list[bytes] = []
    over = asyncio.Event()

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\x1c\r"))
        if answer is None:
            await over.wait()
        else:
            writer.write(answer)
        writer.close()

    server = await asyncio.start_server(peer, "127.0.0.1", port)
    try:
        yield heard
    finally:
        over.set()
        server.close()
        await server.wait_closed()


class Call(Struct, frozen=True):
    """A call of a rest-hook."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def task(self) -> dict[str, Any]:
        return msgspec.json.decode(self.body, type=dict[str, Any])


class _Uvicorn(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


Send = Callable[[dict[str, Any]], Awaitable[None]]


class HttpReceiver:
    """Notes calls; answers `status`, or what `answers` says for a placer's number."""

    def __init__(self, port: int | None = None) -> None:
        self.port = port or free_port()
        self.calls: list[Call] = []
        self.status = 200
        self.answers: dict[str, int] = {}
        self.hangs = False
        self.extra_headers: list[tuple[bytes, bytes]] = []
        self._server = _Uvicorn(
            uvicorn.Config(
                self._answer, "127.0.0.1", self.port, log_config=None, lifespan="off", interface="asgi3"
            )
        )
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/told?by=throughcare"

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._server.serve())
        while not self._server.started:  # noqa: ASYNC110 (uvicorn has no event for it)
            await asyncio.sleep(0.01)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.should_exit = True
        if self._task:
            await self._task

    async def _answer(
        self, scope: dict[str, Any], receive: Callable[[], Awaitable[dict[str, Any]]], send: Send
    ) -> None:
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        call = Call(f"{scope['path']}?{scope['query_string'].decode()}", headers, body)
        self.calls.append(call)
        if self.hangs:
            await receive()  # until who calls hangs up
            return
        await send(
            {"type": "http.response.start", "status": self._status(call), "headers": self.extra_headers}
        )
        await send({"type": "http.response.body", "body": b"thank you"})

    def _status(self, call: Call) -> int:
        number = call.task["identifier"][0]["value"] if call.body else ""
        return self.answers.get(number, self.status)
