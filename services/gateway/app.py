"""The gateway, put together: MLLP, FHIR and NATS in front, the log's INBOUND stream behind."""

import resource
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from services.gateway.certificate_book import CertificateBook
from services.gateway.delivery.cursor import answering
from services.gateway.delivery.deliveries import delivering
from services.gateway.fhir.serve import serving
from services.gateway.mllp.connection import Limits
from services.gateway.mllp.server import Server, serve
from services.gateway.native import taking
from services.gateway.profile_book import ProfileBook
from services.gateway.profiles import Profiles
from services.gateway.receiver import Receiver
from services.gateway.reread import rereading
from services.gateway.watched_file import watch
from shared.eventlog import streams
from shared.eventlog.connection import close, connect
from shared.eventlog.durability import require_synced, still_synced
from shared.eventlog.log import Log
from shared.process import Process
from shared.settings import Settings

_FILES_OF_OURS: Final = 128  # connections to NATS, Postgres and receivers, log files
_HTTP_PEERS: Final = 1_000


async def run(settings: Settings) -> None:
    """Run until told to stop; what is in flight then is still stored and answered."""
    async with Process("gateway", settings) as process, _log(settings, process) as log:
        book = ProfileBook(
            Path(settings.profiles) if settings.profiles else None, ZoneInfo(settings.site_zone)
        )
        certificates = CertificateBook.of(settings)
        books = [book] if certificates is None else [book, certificates]
        process.health.notify("profiles", lambda: book.problem() or _unmet(book.now, certificates))
        if certificates is not None:
            process.health.notify("certificates", certificates.problem)
        process.spawn("files", watch(*books))
        room = _room(settings)
        server = await _listen(settings, log, book, certificates, room.mllp)
        try:
            async with (
                serving(settings, log, lambda: book.now, connections=room.http) as fhir,
                delivering(settings, log, lambda: book.now) as deliveries,
                answering(log),
                taking(log, lambda: book.now),
                rereading(settings, log, lambda: book.now),
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
        process.closes()
        await close(client)


async def _listen(
    settings: Settings, log: Log, book: ProfileBook, certificates: CertificateBook | None, connections: int
) -> Server:
    receiver = Receiver(
        log.publish,
        profiles=lambda: book.now,
        largest_message=settings.mllp_max_bytes,
        largest_payload=lambda: log.client.max_payload,
    )
    limits = Limits(
        message_size=settings.mllp_max_bytes,
        connections=connections,
        idle=settings.mllp_idle_seconds,
        message_time=settings.mllp_message_seconds,
        in_flight_size=2 * settings.mllp_max_bytes,
    )
    return await serve(
        receiver.receive,
        settings.mllp_host,
        settings.mllp_port,
        limits=limits,
        tls=certificates.context if certificates else None,
        identified=receiver.identified,
    )


def _unmet(profiles: Profiles, certificates: CertificateBook | None) -> str | None:
    """Say which profiles name certificates that no connection can ever show."""
    if certificates is not None and certificates.asks_peers:
        return None
    names = sorted(profile.name for profile in profiles.each if profile.certificates)
    if not names:
        return None
    asked = "without THROUGHCARE_MLLP_TLS_CLIENT_CA none is asked for"
    return f"{', '.join(names)}: certificates are named, but {asked}: every message is refused."


class _Room(NamedTuple):
    """How many peers there can be, so that one sort never takes the files of the other."""

    mllp: int
    http: int


def _room(settings: Settings) -> _Room:
    """Let the process open as many files as it may; return how many of them can be peers."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard == resource.RLIM_INFINITY:
        return _Room(settings.mllp_connections, _HTTP_PEERS)
    files = max(hard - _FILES_OF_OURS, 2)
    http = min(_HTTP_PEERS, max(files // 4, 1))
    return _Room(min(settings.mllp_connections, files - http), http)
