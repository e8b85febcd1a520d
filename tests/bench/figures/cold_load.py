"""Loading an entity that is not in memory, from a small log and from one ten times as large."""

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from statistics import median
from typing import Final, NamedTuple, Self
from uuid import UUID, uuid5

import uvloop
from nats.aio.client import Client

from services.care_plan.deciders import care
from services.timeline.read_models import projections
from shared.eventlog import streams
from shared.eventlog.entities import Entities
from shared.eventlog.journal import Journal, open_pool
from shared.eventlog.log import Log
from shared.eventlog.subjects import EntityKey, stream_of
from shared.projections.checkpoint import begin_checkpoint
from shared.projections.history import stream_info
from shared.projections.journal import COLUMNS, Entry, LogMessage, journalled
from shared.projections.postgres import Connection
from shared.projections.projector import prepare
from shared.settings import Settings
from shared.site import site_of
from tests.bench.bare.log import get_next
from tests.bench.connections import nats_of, postgres_of
from tests.bench.context import Context
from tests.bench.figure import Figure, Measurement, MeasurementError, Target, figure
from tests.bench.filling import Told, fill
from tests.integration.projections.cohort import AT_ONCE, SPACE, journey, participant

_EVENTS_EACH: Final = 10
_LOAD: Final = Target("<=", 1.5)
_GROWTH: Final = Target("<=", 1.5)
_ENTITY: Final = (
    "select seq, message from log.journal where k = 0 and category = $1 and entity = $2 order by seq"
)


def run(context: Context) -> Sequence[Figure]:
    """Give the median of a load, in milliseconds."""
    context.leave_town()
    small, large = context.choose(quick=(10_000, 100_000), full=(100_000, 1_000_000))
    with context.servers("small") as few, context.servers("large") as many:
        for settings, events in ((few, small), (many, large)):
            context.say(f"filling a log and its journal with {events:,} events")
            uvloop.run(_fill(settings, events // _EVENTS_EACH))
        loads = context.choose(quick=300, full=2_000)
        took = uvloop.run(_measure([(few, small), (many, large)], loads))
    least, most = took
    return [
        figure(f"cold load, {small:,} events", least.ours, "ms", least.bare, _LOAD),
        figure(f"cold load, {large:,} events", most.ours, "ms", most.bare, _LOAD),
        figure(f"cold load, {large:,} against {small:,}", most.ours, "ms", least.ours, _GROWTH),
    ]


def _participants(count: int) -> Iterator[UUID]:
    return (uuid5(SPACE, f"cold-{number}") for number in range(count))


def _template() -> list[Told]:
    """Return the first events of one participant's episode."""
    told = [Told(each.subject, each.message) for each in journey(0) if ".episode." in each.subject]
    return told[:_EVENTS_EACH]


async def _fill(settings: Settings, participants: int) -> None:
    """Fill log and journal alike, and let the checkpoint say so."""
    async with nats_of(settings) as client, postgres_of(settings) as connection:
        await streams.apply(client, settings.partitions)
        await prepare(settings.database_url, projections(site_of(settings)))
        template, seq = _template(), 0
        entries = _Entries(template)
        async for placed in fill(client, _events(template, participants)):
            records = [entries.of(seq, told) for seq, told in placed]
            await connection.copy_records_to_table(
                "journal", schema_name="log", columns=COLUMNS, records=records
            )
            seq = placed[-1][0]
        await _check_point(client, connection, seq)
        await connection.execute("vacuum analyze log.journal")


def _events(template: Sequence[Told], participants: int) -> Iterator[Told]:
    """Yield the template's events for every participant, some hundred participants beside each other."""
    before = str(participant(0))
    every = [str(each) for each in _participants(participants)]
    for first in range(0, participants, AT_ONCE):
        for subject, message in template:
            for who in every[first : first + AT_ONCE]:
                yield Told(subject.replace(before, who), message.replace(before.encode(), who.encode()))


class _Entries:
    """Lines of the journal, made without decoding every message."""

    def __init__(self, template: Sequence[Told]) -> None:
        message = LogMessage(0, 0, template[0].subject, datetime.now(UTC), template[0].message)
        self._entry = journalled(message).entry

    def of(self, seq: int, told: Told) -> Entry:
        entity = told.subject.rpartition(".")[2]
        return self._entry._replace(seq=seq, entity=entity, participant=UUID(entity), message=told.message)


async def _check_point(client: Client, connection: Connection, seq: int) -> None:
    created = (await stream_info(client, 0)).created
    if created is None:
        raise MeasurementError("The server does not say when the stream was created.")
    await begin_checkpoint(connection, 0, stream_of(0), created)
    await connection.execute("update log.checkpoint set seq = $1, recorded_at = now()", seq)


class Took(NamedTuple):
    """Medians, in milliseconds."""

    ours: float
    bare: float


async def _measure(logs: Sequence[tuple[Settings, int]], loads: int) -> list[Took]:
    """Load entities chosen at random, ours and bare, from each log in turn."""
    async with AsyncExitStack() as stack:
        loaders = [await _Loader.open(stack, settings, events) for settings, events in logs]
        for number in range(loads):
            for loader in loaders:
                await loader.load(warm_up=number < loads // 10)
        return [loader.took() for loader in loaders]


class _Loader:
    """Loads from one log; every entity once, so that no cache of ours or of Postgres favours the second."""

    def __init__(self, client: Client, connection: Connection, entities: Entities, events: int) -> None:
        self._client = client
        self._connection = connection
        self._entities = entities
        self._events = events
        self._left = list(_participants(events // _EVENTS_EACH))
        random.Random(events).shuffle(self._left)  # noqa: S311 -- no secret
        self._ours: list[float] = []
        self._bare: list[float] = []

    @classmethod
    async def open(cls, stack: AsyncExitStack, settings: Settings, events: int) -> Self:
        client = await stack.enter_async_context(nats_of(settings))
        connection = await stack.enter_async_context(postgres_of(settings))
        pool = await stack.enter_async_context(await open_pool(settings))
        return cls(client, connection, Entities(Log(client), Journal(pool), keep=0), events)

    async def load(self, *, warm_up: bool) -> None:
        bare, ours = await self._bare_load(self._left.pop()), await self._our_load(self._left.pop())
        if not warm_up:
            self._bare.append(bare)
            self._ours.append(ours)

    def took(self) -> Took:
        return Took(median(self._ours) * 1_000, median(self._bare) * 1_000)

    async def _bare_load(self, who: UUID) -> float:
        """One indexed read, and one round trip to NATS: what is behind the journal."""
        begun = time.perf_counter()
        await self._connection.fetch(_ENTITY, "episode", str(who))
        await get_next(self._client, stream_of(0), f"care.0.episode.{who}", self._events)
        return time.perf_counter() - begun

    async def _our_load(self, who: UUID) -> float:
        begun = time.perf_counter()
        entity = await self._entities.read(EntityKey(0, "episode", str(who)), care.DECIDER)
        took = time.perf_counter() - begun
        if len(entity.seen) != _EVENTS_EACH:
            raise MeasurementError(f"An entity of {_EVENTS_EACH} events has {len(entity.seen)}.")
        return took


MEASUREMENT = Measurement("cold-load", run)
