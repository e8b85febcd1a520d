"""A sender that takes all it can get of nats-server, beside the services and another sender."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec

from services.console.embedded import start_nats
from services.console.nats_accounts import CONNECTIONS, SERVICES, SUBSCRIPTIONS
from tests.integration.test_nats_accounts import let_in


class Peer:
    """A connection in NATS' own protocol: a client library would try again."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def asks(self, *lines: str) -> str:
        """Say something and return what is answered up to the next PONG, or until the server hangs up."""
        self._writer.write("".join(f"{line}\r\n" for line in (*lines, "PING")).encode())
        told: list[bytes] = []
        async with asyncio.timeout(10):
            while (line := await self._reader.readline()) not in (b"PONG\r\n", b""):
                told.append(line)
        return b"".join(told).decode()


@asynccontextmanager
async def peer(url: str, user: str, password: str) -> AsyncGenerator[tuple[Peer, str]]:
    """A connection as this user, and what the server says to it."""
    reader, writer = await asyncio.open_connection(*url.removeprefix("nats://").split(":"))
    try:
        await reader.readline()  # INFO
        told = msgspec.json.encode({"verbose": False, "pedantic": False, "user": user, "pass": password})
        made = Peer(reader, writer)
        yield made, await made.asks(f"CONNECT {told.decode()}")
    finally:
        writer.transport.abort()


async def test_a_sender_takes_no_more_connections_and_subscriptions_than_its_account_has(
    servers_directory: Path,
):
    directory = servers_directory / "nats"
    directory.mkdir()
    passwords = let_in(directory / "accounts.conf", "greedy", "modest")
    with start_nats(directory) as server:
        async with AsyncExitStack() as open_ones:

            async def connect(user: str) -> tuple[Peer, str]:
                return await open_ones.enter_async_context(peer(server.url, user, passwords[user]))

            taken: Sequence[tuple[Peer, str]] = [await connect("greedy") for _ in range(CONNECTIONS)]
            assert {said for _, said in taken} == {""}
            _, said = await connect("greedy")
            assert "maximum account active connections exceeded" in said

            one = taken[0][0]
            subscribed = [f"SUB _INBOX.{number} {number}" for number in range(SUBSCRIPTIONS + 100)]
            assert "maximum subscriptions exceeded" in (await one.asks(*subscribed)).lower()
            for user in ("modest", SERVICES):
                other, said = await connect(user)
                assert said == await other.asks("SUB _INBOX.x 1") == ""
