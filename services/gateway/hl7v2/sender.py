"""MSH-3 and MSH-4 as text, read before anything else of the message is: its profile hangs on them."""

from services.gateway.hl7v2 import charset
from services.gateway.hl7v2.escapes import unescaper
from services.gateway.hl7v2.header import Delimiters, Header

_HD = 3  # its components: name, universal id, kind of that


def names(header: Header, field: int, delimiters: Delimiters, declared: str) -> tuple[str, ...]:
    """Return the components of an HD in MSH, decoded and unescaped.

    `declared` is the character set of MSH-18, empty for UTF-8, else Latin-1.
    """
    raw = header.field(field)
    if not raw.isascii():
        raw = charset.decode(raw.encode("latin-1"), declared).text
    parts = raw.split(delimiters.component)[:_HD]
    if delimiters.escape not in raw:
        return tuple(parts)
    return tuple(map(unescaper(delimiters, "utf-8"), parts))


def declared_charset(header: Header, delimiters: Delimiters) -> str:
    """Return MSH-18, its first repetition."""
    return header.field(18).partition(delimiters.repetition)[0].strip()
