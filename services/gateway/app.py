"""The gateway, put together: MLLP in front, the log's INBOUND stream behind."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from zoneinfo import ZoneInfo

from services.gateway.mllp.connection import Limits
from services.gateway.mllp.server import Server, serve
from services.gateway.receiver import Receiver
from shared.eventlog import streams
from shared.eventlog.connection import close, connect
from shared.eventlog.durability import require_synced, still_synced
from shared.eventlog.log import Log
from shared.process import Process
from shared.settings import Settings


async def run(settings: Settings) -> None:
    """Run until told to stop; what is in flight then is still stored and answered."""
    async with Process("gateway", settings) as process, _log(settings, process) as log:
        server = await _listen(settings, log)
        try:
            process.ready("log", log.ping)
            process.listens("mllp", server.port)
            await process.stopped()
        finally:
            await server.close()


@asynccontextmanager
async def _log(settings: Settings, process: Process) -> AsyncGenerator[Log]:
    """Connect to the log; raises UnsyncedLogError, or StreamsError where the streams were not applied."""
    client = await connect(
        settings, name="gateway", closed=process.nats_closed, reconnected=still_synced(settings, process.fail)
    )
    try:
        await require_synced(settings)
        await streams.require(client, settings.partitions)
        yield Log(client)
    finally:
        await close(client)


async def _listen(settings: Settings, log: Log) -> Server:
    receiver = Receiver(
        log.publish,
        site=ZoneInfo(settings.site_zone),
        largest_message=settings.mllp_max_bytes,
        largest_payload=lambda: log.client.max_payload,
    )
    limits = Limits(
        message_size=settings.mllp_max_bytes,
        idle=settings.mllp_idle_seconds,
        in_flight_size=2 * settings.mllp_max_bytes,
    )
    return await serve(receiver.receive, settings.mllp_host, settings.mllp_port, limits=limits)
