"""Both pipelines on the same servers: every service as deployed, and beside them the bare ones."""

import asyncio
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvloop
from nats.aio.client import Client
from nats.errors import Error as NatsError

from services.console.demo.fleet import Fleet
from services.timeline.read_models import projections
from shared.eventlog import streams
from shared.settings import Settings
from shared.site import site_of
from tests.bench.bare import projector
from tests.bench.bare.captured import write
from tests.bench.bare.streams import make
from tests.bench.capture import capture
from tests.bench.connections import nats_of, postgres_of
from tests.bench.pipeline import Pipeline
from tests.bench.processes import bare_process

ROLES: Final = ("front", "intake", "care_plan", "aftercare", "timeline", "commands")
_READY_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Town:
    """What figures of the running system need."""

    settings: Settings
    fleet: Fleet
    captured: Path
    ours: Pipeline
    bare: Pipeline


@contextmanager
def open_town(settings: Settings, folder: Path) -> Generator[Town]:
    """Have both pipelines while inside; only in the main thread."""
    captured = folder / "captured.json"
    with ExitStack() as stack:
        uvloop.run(_apply(settings))
        fleet = stack.enter_context(Fleet(settings, folder))
        ours = Pipeline.ours(_mllp_port(fleet))
        uvloop.run(_capture(settings, ours, captured))
        for role in ROLES:
            stack.enter_context(bare_process(role, settings, captured))
        ports = uvloop.run(_until_ready(settings))
        yield Town(settings, fleet, captured, ours, Pipeline.bare(ports["front"]))


def _mllp_port(fleet: Fleet) -> int:
    told = fleet["gateway"].reached()
    if told is None:
        raise RuntimeError("The gateway does not say where it listens.")
    return told.ports["mllp"]


async def _apply(settings: Settings) -> None:
    async with nats_of(settings) as client:
        await streams.apply(client, settings.partitions)
        await make(client)


async def _capture(settings: Settings, ours: Pipeline, path: Path) -> None:
    async with nats_of(settings) as client, postgres_of(settings) as connection:
        captured = await capture(client, connection, ours)
        write(captured, path)
        await projector.make_tables(connection, captured, projections(site_of(settings)))


async def _until_ready(settings: Settings) -> dict[str, int]:
    async with nats_of(settings) as client:
        return {role: await _port(client, role) for role in ROLES}


async def _port(client: Client, role: str) -> int:
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        try:
            return int((await client.request(f"bare.ready.{role}", timeout=1)).data)
        except NatsError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.05)
