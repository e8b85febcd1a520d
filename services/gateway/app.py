"""The gateway, put together: MLLP in front, the log's INBOUND stream behind."""

import resource
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from services.gateway.delivery.deliveries import delivering
from services.gateway.fhir.serve import serving
from services.gateway.mllp.connection import Limits
from services.gateway.mllp.server import Server, serve
from services.gateway.mllp.tls import TlsError, server_context
from services.gateway.profile_book import ProfileBook
from services.gateway.receiver import Receiver
from shared.eventlog import streams
from shared.eventlog.connection import close, connect
from shared.eventlog.durability import require_synced, still_synced
from shared.eventlog.log import Log
from shared.process import Process
from shared.settings import Settings

_FILES_OF_OURS: Final = 128  # connections to NATS, HTTP peers, log files


async def run(settings: Settings) -> None:
    """Run until told to stop; what is in flight then is still stored and answered."""
    async with Process("gateway", settings) as process, _log(settings, process) as log:
        book = ProfileBook(
            Path(settings.profiles) if settings.profiles else None, ZoneInfo(settings.site_zone)
        )
        process.health.notify("profiles", book.problem)
        process.spawn("profiles", book.watch())
        server = await _listen(settings, log, book)
        try:
            async with (
                serving(settings, log, lambda: book.now) as fhir,
                delivering(settings, log, lambda: book.now) as deliveries,
            ):
                process.health.notify("delivery", deliveries.trouble)
                process.ready("log", log.ping)
                process.listens("mllp", server.port)
                process.listens("fhir", fhir.port)
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


async def _listen(settings: Settings, log: Log, book: ProfileBook) -> Server:
    receiver = Receiver(
        log.publish,
        profiles=lambda: book.now,
        largest_message=settings.mllp_max_bytes,
        largest_payload=lambda: log.client.max_payload,
    )
    limits = Limits(
        message_size=settings.mllp_max_bytes,
        connections=_connections(settings),
        idle=settings.mllp_idle_seconds,
        message_time=settings.mllp_message_seconds,
        in_flight_size=2 * settings.mllp_max_bytes,
    )
    tls = _tls(settings)
    return await serve(receiver.receive, settings.mllp_host, settings.mllp_port, limits=limits, tls=tls)


def _tls(settings: Settings) -> ssl.SSLContext | None:
    """Return how MLLP is encrypted, None where it is not; raises TlsError."""
    certificate, key, client_ca = (
        Path(told) if told else None
        for told in (settings.mllp_tls_certificate, settings.mllp_tls_key, settings.mllp_tls_client_ca)
    )
    if certificate is None:
        if key or client_ca:
            raise TlsError("THROUGHCARE_MLLP_TLS_CERTIFICATE is missing: a key or an authority is given.")
        return None
    return server_context(certificate, key, client_ca)


def _connections(settings: Settings) -> int:
    """Let the process open as many files as it may; return how many of them can be senders."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    room = settings.mllp_connections if hard == resource.RLIM_INFINITY else hard - _FILES_OF_OURS
    return max(1, min(settings.mllp_connections, room))
