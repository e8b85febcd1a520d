"""Timeline, put together: the projector of the journal and of every read model."""

from services.timeline.read_models import projections
from shared.eventlog.connection import close, connect
from shared.eventlog.log import Log
from shared.health import Check, NotReadyError
from shared.process import Process
from shared.projections.projector import Projector
from shared.settings import Settings
from shared.site import site_of


async def run(settings: Settings) -> None:
    """Run until told to stop; several may run, and each partition is projected by one of them."""
    async with Process("timeline", settings) as process:
        client = await connect(settings, name="timeline", closed=process.nats_closed)
        projector = Projector(
            client,
            settings.database_url,
            projections(site_of(settings)),
            partitions=settings.partitions,
            batch=settings.projector_batch,
        )
        process.ready("log", Log(client).ping)
        process.ready("projector", _without_problems(projector))
        process.spawn("projector", projector.run())
        try:
            await process.stopped()
        finally:
            process.closes()
            await close(client)


def _without_problems(projector: Projector) -> Check:
    async def check() -> None:
        if problems := projector.problems:
            raise NotReadyError(" ".join(problems))

    return check
