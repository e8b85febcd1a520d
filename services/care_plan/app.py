"""care_plan, put together: the episode, its levels of care, sessions and the individual plan."""

from services.care_plan.handlers import accepted
from services.care_plan.policies import CarePolicy
from shared.eventlog.commands import CommandHandlers
from shared.eventlog.runtime import open_runtime
from shared.eventlog.subjects import stream_of
from shared.process import Process
from shared.records import Records
from shared.settings import Settings
from shared.site import site_of


async def run(settings: Settings) -> None:
    """Run until told to stop."""
    name = "care_plan"
    async with Process(name, settings) as process, open_runtime(name, settings, process) as runtime:
        records = Records(runtime.executor, settings.partitions)
        policy = CarePolicy(runtime.executor, records, site_of(settings), runtime.clock)
        for partition in range(settings.partitions):
            runtime.policies.subscribe(stream_of(partition), f"{name}-{partition}", policy)
        runtime.policies.serve_replays()
        CommandHandlers(runtime.executor, accepted(records), runtime.clock).subscribe(
            runtime.broker, runtime.in_flight, name
        )
        await runtime.broker.start()
        await process.stopped()
