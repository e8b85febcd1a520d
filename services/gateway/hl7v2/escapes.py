r"""Escape sequences in HL7 v2 text (v2.8 section 2.7): ``\F\`` and its kin, ``\X0D\``, ``\.br\``, ``\H\``."""

import re
from collections.abc import Callable
from functools import lru_cache

from services.gateway.hl7v2.header import Delimiters

_FORMATTING = {"br": "\n", "ce": "\n", "in": "", "ti": "", "fi": "", "nf": "", "sk": " "}
_HIGHLIGHT = {"H": "", "N": ""}
_MOST_LINES = 60
# All of C0 but tab and line ends: FS at the end of a segment would end the MLLP frame in mid message.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

Unescape = Callable[[str], str]


@lru_cache(maxsize=64)
def unescaper(delimiters: Delimiters, charset: str) -> Unescape:
    r"""Return the function that resolves escape sequences of a message with these delimiters.

    What is unknown is kept as written, among it the character set switches ``\C..\`` and ``\M..\``: a person
    can still see it then. `charset` is the codec name for the bytes of ``\X..\``.
    """
    mark = re.escape(delimiters.escape)
    known = re.compile(
        mark + r"(?:([FSTREPHN])|X((?:[0-9A-Fa-f]{2})+)|\.(br|sp|in|ti|ce|fi|nf|sk)\s*([+-]?\d{0,3}))" + mark
    )
    letters = _letters(delimiters)

    def resolve(match: re.Match[str]) -> str:
        letter, hexadecimal, command, count = match.groups()
        if letter:
            return letters.get(letter, match[0])
        if hexadecimal:
            return bytes.fromhex(hexadecimal).decode(charset, "replace").replace("\0", "")
        return _formatted(command, count)

    return lambda text: known.sub(resolve, text)


def escaped(text: str, delimiters: Delimiters) -> str:
    r"""Write text to stand in a component: line ends become ``.br`` sequences, control characters ``X..``."""
    mark = delimiters.escape
    for letter, character in (("E", mark), *_plain(delimiters)):
        text = text.replace(character, f"{mark}{letter}{mark}")
    text = _CONTROL.sub(lambda found: f"{mark}X{ord(found[0]):02X}{mark}", text)
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", f"{mark}.br{mark}")


def _letters(delimiters: Delimiters) -> dict[str, str]:
    letters = {**_HIGHLIGHT, **dict(_plain(delimiters)), "E": delimiters.escape}
    return letters | ({"P": delimiters.truncation} if delimiters.truncation else {})


def _plain(delimiters: Delimiters) -> tuple[tuple[str, str], ...]:
    return (
        ("F", delimiters.field),
        ("S", delimiters.component),
        ("T", delimiters.subcomponent),
        ("R", delimiters.repetition),
    )


def _formatted(command: str, count: str) -> str:
    if command == "sp":
        return "\n" * min(int(count or 1), _MOST_LINES) if not count.startswith("-") else ""
    return _FORMATTING[command]
