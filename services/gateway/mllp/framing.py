"""MLLP frames: start block VT, the message, end block FS and CR. Bytes in, frames out; no sockets here."""

from typing import NamedTuple

START = b"\x0b"
END = b"\x1c"
CARRIAGE_RETURN = b"\r"

_RESTART = START + b"MSH"
_HEADER_KEPT = 4096


class Oversized(NamedTuple):
    """A message longer than allowed: only its first bytes, so that it can still be answered."""

    beginning: bytes


Frame = bytes | Oversized


def framed(message: bytes) -> bytes:
    """Put a message into a frame."""
    return START + message + END + CARRIAGE_RETURN


class Decoder:
    """Cuts a byte stream into messages, whatever the chunks it comes in.

    What stands before a start block is skipped, and a CR missing after the end block is forgiven. A start
    block followed by MSH inside a message is a sender that gave up half way and began anew: the half is
    dropped, nobody was promised anything about it. Any other VT inside is text (a word processor's soft
    line break).
    """

    __slots__ = ("_buffer", "_inside", "_limit", "_overflowing", "_searched")

    def __init__(self, limit: int) -> None:
        """Take the greatest message length in bytes."""
        self._limit = limit
        self._buffer = bytearray()
        self._inside = False
        self._overflowing = False
        self._searched = 0

    @property
    def pending(self) -> int:
        """Bytes held of a message that is not complete."""
        return len(self._buffer)

    @property
    def is_mid_message(self) -> bool:
        """Tell whether a message has begun and not ended."""
        return self._inside

    def feed(self, chunk: bytes) -> list[Frame]:
        """Take what arrived and return the messages that are now complete, and those that became too long."""
        self._buffer += chunk
        frames: list[Frame] = []
        while (self._inside or self._find_start()) and self._read(frames):
            pass
        return frames

    def _find_start(self) -> bool:
        at = self._buffer.find(START)
        self._drop(at + 1 if at >= 0 else len(self._buffer))
        self._inside = at >= 0
        return self._inside

    def _read(self, frames: list[Frame]) -> bool:
        """Add the current message if it is complete or too long; tell whether there may be more."""
        at = self._buffer.find(END, self._searched)
        self._searched = len(self._buffer)
        if (at if at >= 0 else len(self._buffer)) > self._limit and not self._overflowing:
            frames.append(Oversized(bytes(self._buffer[: min(self._limit, _HEADER_KEPT)])))
            self._overflowing = True
        if at >= 0:
            self._finish(at, frames)
            return True
        if self._overflowing:
            self._drop(len(self._buffer))
        return False

    def _finish(self, at: int, frames: list[Frame]) -> None:
        if not self._overflowing:
            restart = self._buffer.rfind(_RESTART, 0, at)
            frames.append(bytes(self._buffer[restart + 1 : at]))
        self._drop(at + 1)
        self._inside = self._overflowing = False

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        self._searched = 0
