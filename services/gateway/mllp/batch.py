"""The messages in a file: one, several, or an HL7 batch (FHS, BHS … BTS, FTS; v2.8 section 2.10.3)."""

import re
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO

from services.gateway.mllp.framing import END, START

_WRAPPER = re.compile(rb"(?:FHS|BHS|BTS|FTS)(?![A-Za-z0-9])")
_BEGINNING = re.compile(rb"MSH(?![A-Za-z0-9\r\n])")
_BLANK = b"\r\n \t"
_CHUNK = 1 << 20


def split_messages(content: bytes) -> Iterator[bytes]:
    """Give each message of a file's content, as `read_messages` does."""
    return read_messages(BytesIO(content))


def read_messages(file: BinaryIO) -> Iterator[bytes]:
    """Give each message as it stands, without batch wrappers and MLLP frame bytes; holds one at a time.

    What comes before the first MSH is given too, and a file without any is given whole, were it empty: the
    receiver then says what is wrong with it.
    """
    message = bytearray()
    given = headed = False
    for line in _bare_lines(file):
        if _BEGINNING.match(line):
            if headed or message.strip(_BLANK):
                yield bytes(message)
                given = True
            message.clear()
            headed = True
        message += line
    if headed or not given:
        yield bytes(message)


def _bare_lines(file: BinaryIO) -> Iterator[bytes]:
    """Give the lines with their ends, but for wrappers; where the file is framed, without frame bytes."""
    framed: bool | None = None
    for whole in _lines(file):
        line = whole
        if framed is None and line.strip(_BLANK):
            framed = line.lstrip(_BLANK).startswith(START)
        if framed:
            line = line.replace(START, b"").replace(END, b"")
        if not _WRAPPER.match(line) and (line.strip(_BLANK) or line == whole):
            yield line


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Give the lines with their ends, whatever they are: CR, LF or both."""
    held = b""
    while chunk := file.read(_CHUNK):
        *lines, held = (held + chunk).splitlines(keepends=True)
        yield from lines
        if held.endswith(b"\n"):
            yield held
            held = b""
    yield from held.splitlines(keepends=True)  # one that ends with CR was held, for an LF might have followed
