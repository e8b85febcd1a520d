"""The FHIR application on a socket of its own, inside the gateway's process."""

import asyncio
import logging
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import uvicorn
from litestar import Litestar

from services.gateway.fhir.http_peer import HttpPeer
from services.gateway.fhir.methods import WithHead

_GRACE_SECONDS: Final = 10
_IDLE_SECONDS: Final = 60
_BACKLOG: Final = 1024


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the process stops everything in its own order."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


class Listener:
    """Serves until closed. `port` is the one in use, also where 0 was asked for."""

    def __init__(
        self,
        app: Litestar,
        host: str,
        port: int,
        *,
        connections: int = HttpPeer.connection_limit,
        patience: float = HttpPeer.patience,
    ) -> None:
        """Bind the address; raises OSError where it is taken.

        More `connections` are hung up on; a peer is waited for `patience` seconds at a time.
        """
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        # asyncio does it only for sockets that it made; without, an answer waits 40 ms for the client's ack.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port: int = self._socket.getsockname()[1]
        self._server = _Server(
            uvicorn.Config(
                WithHead(app),
                http=HttpPeer.within(connections, patience),
                log_config=None,
                access_log=False,
                server_header=False,
                lifespan="off",
                timeout_keep_alive=_IDLE_SECONDS,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        # An address may hold an identifier; uvicorn's own switch yields to whoever configures logging later.
        logging.getLogger("uvicorn.access").disabled = True
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]), name="fhir")

    @property
    def connections(self) -> int:
        """How many peers are connected."""
        return len(self._server.server_state.connections)

    async def close(self) -> None:
        """Take no more requests, and answer those in flight."""
        self._server.should_exit = True
        await self._task
        self._socket.close()
