"""Answers to a message: ACK with MSH, MSA and ERR (v2.8 sections 2.9, 2.15), in the sender's delimiters."""

import itertools
import re
import time
from datetime import UTC, datetime
from enum import Enum

from services.gateway.hl7v2.error import Hl7Error
from services.gateway.hl7v2.escapes import escaped
from services.gateway.hl7v2.header import STANDARD, Delimiters, Header, read_delimiters

_VERSION = re.compile(r"\d{1,2}(\.\d{1,2}){1,2}", re.ASCII)
_DEFAULT_VERSION = "2.5.1"
_ERR_BY_FIELD_SINCE = (2, 5)
_STRUCTURE_IN_MSH_SINCE = (2, 3, 1)
_NO_TEXT_IN_MSA_SINCE = (2, 7)
_MSA_TEXT_LENGTH = 80
_USER_MESSAGE_LENGTH = 250  # of ERR-8

_numbers = itertools.count()
_started = time.time_ns() // 1_000_000


class Verdict(Enum):
    """What became of a message: original mode answers A and the letter, enhanced mode C and the letter."""

    ACCEPTED = "A"
    ERROR = "E"
    REJECTED = "R"


# HL7 table 0155. A refusal goes even to a sender that wants to hear nothing (NE): the message would be lost
# unnoticed. One that wants to hear of success only (SU) notices by hearing nothing.
_WANTED = {
    "NE": frozenset({Verdict.ERROR, Verdict.REJECTED}),
    "ER": frozenset({Verdict.ERROR, Verdict.REJECTED}),
    "SU": frozenset({Verdict.ACCEPTED}),
}


def accept(header: Header, received: datetime | None = None) -> bytes | None:
    """Say that the message is stored: AA or CA; None where the sender asked not to be told (MSH-15)."""
    return _acknowledge(header, None, received)


def refuse(header: Header, error: Hl7Error, received: datetime | None = None) -> bytes | None:
    """Say why the message is not taken: AE/CE or AR/CR; None where only success is to be told (MSH-15 SU)."""
    return _acknowledge(header, error, received)


def is_enhanced(header: Header) -> bool:
    """Tell the mode: MSH-15 and MSH-16 both empty is original mode.

    The accept acknowledgement is ours to give here; the application acknowledgement that MSH-16 asks for
    comes later, with what became of the referral.
    """
    return bool(header.field(15).strip('"') or header.field(16).strip('"'))


def code_of(header: Header, error: Hl7Error | None) -> str:
    """Return MSA-1 of the answer: AA, AE, AR or CA, CE, CR."""
    return ("C" if is_enhanced(header) else "A") + _verdict(error).value


def _acknowledge(header: Header, error: Hl7Error | None, received: datetime | None) -> bytes | None:
    if is_enhanced(header) and _verdict(error) not in _WANTED.get(header.field(15), frozenset(Verdict)):
        return None
    delimiters = _delimiters(header)
    segments = [
        _msh(header, delimiters, received or datetime.now(UTC)),
        _msa(header, delimiters, code_of(header, error), error),
    ]
    if error is not None:
        segments.append(_err(_version(header), delimiters, error))
    return ("\r".join(segments) + "\r").encode("latin-1", "replace")


def _verdict(error: Hl7Error | None) -> Verdict:
    if error is None:
        return Verdict.ACCEPTED
    return Verdict.REJECTED if error.rejects else Verdict.ERROR


def _delimiters(header: Header) -> Delimiters:
    try:
        return read_delimiters(header)
    except Hl7Error:
        return STANDARD


def _msh(header: Header, delimiters: Delimiters, at: datetime) -> str:
    """Sender and receiver change places; control id and time are ours; the rest is echoed."""
    fields = (
        "MSH",
        "".join(delimiters[1:]),
        _echo(header, delimiters, 5),
        _echo(header, delimiters, 6),
        _echo(header, delimiters, 3),
        _echo(header, delimiters, 4),
        f"{at:%Y%m%d%H%M%S%z}",
        "",
        _type(header, delimiters),
        f"{_started:x}{next(_numbers):x}",
        _echo(header, delimiters, 11) or "P",
        _version(header),
    )
    return delimiters.field.join(fields)


def _echo(header: Header, delimiters: Delimiters, number: int) -> str:
    """Return a field of the header as it came, unless it was written in delimiters that we cannot use."""
    field = header.field(number)
    if header.field(1) == delimiters.field and header.field(2) == "".join(delimiters[1:]):
        return field
    return escaped(field, delimiters)


def _type(header: Header, delimiters: Delimiters) -> str:
    trigger = header.field(9).split(delimiters.component)[1:2]
    if not trigger or not trigger[0].isalnum():
        return "ACK"
    structure = ["ACK"] if _numbered(_version(header)) >= _STRUCTURE_IN_MSH_SINCE else []
    return delimiters.component.join(("ACK", trigger[0], *structure))


def _version(header: Header) -> str:
    version = _VERSION.match(header.field(12))
    return version[0] if version else _DEFAULT_VERSION


def _msa(header: Header, delimiters: Delimiters, code: str, error: Hl7Error | None) -> str:
    fields = ["MSA", code, _echo(header, delimiters, 10)]
    if error is not None and _numbered(_version(header)) < _NO_TEXT_IN_MSA_SINCE:
        fields.append(_fitting(f"{error.place}: {error.sentence}", _MSA_TEXT_LENGTH, delimiters))
    return delimiters.field.join(fields)


def _err(version: str, delimiters: Delimiters, error: Hl7Error) -> str:
    """ERR-2, -3, -4 and -8 from v2.5; before, the one field ERR-1 that v2.5 withdrew."""
    place, condition = error.place, error.condition
    component, subcomponent = delimiters.component, delimiters.subcomponent
    location = [place.segment, str(place.occurrence), *([str(place.field)] if place.field else [])]
    if _numbered(version) < _ERR_BY_FIELD_SINCE:
        code = subcomponent.join((str(condition.value), condition.display, "HL70357"))
        return delimiters.field.join(
            ("ERR", component.join([*location, *([""] * (3 - len(location))), code]))
        )
    code = component.join((str(condition.value), condition.display, "HL70357"))
    sentence = _fitting(error.sentence, _USER_MESSAGE_LENGTH, delimiters)
    return delimiters.field.join(("ERR", "", component.join(location), code, "E", "", "", "", sentence))


def _fitting(text: str, length: int, delimiters: Delimiters) -> str:
    """Escape as much of a text as a field has room for: no escape sequence is cut in two."""
    text = text[:length]
    while len(written := escaped(text, delimiters)) > length:
        text = text[:-1]
    return written


def _numbered(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
