"""Aftercare, put together: follow-ups, their windows and outreach."""

from services.aftercare.handlers import accepted
from services.aftercare.policies import AftercarePolicy
from services.aftercare.timers import WindowTimers
from shared.eventlog import timers
from shared.eventlog.commands import CommandHandlers
from shared.eventlog.runtime import open_runtime
from shared.eventlog.subjects import stream_of
from shared.process import Process
from shared.records import Records
from shared.settings import Settings
from shared.site import site_of


async def run(settings: Settings) -> None:
    """Run until told to stop."""
    name = "aftercare"
    async with Process(name, settings) as process, open_runtime(name, settings, process) as runtime:
        executor, site, clock = runtime.executor, site_of(settings), runtime.clock
        records = Records(executor, settings.partitions)
        windows = WindowTimers(executor, records, runtime.timers, site, clock)
        policy = AftercarePolicy(executor, records, runtime.log, windows, site, clock)
        for partition in range(settings.partitions):
            runtime.policies.subscribe(stream_of(partition), f"{name}-{partition}", policy)
        runtime.policies.subscribe(timers.STREAM, f"{name}-timers", windows.fired)
        runtime.policies.serve_replays()
        CommandHandlers(executor, accepted(records), clock).subscribe(runtime.broker, runtime.in_flight, name)
        await runtime.broker.start()
        await process.stopped()
