"""The gateway's composition root: MLLP in front, the log's INBOUND stream behind."""

import asyncio
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from zoneinfo import ZoneInfo

import structlog
import uvloop
from nats.aio.client import Client

from services.gateway.mllp.connection import Limits
from services.gateway.mllp.server import Server, serve
from services.gateway.receiver import Receiver
from shared.eventlog.connection import connect
from shared.eventlog.durability import require_synced
from shared.eventlog.log import Log
from shared.settings import Settings

_log = structlog.get_logger()


def run(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM, then answer what is in flight and stop.

    Raises NoServersError or UnsyncedLogError where there is no log to store in, OSError where the port is
    taken.
    """
    uvloop.run(_until_stopped(settings))


@asynccontextmanager
async def gateway(settings: Settings) -> AsyncGenerator[Server]:
    """Listen for MLLP while inside; the server given knows its port."""
    client = await connect(settings, name="gateway")
    try:
        await require_synced(settings)
        server = await _listen(settings, client)
        try:
            yield server
        finally:
            await server.close()
    finally:
        await client.close()


async def _listen(settings: Settings, client: Client) -> Server:
    receiver = Receiver(
        Log(client).publish,
        site=ZoneInfo(settings.site_zone),
        largest_message=settings.mllp_max_bytes,
        largest_payload=lambda: client.max_payload,
    )
    limits = Limits(
        message_size=settings.mllp_max_bytes,
        idle=settings.mllp_idle_seconds,
        in_flight_size=2 * settings.mllp_max_bytes,
    )
    return await serve(receiver.receive, settings.mllp_host, settings.mllp_port, limits=limits)


async def _until_stopped(settings: Settings) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with gateway(settings) as server:
        _log.info("mllp-listening", host=settings.mllp_host, port=server.port)
        await stopped.wait()
