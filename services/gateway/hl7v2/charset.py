"""The character set of a message: MSH-18, else UTF-8, else Latin-1 with a warning."""

from typing import NamedTuple

_UTF_8 = "utf-8"
_LATIN_1 = "latin-1"

# HL7 table 0211, and the spellings that interface engines really send.
_CODECS = {
    "ASCII": "ascii",
    "ISO IR6": "ascii",
    "UNICODE UTF-8": _UTF_8,
    "UTF-8": _UTF_8,
    "UTF8": _UTF_8,
    "UNICODE": _UTF_8,
    "CP1252": "cp1252",
    "WINDOWS-1252": "cp1252",
    "ISO IR14": "iso2022_jp",
    "ISO IR87": "iso2022_jp",
    "GB 18030-2000": "gb18030",
    "KS X 1001": "euc_kr",
    "BIG-5": "big5",
} | {f"8859/{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)}


class Decoded(NamedTuple):
    """Text, the codec that read it, and what a person should know about it."""

    text: str
    charset: str
    warnings: tuple[str, ...]


def is_known(name: str) -> bool:
    """Tell whether `name` is a character set that MSH-18 can declare."""
    return name.strip().upper() in _CODECS


def encode(text: str, declared: str) -> bytes:
    """Write a text that was decoded as `decode` would read it again."""
    try:
        return text.encode(_CODECS.get(declared.strip().upper(), _UTF_8))
    except UnicodeEncodeError:
        return text.encode(_UTF_8)


def decode(raw: bytes, declared: str) -> Decoded:
    """Decode a message whose MSH-18 is `declared` (its first repetition). Never raises."""
    decoded = _decoded(raw, declared)
    if "\0" not in decoded.text:
        return decoded
    return Decoded(
        decoded.text.replace("\0", "\N{REPLACEMENT CHARACTER}"),
        decoded.charset,
        (*decoded.warnings, "Zero bytes, which no text has, were replaced."),
    )


def _decoded(raw: bytes, declared: str) -> Decoded:
    name = declared.strip().upper()
    codec = _CODECS.get(name, "")
    if codec in {"", "ascii", _UTF_8}:
        return _unicode(
            raw, () if codec or not name else ("MSH-18 names a character set that is not known.",)
        )
    try:
        return Decoded(raw.decode(codec), codec, ())
    except UnicodeDecodeError:
        return _unicode(raw, ("The text is not in the character set that MSH-18 names.",))


def _unicode(raw: bytes, warnings: tuple[str, ...]) -> Decoded:
    try:
        return Decoded(raw.decode(_UTF_8), _UTF_8, warnings)
    except UnicodeDecodeError:
        return Decoded(
            raw.decode(_LATIN_1), _LATIN_1, (*warnings, "The text is not UTF-8 and was read as Latin-1.")
        )
