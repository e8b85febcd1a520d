"""One HTTP peer, and what it may take from the others: a place among so many, and so much time."""

import asyncio
from typing import Any, Final, Literal, cast

import structlog
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

_log = structlog.get_logger()

PATIENCE_SECONDS: Final = 60.0
_LOOKS: Final = 4  # at a peer, while patience lasts

Awaited = Literal["a request", "a body", "reading"]


class HttpPeer(H11Protocol):
    """uvicorn's connection, which by itself waits for ever for a request, for its body, and to be read."""

    connection_limit = 1_000
    patience = PATIENCE_SECONDS

    @staticmethod
    def within(connections: int, patience: float) -> "type[HttpPeer]":
        """Return the class of peers with these limits: so many at a time, and so many seconds."""
        return type("HttpPeer", (HttpPeer,), {"connection_limit": connections, "patience": patience})

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401 -- uvicorn's own
        super().__init__(*arguments, **named)
        self._awaits: Awaited | None = None
        self._since = self.loop.time()
        self._look_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] -- as uvicorn's
        """Admit the peer, or hang up where there is no room."""
        super().connection_made(transport)
        if len(self.connections) > self.connection_limit:
            self._cut_off("As many are open as are allowed.")
            return
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the peer."""
        if self._look_due is not None:
            self._look_due.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what arrived; a body may take as long as it needs while more of it comes."""
        super().data_received(data)
        if self._awaits == "a body":
            self._since = self.loop.time()

    def _look(self) -> None:
        """Cut the peer off where it was waited for too long."""
        awaited, now = self._awaited(), self.loop.time()
        if awaited != self._awaits:
            self._awaits, self._since = awaited, now
        elif awaited is not None and now - self._since > self.patience:
            self._cut_off(f"The peer was waited for too long, for {awaited}.")
            return
        self._look_due = self.loop.call_later(self.patience / _LOOKS, self._look)

    def _awaited(self) -> Awaited | None:
        """Say what the peer has to do next; None where it is we."""
        cycle = cast("RequestResponseCycle | None", self.cycle)  # there is none before the first request
        if cycle is None or cycle.response_complete:
            return "a request"
        if self.flow.write_paused:
            return "reading"
        return "a body" if cycle.more_body else None

    def _cut_off(self, reason: str) -> None:
        self.transport.abort()
        _log.warning("http-connection-closed", reason=reason)
