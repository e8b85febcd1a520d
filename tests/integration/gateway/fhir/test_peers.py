"""HTTP peers that keep others waiting: each is hung up on in time, and nobody else feels it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import httpx
import pytest
from litestar import Litestar, get, post

from services.gateway.fhir.door import FhirRequest
from services.gateway.fhir.listener import Listener

HEAD = b"POST /count HTTP/1.1\r\nHost: here\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\n"
LARGE = 50_000_000


@post("/count")
async def count(request: FhirRequest) -> str:
    return str(len(await request.body()))


@get("/large")
async def large() -> bytes:
    return bytes(LARGE)


@asynccontextmanager
async def listening(*, connections: int = 100, patience: float = 60.0) -> AsyncGenerator[Listener]:
    app = Litestar([count, large], openapi_config=None)
    listener = Listener(app, "127.0.0.1", 0, connections=connections, patience=patience)
    try:
        yield listener
    finally:
        await listener.close()


async def ended(listener: Listener, told: bytes) -> None:
    """Say something, and wait until the other side hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    try:
        writer.write(told)
        with suppress(ConnectionError):
            await reader.read()
    finally:
        writer.transport.abort()


async def until_alone(listener: Listener) -> None:
    while listener.connections:  # noqa: ASYNC110 -- what is waited for is the listener's own business
        await asyncio.sleep(0.01)


async def answer(listener: Listener) -> str:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{listener.port}") as client:
        return (await client.post("/count", content=b"12345")).text


@pytest.mark.parametrize(
    "told", [b"", b"GET / HT", HEAD, HEAD + b"half"], ids=["nothing", "half a head", "no body", "half a body"]
)
async def test_a_peer_that_leaves_its_request_unfinished_is_hung_up_on(told: bytes):
    async with listening(patience=0.2) as listener:
        async with asyncio.timeout(5):
            await ended(listener, told)
        assert await answer(listener) == "5"


async def test_a_peer_that_does_not_read_is_hung_up_on():
    async with listening(patience=0.2) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port, limit=1_024)
        writer.write(b"GET /large HTTP/1.1\r\nHost: here\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        await until_alone(listener)
        with suppress(ConnectionError):
            assert len(await reader.read()) < LARGE
        writer.transport.abort()


async def test_a_slow_body_is_waited_for_while_more_of_it_comes():
    async with listening(patience=0.2) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(HEAD)
        for _ in range(10):
            writer.write(bytes(100))
            await asyncio.sleep(0.05)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 201")
        writer.transport.abort()


async def test_more_connections_than_allowed_are_hung_up_on_and_the_others_go_on():
    async with listening(connections=3) as listener, AsyncExitStack() as stack:
        client = await stack.enter_async_context(
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{listener.port}")
        )
        assert (await client.post("/count", content=b"12345")).text == "5"
        for _ in range(2):
            _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
            stack.callback(writer.close)
        await ended(listener, b"")
        assert (await client.post("/count", content=b"12345")).text == "5"
