"""The FHIR door in this process, over a real log; what it reads is in a database that is not there."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import msgspec
import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext

from services.console.embedded import NatsServer
from services.gateway.fhir.app import application
from services.gateway.fhir.auth import ToldTokens
from services.gateway.fhir.desk import Desk
from services.gateway.fhir.door import Door
from services.gateway.fhir.listener import Listener
from services.gateway.fhir.resources import Resources
from services.gateway.fhir.settled import Settled
from services.gateway.profiles import without_file
from shared.eventlog import streams
from shared.eventlog.client import CommandClient
from shared.eventlog.log import Log
from shared.events.inbound import InboundEnvelope
from shared.settings import Settings

SECRET = "a key of these tests only"
NO_DATABASE = "postgresql://127.0.0.1:1/nothing-listens-here"


class Edge:
    """A client of the door, and what the log has."""

    def __init__(self, client: httpx.AsyncClient, nats: Client, server: NatsServer) -> None:
        self.client = client
        self.nats = nats
        self.server = server

    async def post(self, path: str, resource: object, **headers: str) -> httpx.Response:
        told = {"Content-Type": "application/fhir+json", **headers}
        return await self.client.post(path, content=msgspec.json.encode(resource), headers=told)

    async def stored(self) -> list[InboundEnvelope]:
        jetstream = JetStreamContext(self.nats)
        last = (await jetstream.stream_info("INBOUND")).state.last_seq
        found = [await jetstream.get_msg("INBOUND", number) for number in range(1, last + 1)]
        return [msgspec.json.decode(message.data or b"", type=InboundEnvelope) for message in found]

    async def count(self) -> int:
        return (await JetStreamContext(self.nats).stream_info("INBOUND")).state.messages


def outcome_of(response: httpx.Response) -> dict[str, Any]:
    """The first issue of an OperationOutcome, which the answer has to be."""
    told = response.json()
    assert told["resourceType"] == "OperationOutcome"
    return told["issue"][0]


@pytest.fixture
async def edge(nats_server: NatsServer, servers_directory: Path) -> AsyncGenerator[Edge]:
    nats = Client()
    await nats.connect(nats_server.url)
    await streams.apply(nats, 1)
    log = Log(nats)
    told = Settings(nats_url=nats_server.url, database_url=NO_DATABASE, identifier_key=SECRET)
    resources = await Resources.connected(NO_DATABASE, Settled(log, 1), Desk(told, CommandClient(nats).ask))
    door = Door(
        authority=ToldTokens("general=token-of-general other=token-of-other"),
        resources=resources,
        publish=log.publish,
        largest_payload=lambda: nats.max_payload,
        log=log,
        identifier_key=SECRET,
        profiles=lambda: without_file(ZoneInfo("America/New_York")),
    )
    listener = Listener(application(door, largest_body=1_000_000), "127.0.0.1", 0)
    headers = {"Authorization": "Bearer token-of-general"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{listener.port}", headers=headers) as client:
        client.timeout = httpx.Timeout(30)
        yield Edge(client, nats, nats_server)
    await listener.close()
    await resources.close()
    await nats.close()
