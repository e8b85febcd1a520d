"""The MSH segment as it came: enough to answer a message, even one that cannot be read any further."""

import re
from typing import NamedTuple

from services.gateway.hl7v2.error import Condition, Hl7Error, Place

_LINE_END = re.compile(rb"[\r\n]")
_SEPARATOR_AT = 3
_ENCODING_CHARACTERS = (4, 5)
_MAX_HEADER = 16_384
_BOM = b"\xef\xbb\xbf"


class Delimiters(NamedTuple):
    """What MSH-1 and MSH-2 declare; `truncation` (from v2.7) is empty where not declared."""

    field: str
    component: str
    repetition: str
    escape: str
    subcomponent: str
    truncation: str


STANDARD = Delimiters("|", "^", "~", "\\", "&", "")


class Header(NamedTuple):
    """Fields of MSH by their HL7 number, still escaped, one character for each byte received (Latin-1).

    So that an answer echoes the sender's own bytes whatever their character set is.
    """

    fields: tuple[str, ...]

    def field(self, number: int) -> str:
        """Return MSH-`number`, empty where absent."""
        return self.fields[number] if number < len(self.fields) else ""


def _no_header() -> Hl7Error:
    return Hl7Error(
        Condition.SEGMENT_SEQUENCE_ERROR,
        Place("MSH"),
        "A message starts with an MSH segment; this one does not.",
        rejects=True,
    )


def _unusable_delimiters() -> Hl7Error:
    return Hl7Error(
        Condition.DATA_TYPE_ERROR,
        Place("MSH", 2),
        "MSH-2 holds four encoding characters (five from v2.7), each different, no letter, digit or space.",
        rejects=True,
    )


def trimmed(raw: bytes) -> bytes:
    """Drop a byte order mark and blank lines before the message."""
    return raw.lstrip(b"\r\n \t").removeprefix(_BOM).lstrip(b"\r\n \t")


def read_header(raw: bytes) -> Header:
    """Read what can be read of the first segment; without an MSH the header has no fields. Never raises."""
    line = _first_line(raw)
    if not line.startswith("MSH") or len(line) <= _SEPARATOR_AT:
        return Header(())
    separator = line[_SEPARATOR_AT]
    name, *rest = line.split(separator)
    return Header((name, separator, *rest))


def read_delimiters(header: Header) -> Delimiters:
    """Return the declared delimiters; raises Hl7Error without an MSH or with an unusable MSH-2."""
    if not header.fields:
        raise _no_header()
    encoding = header.field(2)
    if encoding == "^~\\&" and header.field(1) == "|":
        return STANDARD
    if len(encoding) not in _ENCODING_CHARACTERS or not _distinct(header.field(1) + encoding):
        raise _unusable_delimiters()
    component, repetition, escape, subcomponent = encoding[:4]
    return Delimiters(header.field(1), component, repetition, escape, subcomponent, encoding[4:])


def _first_line(raw: bytes) -> str:
    start = trimmed(raw[:_MAX_HEADER])
    end = _LINE_END.search(start)
    return (start[: end.start()] if end else start).decode("latin-1")


def _distinct(characters: str) -> bool:
    return len(set(characters)) == len(characters) and all(
        c.isascii() and c.isprintable() and not c.isalnum() and c != " " for c in characters
    )
