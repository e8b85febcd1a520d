"""An MLLP server: many peers, many messages in flight on each, limits that keep one from harming another."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Self

import structlog

from services.gateway.mllp.certificate import Certificate, shown_by
from services.gateway.mllp.connection import Connection, Handler, Limits

_log = structlog.get_logger()

Identified = Callable[[Certificate], Handler]
"""Gives what takes the messages of a peer that showed this certificate."""


class Server:
    """Listens until closed. `port` is the one in use, also where 0 was asked for."""

    def __init__(self, handler: Handler, limits: Limits, identified: Identified | None = None) -> None:
        self.limits = limits
        self._handler = handler
        self._identified = identified
        self.held = 0  # bytes of half and unanswered messages
        self._connections: set[Connection] = set()
        self._empty = asyncio.Event()
        self._listener: asyncio.Server | None = None
        self._watch: asyncio.Task[None] | None = None

    async def listen(self, host: str, port: int, tls: ssl.SSLContext | None) -> Self:
        """Start to listen; raises OSError where the address is taken."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(
            lambda: Connection(self),
            host,
            port,
            ssl=tls,
            backlog=1024,
            ssl_handshake_timeout=self.limits.handshake if tls else None,
        )
        self._watch = loop.create_task(self._watch_times())
        return self

    @property
    def port(self) -> int:
        """The port in use."""
        if self._listener is None or not self._listener.sockets:
            raise RuntimeError("The server does not listen.")
        return int(self._listener.sockets[0].getsockname()[1])

    @property
    def connections(self) -> int:
        """How many peers are connected."""
        return len(self._connections)

    async def close(self, grace: float = 10.0) -> None:
        """Take no more, answer what is in flight for up to `grace` seconds, then hang up."""
        if self._listener is not None:
            self._listener.close()
        if self._watch is not None:
            self._watch.cancel()
        for connection in self._connections:
            connection.stop_reading()
        try:
            async with asyncio.timeout(grace):
                await self._finish()
        except TimeoutError:
            _log.warning("mllp-stopped-with-unanswered-messages")
            for connection in tuple(self._connections):
                connection.cut_off("The gateway stops.")

    async def _finish(self) -> None:
        await asyncio.gather(*(connection.drained() for connection in self._connections))
        for connection in tuple(self._connections):
            connection.hang_up()
        while self._connections:
            self._empty.clear()
            await self._empty.wait()

    def handler_of(self, peer: ssl.SSLObject | None) -> Handler:
        """Return what takes a peer's messages, by the certificate that it showed, if it did."""
        shown = shown_by(peer) if peer is not None and self._identified is not None else None
        return self._handler if shown is None or self._identified is None else self._identified(shown)

    def admit(self, connection: Connection) -> bool:
        """Count a new peer in; tell whether there is room."""
        if len(self._connections) >= self.limits.connections:
            return False
        self._connections.add(connection)
        return True

    def dismiss(self, connection: Connection) -> None:
        """Count a peer out."""
        self._connections.discard(connection)
        if not self._connections:
            self._empty.set()

    def hold(self, size: int) -> None:
        """Account for bytes held; above the total, the peer with the longest half message is cut off."""
        self.held += size
        if self.held > self.limits.total_size and size > 0:
            greatest = max(self._connections, key=lambda connection: connection.pending, default=None)
            if greatest is not None and greatest.pending:
                greatest.cut_off("The gateway holds more unfinished messages than it can.")

    async def _watch_times(self) -> None:
        loop = asyncio.get_running_loop()
        pause = min(1.0, self.limits.idle / 4, self.limits.message_time / 4)
        while True:
            await asyncio.sleep(pause)
            now = loop.time()
            for connection in tuple(self._connections):
                connection.check_times(now)


async def serve(
    handler: Handler,
    host: str,
    port: int,
    *,
    limits: Limits | None = None,
    tls: ssl.SSLContext | None = None,
    identified: Identified | None = None,
) -> Server:
    """Listen for MLLP on host and port (0: any free one); raises OSError where the address is taken.

    Messages of peers that showed a certificate go to what `identified` gives, all others to `handler`.
    """
    return await Server(handler, limits or Limits(), identified).listen(host, port, tls)
