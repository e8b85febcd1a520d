"""nats-server with the accounts that the console writes, changed while it runs."""

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import msgspec
import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.errors import NoStreamResponseError, ServiceUnavailableError
from typer.testing import CliRunner

from services.console.embedded import start_nats
from services.console.main import app
from services.console.nats_accounts import SERVICES
from services.gateway.native import taking
from services.gateway.profiles import without_file
from shared.eventlog import streams
from shared.eventlog.log import Log
from shared.events.schemas import SAMPLES
from tests.flushed import flushed

PATIENCE_SECONDS = 10.0
SAMPLE = SAMPLES / "inbound" / "DemographicsUpdate.json"
PROFILES = without_file(ZoneInfo("UTC"))


def let_in(file: Path, *arguments: str) -> dict[str, str]:
    """Write the accounts file; returns the new passwords."""
    told = CliRunner().invoke(app, ["nats-permissions", str(file), *arguments, "--json"])
    assert told.exit_code == 0, told.output
    return msgspec.json.decode(told.stdout, type=dict[str, str])


async def connected(url: str, user: str, password: str) -> tuple[Client, asyncio.Event]:
    """Connect; the event says that the connection ended."""
    client, ended = Client(), asyncio.Event()

    async def end(*_: object) -> None:
        ended.set()

    await client.connect(
        url, user=user, password=password, allow_reconnect=False, closed_cb=end, error_cb=end
    )
    return client, ended


async def sent_away(client: Client, ended: asyncio.Event) -> None:
    """Wait until the server ended the connection, whose socket nats-py leaves open."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        await ended.wait()
    client._transport.close()  # pyright: ignore[reportPrivateUsage, reportOptionalMemberAccess]
    await asyncio.sleep(0)  # the socket is closed in the loop's next turn


async def publish(client: Client, source: str) -> int:
    """Publish a message of the contract; returns where the gateway stored it."""
    event = msgspec.json.decode(SAMPLE.read_bytes(), type=dict[str, Any])
    payload = msgspec.json.encode({**event, "id": uuid4().hex})
    return (await JetStreamContext(client).publish(f"inbound.{source}.adt", payload)).seq


async def until_stored(client: Client, source: str) -> int:
    """Publish once the server has shared the stream's subject with the sender's account."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                return await publish(client, source)
            except NoStreamResponseError:
                await asyncio.sleep(0.02)


async def until_let_in(url: str, user: str, password: str) -> Client:
    """Connect once the server has read its file anew."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            reader, writer = await asyncio.open_connection(*url.removeprefix("nats://").split(":"))
            told = msgspec.json.encode({"verbose": False, "pedantic": False, "user": user, "pass": password})
            await reader.readline()
            writer.write(b"CONNECT " + told + b"\r\nPING\r\n")
            answer = await reader.readline()
            writer.close()
            await writer.wait_closed()
            if answer == b"PONG\r\n":
                return (await connected(url, user, password))[0]


async def test_a_running_server_takes_up_a_sender_and_sends_away_who_was_removed(servers_directory: Path):
    directory = servers_directory / "nats"
    directory.mkdir()
    file = directory / "accounts.conf"
    passwords = let_in(file, "lakeside", "hill-top")
    with start_nats(directory) as server:
        services, services_ended = await connected(server.url, SERVICES, passwords[SERVICES])
        lakeside, lakeside_ended = await connected(server.url, "lakeside", passwords["lakeside"])
        hilltop, hilltop_ended = await connected(server.url, "hill-top", passwords["hill-top"])
        with pytest.raises(NoStreamResponseError):  # no responders: no gateway runs yet
            await publish(lakeside, "lakeside")
        gateway = AsyncExitStack()
        await gateway.enter_async_context(taking(Log(services), lambda: PROFILES))
        await flushed(services)  # the server knows that the gateway listens
        with pytest.raises(
            ServiceUnavailableError, match="could not be stored now"
        ):  # there is no stream yet
            await publish(lakeside, "lakeside")
        await streams.apply(services, partitions=1)
        assert [await publish(lakeside, "lakeside"), await publish(hilltop, "hill-top")] == [1, 2]

        passwords = let_in(file, "valley", "--remove", "lakeside", "--renew", "hill-top")
        os.kill(server.pid, signal.SIGHUP)
        valley = await until_let_in(server.url, "valley", passwords["valley"])
        renewed = await until_let_in(server.url, "hill-top", passwords["hill-top"])
        assert await publish(renewed, "hill-top") == 3
        os.kill(server.pid, signal.SIGHUP)  # a new account's imports take hold with the second reload
        assert await until_stored(valley, "valley") == 4
        await sent_away(lakeside, lakeside_ended)
        await sent_away(hilltop, hilltop_ended)
        assert not services_ended.is_set()
        await gateway.aclose()
        for client in (services, valley, renewed):
            await client.close()
