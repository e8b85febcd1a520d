"""Whether the log's server keeps what it acknowledges: `sync_interval: always`, or nothing is appended.

JetStream's default syncs every two minutes; what it acknowledged in between is lost with the machine.
A client cannot see the setting, so the server's monitoring port is asked: its `/jsz`, since a
nats-server (2.15) that was asked for its `/varz` before its JetStream was up leaves the setting out for good.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from http.client import HTTPException
from urllib.parse import urlsplit
from urllib.request import urlopen

import msgspec
import structlog
from msgspec import Struct

from shared.eventlog.connection import Callback, servers
from shared.eventlog.errors import UnaskedLogError, UnsyncedLogError
from shared.settings import Settings

_log = structlog.get_logger()
_MONITOR_PORT = 8222
_TIMEOUT_SECONDS = 5
_COMING_BACK_SECONDS = 60.0
_AGAIN_SECONDS = 1.0


class _Config(Struct, frozen=True):
    sync_always: bool = False


class _JetStream(Struct, frozen=True):
    """What `/jsz` tells; it is disabled also for the moment until a server that starts has it up."""

    disabled: bool = False
    config: _Config = _Config()


async def require_synced(settings: Settings) -> None:
    """Return when the server syncs every write; else raise UnsyncedLogError with what to do about it.

    `allow_unsynced_log` lets it pass, with a warning in the log at every start.
    """
    try:
        await asyncio.to_thread(_expect_all_synced, monitor_urls(settings))
    except UnsyncedLogError as error:
        if not settings.allow_unsynced_log:
            raise
        _log.warning("unsynced-log", problem=str(error), consequence="acknowledged events may be lost")


def still_synced(settings: Settings, fail: Callable[[str], None]) -> Callback:
    """Return what checks a server that a client came back to: it may be another one, or set otherwise.

    A server or a network that is just coming back answers late: its monitoring is asked for a minute.
    """

    async def check() -> None:
        deadline = time.monotonic() + _COMING_BACK_SECONDS
        while (error := await _unsynced(settings)) is not None:
            if not isinstance(error, UnaskedLogError) or time.monotonic() > deadline:
                fail(str(error))
                return
            await asyncio.sleep(_AGAIN_SECONDS)

    return check


async def _unsynced(settings: Settings) -> UnsyncedLogError | None:
    try:
        await require_synced(settings)
    except UnsyncedLogError as error:
        return error
    return None


def monitor_urls(settings: Settings) -> list[str]:
    """Return where the monitoring of each server is asked."""
    if settings.nats_monitor_url:
        return [url.strip() for url in settings.nats_monitor_url.split(",")]
    hosts = [urlsplit(url).hostname or "127.0.0.1" for url in servers(settings)]
    return [f"http://{host}:{_MONITOR_PORT}" for host in hosts]


_WHAT_TO_DO = (
    "Nothing is appended to a log that may lose what it acknowledged. "
    "Set `sync_interval: always` in the server's jetstream block and THROUGHCARE_NATS_MONITOR_URL "
    "here; where losing events is acceptable, THROUGHCARE_ALLOW_UNSYNCED_LOG=true."
)


def _expect_all_synced(urls: Sequence[str]) -> None:
    """Expect it of every server that answers, and an answer of one at least: of three, one may be down."""
    unasked: list[UnaskedLogError] = []
    for url in urls:
        try:
            _expect_synced(url)
        except UnaskedLogError as error:
            unasked.append(error)
    if len(unasked) == len(urls):
        raise unasked[0]
    if unasked:
        _log.warning("nats-server-not-asked", count=len(unasked), consequence="how it syncs is not known")


def _expect_synced(url: str) -> None:
    if urlsplit(url).scheme not in {"http", "https"}:
        raise UnsyncedLogError(f"THROUGHCARE_NATS_MONITOR_URL is no http address: {url}. {_WHAT_TO_DO}")
    try:
        with urlopen(f"{url}/jsz", timeout=_TIMEOUT_SECONDS) as reply:  # noqa: S310 -- the scheme is checked
            jetstream = msgspec.json.decode(reply.read(), type=_JetStream)
    except (OSError, HTTPException, msgspec.DecodeError) as error:  # another port than the monitoring's, too
        raise UnaskedLogError(
            f"The server's monitoring at {url} cannot be asked ({type(error).__name__}). {_WHAT_TO_DO}"
        ) from error
    if jetstream.disabled:
        raise UnaskedLogError(f"The server whose monitoring is {url} has no JetStream (yet). {_WHAT_TO_DO}")
    if not jetstream.config.sync_always:
        raise UnsyncedLogError(f"The log's server does not run with `sync_interval: always`. {_WHAT_TO_DO}")
