"""Intake, put together: the front door for referrals, assessments and what hospitals tell."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from services.intake.disclosing import Disclosing
from services.intake.handlers import accepted
from services.intake.held import Held
from services.intake.identification import Identification
from services.intake.matching import Lookalikes, PeoplePolicy
from services.intake.outbound import OutboundPolicy, consumer_of
from services.intake.policies import InboundPolicy
from shared.eventlog.commands import CommandHandlers
from shared.eventlog.journal import open_pool
from shared.eventlog.runtime import Runtime, open_runtime
from shared.eventlog.subjects import stream_of
from shared.process import Process
from shared.projections.visible import Visible
from shared.settings import Settings

_CONNECTIONS: Final = 2


async def run(settings: Settings) -> None:
    """Run until told to stop."""
    async with (
        Process("intake", settings) as process,
        open_runtime("intake", settings, process) as runtime,
        serving(runtime),
    ):
        await process.stopped()


@asynccontextmanager
async def serving(runtime: Runtime) -> AsyncGenerator[None]:
    """Handle messages and events and answer commands while inside."""
    pool = await open_pool(runtime.settings, size=_CONNECTIONS)
    visible = Visible(runtime.log.client, pool)
    await visible.start()
    try:
        _subscribe(runtime, Lookalikes(pool, visible))
        await runtime.broker.start()
        yield
    finally:
        await visible.stop()
        pool.terminate()  # it only reads, and its server may be gone


def _subscribe(runtime: Runtime, lookalikes: Lookalikes) -> None:
    executor, log, clock = runtime.executor, runtime.log, runtime.clock
    identification = Identification(executor, runtime.settings)
    aliases = identification.aliases
    inbound = InboundPolicy(executor, identification, Held(log), log, clock)
    runtime.policies.subscribe("INBOUND", "intake", inbound, one_by_one=False)
    people = PeoplePolicy(executor, aliases, lookalikes, clock)
    outbound = OutboundPolicy(executor, log, Disclosing(executor, runtime.settings, clock))
    for partition in range(runtime.settings.partitions):
        runtime.policies.subscribe(stream_of(partition), consumer_of(partition), outbound)
        runtime.policies.subscribe(stream_of(partition), f"intake-people-{partition}", people)
    runtime.policies.serve_replays()
    CommandHandlers(executor, accepted(aliases), clock).subscribe(runtime.broker, runtime.in_flight, "intake")
