"""The messages in a file: one, several, or an HL7 batch (FHS, BHS … BTS, FTS; v2.8 section 2.10.3)."""

import re
from collections.abc import Iterator

from services.gateway.mllp.framing import CARRIAGE_RETURN, END, START

_WRAPPER = re.compile(rb"(?<![^\r\n])(?:FHS|BHS|BTS|FTS)(?![A-Za-z0-9])[^\r\n]*[\r\n]*")
_BEGINNING = re.compile(rb"(?<![^\r\n])MSH(?![A-Za-z0-9\r\n])")


def split_messages(content: bytes) -> Iterator[bytes]:
    """Give each message as it stands, without batch wrappers and MLLP frame bytes.

    What comes before the first MSH is given too, and a file without any is given whole, were it empty: the
    receiver then says what is wrong with it.
    """
    bare = _WRAPPER.sub(b"", _unframed(content))
    starts = [match.start() for match in _BEGINNING.finditer(bare)]
    if not starts:
        yield content
        return
    if bare[: starts[0]].strip():
        yield bare[: starts[0]]
    for start, end in zip(starts, [*starts[1:], len(bare)], strict=True):
        yield bare[start:end]


def _unframed(content: bytes) -> bytes:
    if not content.lstrip(b"\r\n \t").startswith(START):
        return content
    return content.replace(END + CARRIAGE_RETURN, CARRIAGE_RETURN).replace(END, b"").replace(START, b"")
