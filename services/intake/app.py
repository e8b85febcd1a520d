"""Intake, put together: the front door for referrals, assessments and what hospitals tell."""

from services.intake.handlers import ACCEPTED
from services.intake.held import Held
from services.intake.identification import Identification
from services.intake.outbound import OutboundPolicy
from services.intake.policies import InboundPolicy
from shared.eventlog.commands import CommandHandlers
from shared.eventlog.runtime import open_runtime
from shared.eventlog.subjects import stream_of
from shared.process import Process
from shared.settings import Settings


async def run(settings: Settings) -> None:
    """Run until told to stop."""
    async with Process("intake", settings) as process, open_runtime("intake", settings, process) as runtime:
        executor, log = runtime.executor, runtime.log
        identification = Identification(executor, settings)
        inbound = InboundPolicy(executor, identification, Held(log), log, runtime.clock)
        runtime.policies.subscribe("INBOUND", "intake", inbound)
        for partition in range(settings.partitions):
            runtime.policies.subscribe(
                stream_of(partition), f"intake-{partition}", OutboundPolicy(executor, log)
            )
        runtime.policies.serve_replays()
        CommandHandlers(executor, ACCEPTED, runtime.clock).subscribe(
            runtime.broker, runtime.in_flight, "intake"
        )
        await runtime.broker.start()
        await process.stopped()
