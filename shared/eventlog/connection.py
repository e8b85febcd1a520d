"""How every process connects to NATS, and who it says it is."""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

import structlog
from nats.aio.client import Client
from nats.errors import Error as NatsError

from shared.settings import Settings, SettingsError

if TYPE_CHECKING:
    from faststream.nats.security import NatsSecurity

_log = structlog.get_logger()

Callback = Callable[[], Awaitable[None]]

_FOR_EVER: Final = -1  # a client that gives up makes pull subscribers spin
_RECONNECT_WAIT_SECONDS: Final = 0.25
_PING_SECONDS: Final = 10
_CLOSE_SECONDS: Final = 2.0
_SAME_AGAIN_SECONDS: Final = 10.0  # while the server is away, each attempt fails for the same reason


def options(*, name: str, closed: Callback | None = None) -> dict[str, Any]:
    """Return what a client and a FastStream broker are connected with, but for who they are."""
    return {
        "name": name,
        "allow_reconnect": True,
        "max_reconnect_attempts": _FOR_EVER,
        "reconnect_time_wait": _RECONNECT_WAIT_SECONDS,
        "ping_interval": _PING_SECONDS,
        "error_cb": _reporter(),
        "disconnected_cb": _disconnected(name),
        "closed_cb": closed,
    }


def servers(settings: Settings) -> list[str]:
    """Return the servers that may be connected to, one of which is enough."""
    return [url.strip() for url in settings.nats_url.split(",")]


def sign_in(settings: Settings) -> dict[str, Any]:
    """Return who a client says it is, and whom it trusts; raises SettingsError."""
    return {"user": settings.nats_user, "password": settings.nats_password, "tls": _tls(settings)}


def security(settings: Settings) -> "NatsSecurity":
    """Return the same for a FastStream broker; raises SettingsError."""
    # Commands connect without FastStream, and need not wait until it is imported.
    from faststream.nats.security import NatsSecurity, NatsUserPassword  # noqa: PLC0415

    if settings.nats_user is None:
        return NatsSecurity(ssl_context=_tls(settings))
    return NatsUserPassword(settings.nats_user, settings.nats_password or "", ssl_context=_tls(settings))


def _tls(settings: Settings) -> ssl.SSLContext | None:
    """Return the context that the settings name files for; None where NATS' own does."""
    if settings.nats_tls_ca is None and settings.nats_tls_certificate is None:
        return None
    try:
        context = ssl.create_default_context(cafile=settings.nats_tls_ca)
        if settings.nats_tls_certificate is not None:
            context.load_cert_chain(settings.nats_tls_certificate, settings.nats_tls_key)
    except OSError as error:  # an SSLError, too
        reason = error.strerror or type(error).__name__
        raise SettingsError(f"A file of THROUGHCARE_NATS_TLS_… cannot be used: {reason}.") from None
    return context


def _disconnected(name: str) -> Callback:
    async def tell() -> None:
        _log.info("nats-disconnected", client=name)

    return tell


async def connect(
    settings: Settings, *, name: str, closed: Callback | None = None, reconnected: Callback | None = None
) -> Client:
    """Connect, and stay connected for ever; waits for a server that is not there yet.

    `closed` is called when the connection ends for good, which only a refusal by the server can do.
    """
    client = Client()
    await client.connect(
        servers(settings),
        **sign_in(settings),
        **options(name=name, closed=closed),
        reconnected_cb=reconnected,
    )
    return client


async def close(client: Client) -> None:
    """Close the connection, whether the server is there or not; after 2 s it is left to the process' end.

    In a task of its own: while it reconnects, nats-py's `close` may wait for ever, write to a transport that
    is gone, or raise the cancellation of a future of its own.
    """
    closing = asyncio.ensure_future(client.close())
    await asyncio.wait({closing}, timeout=_CLOSE_SECONDS)
    if not closing.done():
        closing.cancel()
    elif not closing.cancelled() and (error := closing.exception()) is not None:
        _log.info("nats-not-closed-in-order", reason=type(error).__name__)


def _reporter() -> Callable[[Exception], Awaitable[None]]:
    told, at = "", 0.0

    async def report(error: Exception) -> None:
        nonlocal told, at
        # NATS' own errors name no payload; of others only the kind is told.
        reason, now = str(error) if isinstance(error, NatsError) else type(error).__name__, time.monotonic()
        if reason != told or now - at >= _SAME_AGAIN_SECONDS:
            told, at = reason, now
            _log.warning("nats", reason=reason)

    return report
