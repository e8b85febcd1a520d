"""One MLLP peer: its messages are taken in order, handled at the same time, and answered in order."""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Protocol, cast

import structlog
from msgspec import Struct

from services.gateway.mllp.framing import Decoder, Frame, framed
from shared.telemetry import failure

_log = structlog.get_logger()
_A_TURN = 64  # messages of one peer that begin in one turn of the event loop: the others have turns between
_UNREAD = 65_536  # bytes of answers that the system keeps for a peer; it would take megabytes for each

Handler = Callable[[Frame], Coroutine[None, None, bytes | None]]
"""Takes a message and returns its answer, or None where none is wanted.

Raising means that nothing can be said: the connection is closed, so that the sender sends again.
"""


class Limits(Struct, frozen=True, kw_only=True):
    """What one peer may take from the others. Times are in seconds, sizes in bytes."""

    message_size: int = 10_000_000
    connections: int = 10_000
    handshake: float = 10.0  # of TLS
    idle: float = 3_600.0  # nothing said and nothing owed
    message_time: float = 60.0  # from the first byte of a message to its last; or an answer not read
    in_flight: int = 512  # unanswered messages on one connection before no more are read
    in_flight_size: int = 20_000_000  # the same in bytes
    total_size: int = 400_000_000  # of all connections: half messages and unanswered ones


class Host(Protocol):
    """What a connection needs of its server."""

    @property
    def limits(self) -> Limits: ...

    def handler_of(self, peer: ssl.SSLObject | None) -> Handler:
        """Return what takes a peer's messages; `peer` is its side of TLS, None where that is not spoken."""
        ...

    def admit(self, connection: "Connection") -> bool:
        """Count a new peer in; tell whether there is room."""
        ...

    def dismiss(self, connection: "Connection") -> None:
        """Count a peer out."""
        ...

    def hold(self, size: int) -> None:
        """Account for bytes held, or with a negative size let go."""
        ...


class Connection(asyncio.Protocol):
    """One peer."""

    def __init__(self, server: Host) -> None:
        self._server = server
        self._limits = server.limits
        self._decoder = Decoder(server.limits.message_size)
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._handler = server.handler_of(None)
        self._waiting: deque[Frame] = deque()  # read, not begun
        self._answers: deque[tuple[asyncio.Task[bytes | None], int]] = deque()
        self._in_flight_size = 0
        self._held_half = 0
        self._paused = False
        self._stopping = False
        self._ended = False
        self._flush_due = False
        self._turn_due = False
        self._heard = self._message_since = self._loop.time()
        self._unread_since: float | None = None
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def pending(self) -> int:
        """Bytes of a message that is not complete."""
        return self._decoder.pending

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Admit the peer, or hang up where there is no room."""
        # A cast, for uvloop's transports are none of asyncio's classes.
        self._transport = cast("asyncio.Transport", transport)
        if (plain := transport.get_extra_info("socket")) is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _UNREAD)
        self._handler = self._server.handler_of(transport.get_extra_info("ssl_object"))
        if not self._server.admit(self):
            self.cut_off("As many are open as are allowed.")

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Forget the peer. What is in flight is still stored; its sender, unanswered, will send it again."""
        self._transport = None
        self._server.dismiss(self)
        self._server.hold(-self._held_half)
        self._held_half = 0
        self._forget_waiting()

    def data_received(self, data: bytes) -> None:
        """Begin what became complete, and read no further while too much is unanswered."""
        self._heard = self._loop.time()
        was_mid = self._decoder.is_mid_message
        frames = self._decoder.feed(data)
        if frames or not was_mid:
            self._message_since = self._heard
        for frame in frames:
            self._take_in(frame)
        self._account_half()
        self._begin_some()
        self._steer()

    def eof_received(self) -> bool:
        """Keep our side open while answers are owed: some senders close theirs after the last message."""
        self._ended = True
        transport = self._transport
        return self._is_owing and transport is not None and not transport.get_extra_info("sslcontext")

    def pause_writing(self) -> None:
        """Stop reading while the peer does not read its answers."""
        self._unread_since = self._loop.time()
        self._steer()

    def resume_writing(self) -> None:
        """Go on."""
        self._unread_since = None
        self._begin_some()
        self._steer()

    def check_times(self, now: float) -> None:
        """Cut off a peer that keeps silent, leaves a message unfinished, or does not read its answers."""
        if self._unread_since is not None and now - self._unread_since > self._limits.message_time:
            self.cut_off("The peer did not read its answers in time.")
        elif self._is_owing or self._paused:
            self._heard = self._message_since = now
        elif self._decoder.is_mid_message and now - self._message_since > self._limits.message_time:
            self.cut_off("A message was not finished in time.")
        elif now - self._heard > self._limits.idle:
            self.cut_off("The connection was idle.")

    def stop_reading(self) -> None:
        """Take no more messages from this peer."""
        self._stopping = True
        self._steer()

    async def drained(self) -> None:
        """Wait until everything taken is answered."""
        await self._idle.wait()

    def hang_up(self) -> None:
        """Close once the answers are written."""
        if self._transport is not None:
            self._transport.close()

    def cut_off(self, reason: str) -> None:
        """Close now."""
        _log.warning("mllp-connection-closed", reason=reason)
        if self._transport is not None:
            self._transport.abort()

    @property
    def _is_owing(self) -> bool:
        return bool(self._answers or self._waiting)

    def _take_in(self, frame: Frame) -> None:
        size = _size(frame)
        self._waiting.append(frame)
        self._in_flight_size += size
        self._server.hold(size)
        self._idle.clear()

    def _begin_some(self) -> None:
        """Begin what there is room for, a few at a time: a packet may hold ten thousand messages."""
        for _ in range(min(_A_TURN, len(self._waiting))):
            if not self._has_room():
                return
            self._begin(self._waiting.popleft())
        if self._waiting and not self._turn_due:
            self._turn_due = True
            self._loop.call_soon(self._next_turn)

    def _next_turn(self) -> None:
        self._turn_due = False
        self._begin_some()

    def _has_room(self) -> bool:
        return self._unread_since is None and len(self._answers) < self._limits.in_flight

    def _begin(self, frame: Frame) -> None:
        task = self._loop.create_task(self._handler(frame))
        task.add_done_callback(self._answered)
        self._answers.append((task, _size(frame)))

    def _forget_waiting(self) -> None:
        """Drop what has not begun; nobody was promised anything about it."""
        size = sum(map(_size, self._waiting))
        self._waiting.clear()
        self._in_flight_size -= size
        self._server.hold(-size)

    def _answered(self, _: asyncio.Task[bytes | None]) -> None:
        if not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        """Write the answers that are ready, as far as they are in order."""
        self._flush_due = False
        answers: list[bytes] = []
        failed = False
        while not failed and self._answers and self._answers[0][0].done():
            failed = self._take(answers)
        self._write(answers)
        if failed:
            self._forget_waiting()
        self._begin_some()
        if failed or (self._ended and not self._is_owing):
            self.hang_up()
        if not self._is_owing:
            self._idle.set()
        self._steer()

    def _write(self, answers: list[bytes]) -> None:
        """Write unless closing: after a message that could not be answered, no later one is either."""
        if answers and self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(answers))

    def _take(self, answers: list[bytes]) -> bool:
        """Move the first answer over; tell whether there was none because its handler failed."""
        task, size = self._answers.popleft()
        self._in_flight_size -= size
        self._server.hold(-size)
        fault = asyncio.CancelledError() if task.cancelled() else task.exception()
        if fault is not None:
            _log.error("mllp-message-unanswered", **failure(fault))
            return True
        answer = task.result()
        if answer is not None:
            answers.append(framed(answer))
        return False

    def _account_half(self) -> None:
        pending = self._decoder.pending
        self._server.hold(pending - self._held_half)
        self._held_half = pending

    def _steer(self) -> None:
        """Read on, or not yet."""
        if self._transport is None or self._transport.is_closing():
            return
        full = (
            self._stopping
            or bool(self._waiting)
            or not self._has_room()
            or self._in_flight_size >= self._limits.in_flight_size
        )
        if full and not self._paused:
            self._paused = True
            self._transport.pause_reading()
        elif self._paused and not full:
            self._paused = False
            self._transport.resume_reading()


def _size(frame: Frame) -> int:
    return len(frame) if isinstance(frame, bytes) else 0
