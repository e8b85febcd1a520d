"""Whether the log's server keeps what it acknowledges: `sync_interval: always`, or nothing is appended.

JetStream's default syncs every two minutes; what it acknowledged in between is lost with the machine.
A client cannot see the setting, so the server's monitoring port is asked.
"""

import asyncio
from http.client import HTTPException
from urllib.parse import urlsplit
from urllib.request import urlopen

import msgspec
import structlog
from msgspec import Struct

from shared.eventlog.errors import UnsyncedLogError
from shared.settings import Settings

_log = structlog.get_logger()
_MONITOR_PORT = 8222
_TIMEOUT_SECONDS = 5


class _Config(Struct, frozen=True):
    sync_always: bool = False


class _JetStream(Struct, frozen=True):
    config: _Config = _Config()


class _Varz(Struct, frozen=True):
    jetstream: _JetStream = _JetStream()


async def require_synced(settings: Settings) -> None:
    """Return when the server syncs every write; else raise UnsyncedLogError with what to do about it.

    `allow_unsynced_log` lets it pass, with a warning in the log at every start.
    """
    problem = await asyncio.to_thread(_problem, monitor_url(settings))
    if problem is None:
        return
    if not settings.allow_unsynced_log:
        raise UnsyncedLogError(
            f"{problem} Nothing is appended to a log that may lose what it acknowledged. "
            "Set `sync_interval: always` in the server's jetstream block and THROUGHCARE_NATS_MONITOR_URL "
            "here; where losing events is acceptable, THROUGHCARE_ALLOW_UNSYNCED_LOG=true."
        )
    _log.warning("unsynced-log", problem=problem, consequence="acknowledged events may be lost")


def monitor_url(settings: Settings) -> str:
    """Return where the server's monitoring is asked."""
    host = urlsplit(settings.nats_url).hostname or "127.0.0.1"
    return settings.nats_monitor_url or f"http://{host}:{_MONITOR_PORT}"


def _problem(url: str) -> str | None:
    if urlsplit(url).scheme not in {"http", "https"}:
        return f"THROUGHCARE_NATS_MONITOR_URL is no http address: {url}."
    try:
        with urlopen(f"{url}/varz", timeout=_TIMEOUT_SECONDS) as reply:  # noqa: S310 -- the scheme is checked
            varz = msgspec.json.decode(reply.read(), type=_Varz)
    except (OSError, HTTPException, msgspec.DecodeError) as error:  # another port than the monitoring's, too
        return f"The server's monitoring at {url} cannot be asked ({type(error).__name__})."
    if not varz.jetstream.config.sync_always:
        return "The log's server does not run with `sync_interval: always`."
    return None
