"""How every process connects to NATS."""

import structlog
from nats.aio.client import Client
from nats.errors import Error as NatsError

from shared.settings import Settings

_log = structlog.get_logger()

RECONNECT_WAIT_SECONDS = 0.25
PING_SECONDS = 10


async def connect(settings: Settings, *, name: str) -> Client:
    """Connect, and stay connected for ever: a client that gives up makes pull subscribers spin.

    Raises nats.errors.NoServersError where the first connection fails.
    """
    client = Client()
    await client.connect(
        settings.nats_url,
        name=name,
        user_credentials=settings.nats_credentials,
        allow_reconnect=True,
        max_reconnect_attempts=-1,
        reconnect_time_wait=RECONNECT_WAIT_SECONDS,  # pyright: ignore[reportArgumentType] -- it sleeps that long, fractions too
        ping_interval=PING_SECONDS,
        error_cb=_report,
    )
    return client


async def _report(error: Exception) -> None:
    # A refused reconnect has no text; NATS' own errors name no payload.
    reason = str(error) if isinstance(error, NatsError) else type(error).__name__
    _log.warning("nats", reason=reason)
