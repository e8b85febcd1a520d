"""The messages in a stream of bytes, one at a time: lines of NDJSON, or HL7 v2 messages with their batch."""

from collections.abc import AsyncIterable, AsyncIterator
from typing import Final, Literal

Form = Literal["ndjson", "hl7v2"]

_WRAPPERS: Final = (b"FHS", b"BHS", b"BTS", b"FTS")
_BEGINNING: Final = b"MSH"
_FRAME: Final = b"\x0b\x1c"  # of MLLP, where a file was recorded from the wire


async def messages(chunks: AsyncIterable[bytes], form: Form, *, largest: int) -> AsyncIterator[bytes]:
    """Give each message; one of more than `largest` bytes is cut there, so that who reads it sees it is."""
    if form == "ndjson":
        async for line in _lines(chunks, largest):
            if line.strip():
                yield line
        return
    message = b""
    async for segment in _lines(chunks, largest):
        text = segment.strip(_FRAME)
        if not text.strip() or text.startswith(_WRAPPERS):
            continue
        if text.startswith(_BEGINNING) and message:
            yield message
            message = b""
        if len(message) <= largest:
            message += text + b"\r"
    if message:
        yield message


async def _lines(chunks: AsyncIterable[bytes], largest: int) -> AsyncIterator[bytes]:
    """Give what stands between line ends, LF or CR; of a longer line the first `largest` bytes and one."""
    rest = b""
    async for chunk in chunks:
        *lines, last = chunk.replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            yield rest + line if len(rest) <= largest else rest
            rest = b""
        if len(rest) <= largest:
            rest = (rest + last)[: largest + 1]
    if rest:
        yield rest
