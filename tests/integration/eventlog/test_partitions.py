"""From a hospital's message to aftercare and the read models, with one partition and with four."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest
from msgspec.structs import replace
from nats.aio.client import Client

from services.aftercare import app as aftercare
from services.care_plan import app as care_plan
from services.intake import app as intake
from services.timeline import app as timeline
from shared.commands import reply
from shared.commands.intake import AcceptReferral
from shared.eventlog import streams
from shared.eventlog.client import CommandClient
from shared.eventlog.connection import close, connect
from shared.eventlog.log import Log
from shared.eventlog.parking import Parking
from shared.eventlog.subjects import EntityKey, parse_subject, partition_of, stream_of
from shared.events.envelope import Event
from shared.events.registry import REGISTRY
from shared.process import end
from shared.projections.postgres import connect as connect_to_postgres
from shared.settings import Settings
from tests.integration.eventlog.conftest import until
from tests.integration.eventlog.stories import NOW, discharge, mrn, referral, subject_of

PEOPLE = 12
SERVICES: tuple[Callable[[Settings], Awaitable[None]], ...] = (
    intake.run,
    care_plan.run,
    aftercare.run,
    timeline.run,
)


@asynccontextmanager
async def running(settings: Settings) -> AsyncGenerator[None]:
    """All services, as their composition roots put them together."""
    tasks = [asyncio.ensure_future(run(settings)) for run in SERVICES]
    try:
        yield
    finally:
        await end(tasks)
        for task in tasks:
            with suppress(asyncio.CancelledError):
                task.result()


@pytest.fixture(params=[1, 4])
async def flow(request: pytest.FixtureRequest, settings: Settings, database: str) -> AsyncGenerator["Flow"]:
    partitions: int = request.param
    settings = replace(settings, partitions=partitions, database_url=database, log_level="ERROR")
    client = await connect(settings, name="test")
    await streams.apply(client, partitions)
    async with running(settings):
        yield Flow(settings, client, Log(client))
    await close(client)


class Flow:
    """Every service on one log, and what a test sees of it."""

    def __init__(self, settings: Settings, client: Client, log: Log) -> None:
        self.settings = settings
        self.client = client
        self.log = log

    async def send_cohort(self) -> None:
        """A referral and a discharge of each person; of every other the discharge comes first."""
        for number in range(PEOPLE):
            who = mrn(f"MRN{number}")
            told = [referral(str(number), who), discharge(str(number), who)]
            for envelope in reversed(told) if number % 2 else told:
                await self.log.publish(subject_of(envelope), msgspec.json.encode(envelope), {})

    async def entities(self) -> dict[EntityKey, list[Event]]:
        """Everything on the log by entity; fails where a stream holds what is not its own."""
        found: dict[EntityKey, list[Event]] = defaultdict(list)
        for k in range(self.settings.partitions):
            async for message in self.log.tail(stream_of(k), "care.>", 0):
                key = parse_subject(message.subject)
                assert key.partition == k
                found[key].append(REGISTRY.decode(message.payload))
        return found

    async def count(self, category: str) -> int:
        return sum(key.category == category for key in await self.entities())

    async def until_quiet(self) -> None:
        """Wait until every participant has aftercare and no consumer has anything left."""

        async def quiet() -> bool:
            return await self.count("aftercare") == PEOPLE and await self._pending() == 0

        await until(quiet)

    async def _pending(self) -> int:
        waiting = [
            await self.log.pending(stream.config["name"], consumer["name"]) or 0
            for stream in streams.declared(self.settings.partitions)
            for consumer in stream.consumers
        ]
        return sum(waiting)


async def test_messages_become_referrals_care_aftercare_and_read_models_in_every_partition(flow: Flow):
    await flow.send_cohort()
    await flow.until_quiet()
    entities = await flow.entities()
    by_participant: dict[UUID, set[tuple[int, str]]] = defaultdict(set)
    for key, events in entities.items():
        assert key.partition == partition_of(place_of(key, events), flow.settings.partitions)
        if key.category != "identity":
            by_participant[events[0].subject].add((key.partition, key.category))
    assert len(by_participant) == PEOPLE
    for owner, places in by_participant.items():
        k = partition_of(str(owner), flow.settings.partitions)
        assert places == {(k, category) for category in ("participant", "referral", "episode", "aftercare")}
    used = {k for places in by_participant.values() for k, _ in places}
    assert used == set(range(flow.settings.partitions))
    assert await Parking(flow.log).entries() == []
    await until(lambda: is_projected(flow, len(by_participant)))
    await expect_accepted(flow, entities)


def place_of(key: EntityKey, events: list[Event]) -> str:
    """Return what an entity lies by: its own key for an identity, else its participant."""
    return key.entity if key.category == "identity" else str(events[0].subject)


async def is_projected(flow: Flow, participants: int) -> bool:
    connection = await connect_to_postgres(flow.settings.database_url)
    try:
        return participants == await connection.fetchval("select count(*) from read.participant")
    except asyncpg.UndefinedTableError:  # the projector has not made its read models yet
        return False
    finally:
        await connection.close()


async def expect_accepted(flow: Flow, entities: dict[EntityKey, list[Event]]) -> None:
    """A coordinator's command finds each referral by its participant, and its sender hears of it."""
    ask = CommandClient(flow.client)
    for key in [key for key in entities if key.category == "referral"]:
        owner = entities[key][0].subject
        accept = AcceptReferral(
            id=uuid4(), participant=owner, actor="c:7", now=NOW, referral=UUID(key.entity), owner="c:7"
        )
        answer = await ask.ask(accept)
        assert isinstance(answer, reply.Appended), answer
        assert answer.position.partition == key.partition
    await until(lambda: were_told(flow))


async def were_told(flow: Flow) -> bool:
    told = [message.payload async for message in flow.log.tail("OUTBOUND", "outbound.general.status", 0)]
    return sum(b'"status":"accepted"' in payload for payload in told) == PEOPLE
