"""Intake as it runs, on a real log and a real Postgres, with the projector beside it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from uuid import UUID

import msgspec
import pytest
from nats.aio.client import Client

from services.console.embedded import NatsServer
from services.intake.app import serving
from services.intake.identification import Identification
from services.timeline.read_models import projections
from shared.commands.base import Command
from shared.commands.reply import Reply
from shared.eventlog import streams
from shared.eventlog.client import CommandClient
from shared.eventlog.connection import connect
from shared.eventlog.parking import Parked, Parking, ReplayAnswer, ReplayRequest
from shared.eventlog.runtime import Runtime, open_runtime
from shared.eventlog.subjects import stream_of
from shared.events.base import Identifier
from shared.events.envelope import Event
from shared.events.inbound import InboundEnvelope
from shared.events.registry import REGISTRY
from shared.process import Process
from shared.projections import postgres
from shared.projections.postgres import Connection
from shared.projections.projector import Projector, prepare
from shared.settings import Settings
from tests.integration.intake.hospital import subject_of
from tests.unit.timeline.story import SITE

PATIENCE_SECONDS = 20.0


class _ProcessOfTests(Process):
    """A process that does not take the tests with it."""

    def _give_up(self) -> None:
        """Stay: the operating system's process is the tests' own."""


@dataclass
class House:
    """A hospital's messages go in; what the log, the parked and the read models say comes out."""

    nats: Client
    runtime: Runtime
    connection: Connection
    identification: Identification

    async def tell(self, *envelopes: InboundEnvelope) -> None:
        """Store messages one after the other, each handled before the next."""
        for envelope in envelopes:
            await self.store(envelope)
            await self.settled()

    async def store(self, envelope: InboundEnvelope) -> int:
        """Store a message; returns its place in INBOUND."""
        payload = msgspec.json.encode(envelope)
        return await self.runtime.log.publish(
            subject_of(envelope), payload, {"Nats-Msg-Id": str(envelope.id)}
        )

    async def again(self, envelope: InboundEnvelope) -> None:
        """Have intake get a message another time, as after a crash before its acknowledgement."""
        headers: dict[str, str] = {}  # without its id, INBOUND takes it as another one
        await self.runtime.log.publish(subject_of(envelope), msgspec.json.encode(envelope), headers)
        await self.settled()

    async def ask(self, command: Command) -> Reply:
        """Ask as a coordinator, and wait until what follows has happened, too."""
        answer = await CommandClient(self.nats).ask(command)
        await self.settled()
        return answer

    async def settled(self) -> None:
        """Wait until every message and event is handled and projected."""
        await until(self._is_settled)

    async def _is_settled(self) -> bool:
        before = await self._ends()
        for stream, consumer in self.runtime.policies.consumers:
            if await self.runtime.log.pending(stream, consumer) != 0:
                return False
        rows = await self.connection.fetch("select k, seq from log.checkpoint")
        reached = {row["k"]: row["seq"] for row in rows}
        is_projected = all(reached.get(k, 0) == end for k, end in enumerate(before[1:]))
        return is_projected and before == await self._ends()

    async def _ends(self) -> list[int]:
        names = ["INBOUND", *map(stream_of, range(self.runtime.settings.partitions))]
        jetstream = self.nats.jetstream()  # pyright: ignore[reportUnknownMemberType] -- its **opts have no types
        return [(await jetstream.stream_info(name)).state.last_seq for name in names]

    async def who(self, *identifiers: Identifier) -> UUID | None:
        """Return whose identifiers these are, as a message would find out."""
        return await self.identification.owner(identifiers)

    async def known(self, *identifiers: Identifier) -> UUID:
        """Return whose identifiers these are."""
        found = await self.who(*identifiers)
        assert found is not None
        return found

    async def events(self, category: str = "participant", subject: UUID | None = None) -> list[Event]:
        """Return what the log holds, of one participant if told, in order within each partition."""
        found = [
            REGISTRY.decode(message.payload)
            for k in range(self.runtime.settings.partitions)
            async for message in self.runtime.log.tail(stream_of(k), f"care.{k}.{category}.>", 0)
        ]
        return [event for event in found if subject in (None, event.subject)]

    async def told(self, subject: UUID, category: str = "participant") -> list[str]:
        """Return the names of a participant's events."""
        return [name_of(event) for event in await self.events(category, subject)]

    async def parked(self) -> list[Parked]:
        """Return what waits for a person."""
        return [entry for _, entry in await Parking(self.runtime.log).entries()]

    async def replay(self, parked: Parked) -> ReplayAnswer:
        """Have a parked message handled again."""
        request = ReplayRequest(parked.consumer, parked.stream, parked.sequence)
        reply = await self.nats.request("replay.intake", msgspec.json.encode(request), timeout=10)
        await self.settled()
        return msgspec.json.decode(reply.data, type=ReplayAnswer)

    async def is_held(self) -> bool:
        """Tell whether any notice is held."""
        return await self.runtime.log.next("KV_HELD", "$KV.HELD.>", 1) is not None


def name_of(event: Event) -> str:
    return event.type.rpartition(".")[2]


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until the condition holds."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 (what is waited for happens in servers)
            await asyncio.sleep(0.01)


def settings_of(nats_server: NatsServer, database: str, partitions: int) -> Settings:
    return Settings(
        nats_url=nats_server.url,
        nats_monitor_url=nats_server.monitor_url,
        database_url=database,
        identifier_key="a key of sixteen or more",
        partitions=partitions,
    )


@asynccontextmanager
async def projecting(nats: Client, settings: Settings) -> AsyncGenerator[None]:
    """Run the projector while inside."""
    models = projections(SITE)
    await prepare(settings.database_url, models)
    running = asyncio.create_task(
        Projector(nats, settings.database_url, models, partitions=settings.partitions).run()
    )
    yield
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


@asynccontextmanager
async def open_intake(settings: Settings) -> AsyncGenerator[Runtime]:
    """Run intake while inside."""
    process = _ProcessOfTests("intake", settings)
    async with open_runtime("intake", settings, process) as runtime, serving(runtime):
        yield runtime


@pytest.fixture(params=[1, 4], ids=["1-partition", "4-partitions"])
async def house(
    request: pytest.FixtureRequest, nats_server: NatsServer, database: str
) -> AsyncGenerator[House]:
    partitions: int = request.param
    settings = settings_of(nats_server, database, partitions)
    nats = await connect(settings, name="test")
    await streams.apply(nats, partitions)
    async with projecting(nats, settings), open_intake(settings) as runtime:
        connection = await postgres.connect(database)
        yield House(nats, runtime, connection, Identification(runtime.executor, settings))
        await connection.close()
    await nats.close()
