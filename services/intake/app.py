"""Intake, put together: the front door for referrals, assessments and what hospitals tell."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from services.intake.handlers import accepted
from services.intake.held import Held
from services.intake.identification import Identification
from services.intake.matching import Lookalikes, PeoplePolicy
from services.intake.outbound import OutboundPolicy
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
        _lookalikes(runtime, settings) as lookalikes,
    ):
        executor, log = runtime.executor, runtime.log
        identification = Identification(executor, settings)
        inbound = InboundPolicy(executor, identification, Held(log), log, runtime.clock)
        runtime.policies.subscribe("INBOUND", "intake", inbound)
        people = PeoplePolicy(executor, identification.aliases, lookalikes, runtime.clock)
        outbound = OutboundPolicy(executor, log)
        for partition in range(settings.partitions):
            runtime.policies.subscribe(stream_of(partition), f"intake-{partition}", outbound)
            runtime.policies.subscribe(stream_of(partition), f"intake-people-{partition}", people)
        runtime.policies.serve_replays()
        CommandHandlers(executor, accepted(identification.aliases), runtime.clock).subscribe(
            runtime.broker, "intake"
        )
        await runtime.broker.start()
        await process.stopped()


@asynccontextmanager
async def _lookalikes(runtime: Runtime, settings: Settings) -> AsyncGenerator[Lookalikes]:
    pool = await open_pool(settings, size=_CONNECTIONS)
    visible = Visible(runtime.log.client, pool)
    await visible.start()
    try:
        yield Lookalikes(pool, visible)
    finally:
        await visible.stop()
        await pool.close()
