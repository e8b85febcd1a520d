"""A log as it is applied in production, on a real server, and what decides on it.

Postgres is not there unless a test asks for `database`: the log has to do without.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import pytest
from nats.aio.client import Client
from nats.errors import NoRespondersError

from services.console.embedded import NatsServer
from services.intake.deciders import participant as participants
from shared.eventlog import streams
from shared.eventlog.connection import close, connect
from shared.eventlog.entities import Entities
from shared.eventlog.execute import Executor
from shared.eventlog.journal import Journal, open_pool
from shared.eventlog.log import Log
from shared.eventlog.runtime import Runtime, open_runtime
from shared.eventlog.subjects import EntityKey, partition_of
from shared.events.envelope import Event
from shared.events.registry import REGISTRY
from shared.process import Process
from shared.settings import Settings
from tests.conftest import NATS_URL

NOWHERE = "postgresql://127.0.0.1:1/none"
PATIENCE_SECONDS = 20.0


@pytest.fixture
def settings(request: pytest.FixtureRequest, nats_url: str) -> Settings:
    """The settings of a service whose Postgres is down."""
    return Settings(
        nats_url=nats_url,
        nats_monitor_url=_monitor_url(request),
        database_url=NOWHERE,
        identifier_key="a key of sixteen or more",
    )


def _monitor_url(request: pytest.FixtureRequest) -> str | None:
    if NATS_URL is not None:
        return os.environ.get("THROUGHCARE_NATS_MONITOR_URL")
    server: NatsServer = request.getfixturevalue("nats_server")
    return server.monitor_url


@pytest.fixture
async def nats(settings: Settings) -> AsyncGenerator[Client]:
    """A client of a server whose streams are applied."""
    client = await connect(settings, name="test")
    await streams.apply(client, settings.partitions)
    yield client
    await close(client)


@pytest.fixture
async def office(nats: Client, settings: Settings) -> AsyncGenerator["Office"]:
    async with open_office(settings) as office:
        yield office


@dataclass
class Office:
    """What a process decides with."""

    settings: Settings
    client: Client
    log: Log
    entities: Entities
    executor: Executor

    def key(self, participant: UUID) -> EntityKey:
        return participant_key(participant, self.settings.partitions)

    async def participant(self, participant: UUID) -> participants.State:
        """The participant as this process holds it."""
        return (await self.executor.entity(participants.DECIDER, self.key(participant))).state

    async def events(self, participant: UUID) -> list[Event]:
        """The participant's events as the log holds them."""
        return [event async for _, event in events_of(self.log, self.key(participant))]


@asynccontextmanager
async def open_office(settings: Settings, *, log_seconds: float = 5.0) -> AsyncGenerator[Office]:
    client = await connect(settings, name="office")
    pool = await open_pool(settings)
    log = Log(client, timeout_seconds=log_seconds)
    entities = Entities(log, Journal(pool), keep=settings.state_cache)
    try:
        yield Office(settings, client, log, entities, Executor(log, entities, settings))
    finally:
        await close(client)
        pool.terminate()  # its server may be gone


@asynccontextmanager
async def open_service(service: str, settings: Settings) -> AsyncGenerator[Runtime]:
    """What a service is made of, as its composition root gets it; the broker is not started."""
    async with open_runtime(service, settings, TestedProcess(service, settings)) as runtime:
        yield runtime


class TestedProcess(Process):
    """A process that does not take the tests with it."""

    __test__ = False

    def _give_up(self) -> None:
        """Stay: the operating system's process is the tests' own."""


def participant_key(participant: UUID, partitions: int = 1) -> EntityKey:
    return EntityKey(partition_of(str(participant), partitions), "participant", str(participant))


async def events_of(log: Log, key: EntityKey) -> AsyncIterator[tuple[int, Event]]:
    async for message in log.tail(key.stream, key.subject, 0):
        yield message.sequence, REGISTRY.decode(message.payload)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until the condition holds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await condition():  # noqa: ASYNC110 (what is waited for happens in servers)
            await asyncio.sleep(0.01)


async def is_subscribed(client: Client, subject: str) -> bool:
    """Tell whether anybody answers on the subject: another connection's subscription takes a moment."""
    try:
        await client.request(subject, b"", timeout=5)
    except NoRespondersError:
        return False
    return True
