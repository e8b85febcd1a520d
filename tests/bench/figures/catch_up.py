"""A projector that finds a full log and an empty journal; and a rebuild from the journal after that."""

import asyncio
import os
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Self

import uvloop
from msgspec.structs import replace
from nats.aio.client import Client

from services.console.demo.fleet import Fleet
from services.timeline.read_models import projections
from shared.collector import collect_rarely
from shared.eventlog import streams
from shared.projections.migration import migrate
from shared.projections.projection import AnyProjection
from shared.projections.rebuild import rebuild
from shared.projections.rebuild_workers import Workers
from shared.settings import Settings
from shared.site import site_of
from tests.bench.bare.projector import NOTICE
from tests.bench.connections import nats_of, postgres_of
from tests.bench.context import Context
from tests.bench.figure import Figure, Measurement, MeasurementError, Target, figure
from tests.bench.filling import Told, fill
from tests.bench.pipeline import Watch
from tests.bench.processes import bare_process
from tests.bench.rounds import interleaved, rounds_of
from tests.integration.projections.cohort import EVENTS_EACH, cohort

_CATCH_UP = Target(">=", 0.5)
_REBUILD = Target(">=", 5.0)
_MOST_SECONDS = 300.0


def run(context: Context) -> Sequence[Figure]:
    """Give events a second."""
    context.leave_town()
    count = context.choose(quick=20_000, full=100_000)
    rounds = context.choose(quick=2, full=3)
    with context.servers("catch-up") as settings:
        context.say(f"filling a log with {count:,} events")
        uvloop.run(_fill(settings, count))
        databases, folder = _Databases(settings), context.folder / "catch-up"
        rates = rounds_of(
            interleaved(
                rounds,
                ours=lambda: _ours(uvloop.run(databases.next()), folder, count),
                bare=lambda: _bare(uvloop.run(databases.next()), folder, count),
            )
        )
        context.say("rebuilding")
        rebuilds = [uvloop.run(_rebuild(databases.last, count)) for _ in range(rounds)]
    return [
        figure("projector catch-up", rates.value, "events/s", rates.ceiling, _CATCH_UP),
        figure("rebuild against catch-up", median(rebuilds), "events/s", rates.value, _REBUILD),
    ]


async def _fill(settings: Settings, count: int) -> None:
    async with nats_of(settings) as client:
        await streams.apply(client, settings.partitions)
        events = (Told(told.subject, told.message) for told in cohort(count // EVENTS_EACH))
        async for _ in fill(client, events):
            pass


class _Databases:
    """Empty databases on one server, one after the other."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._made = 0

    @property
    def last(self) -> Settings:
        """The settings that name the database made last."""
        head, _, _ = self._settings.database_url.rpartition("/")
        return replace(self._settings, database_url=f"{head}/catch_up_{self._made}?sslmode=disable")

    async def next(self) -> Settings:
        """Make one, with a journal that is empty."""
        self._made += 1
        async with postgres_of(self._settings) as connection:
            await connection.execute(f"create database catch_up_{self._made}")
        async with postgres_of(self.last) as connection:
            await migrate(connection)
        return self.last


def _ours(settings: Settings, folder: Path, count: int) -> float:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        watching = runner.run(_Watching.start(settings, "projected.0"))
        with Fleet(settings, folder, ["timeline"]):
            return runner.run(watching.rate(count))


def _bare(settings: Settings, folder: Path, count: int) -> float:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        watching = runner.run(_Watching.start(settings, NOTICE))
        with bare_process("journal", settings, folder / "none"):
            return runner.run(watching.rate(count))


class _Watching:
    """Hears how far a projector is that starts after us."""

    def __init__(self, client: Client, watch: Watch) -> None:
        self._client = client
        self._watch = watch

    @classmethod
    async def start(cls, settings: Settings, subject: str) -> Self:
        client = Client()
        await client.connect(settings.nats_url)  # pyright: ignore[reportUnknownMemberType] -- its **options
        return cls(client, await Watch.on(client, subject))

    async def rate(self, count: int) -> float:
        """Wait for the last event; returns events a second, without the start of the process."""
        ended = await self._watch.until(count, _MOST_SECONDS)
        await self._client.close()
        begun = self._watch.notices[0]
        return (count - begun.seq) / (ended - begun.at)


async def _rebuild(settings: Settings, count: int) -> float:
    collect_rarely()  # as the command does
    workers = Workers(partial(_projections, settings), count=os.cpu_count() or 1)
    begun = time.perf_counter()
    outcome = await rebuild(settings.database_url, _projections(settings), workers=workers)
    seconds = time.perf_counter() - begun
    if outcome.events != count or outcome.parked:
        raise MeasurementError(f"Of {count} events {outcome.events} were folded, {outcome.parked} parked.")
    return count / seconds


def _projections(settings: Settings) -> Sequence[AnyProjection]:
    return projections(site_of(settings))


MEASUREMENT = Measurement("catch-up", run)
