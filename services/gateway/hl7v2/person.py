"""PID: whom a message is about."""

from collections.abc import Iterable
from typing import Final, Literal

from services.gateway.hl7v2.contact import address, email, given_names, phone
from services.gateway.hl7v2.error import missing
from services.gateway.hl7v2.message import Composite, Segment
from services.gateway.hl7v2.reading import Reading
from shared.events.base import Demographics, Identifier
from shared.events.inbound import Person

Sex = Literal["female", "male", "other", "unknown"]

_IDENTIFIERS = (3, 2, 4)  # PID-2 and PID-4 were withdrawn in v2.7, and are still sent
_SEXES: Final[dict[str, Sex]] = {
    "F": "female",
    "M": "male",
    "O": "other",
    "A": "other",
    "N": "other",
    "X": "other",
    "U": "unknown",
}
# ISO 639-2 to BCP 47, for the languages that hospitals send most.
_LANGUAGES = {
    "ENG": "en",
    "SPA": "es",
    "FRA": "fr",
    "FRE": "fr",
    "DEU": "de",
    "GER": "de",
    "ITA": "it",
    "POR": "pt",
    "RUS": "ru",
    "ARA": "ar",
    "CHI": "zh",
    "ZHO": "zh",
    "VIE": "vi",
    "KOR": "ko",
    "JPN": "ja",
    "HIN": "hi",
    "HAT": "ht",
    "TGL": "tl",
    "POL": "pl",
    "SGN": "sgn",
}
_SHORT_LANGUAGE = 2


def person(reading: Reading, *, identified: bool = True) -> Person:
    """Read PID; raises Hl7Error where there is none.

    Also where `identified` is asked and there is no identifier in PID-3, PID-2 or PID-4.
    """
    pid = reading.message.segment("PID")
    if pid is None:
        raise missing("PID", 0, "A PID segment is required: it says whom the message is about.")
    found = (identifiers(pid, field, reading) for field in _IDENTIFIERS)
    known = _distinct(identifier for each in found for identifier in each)
    if not known and identified:
        raise missing("PID", 3, "PID-3 needs at least one patient identifier.")
    died = reading.moment(pid, 29)
    return Person(
        identifiers=known,
        demographics=_demographics(pid, reading),
        deceased=pid.text(30) == "Y" or (died is not None and not pid.text(30)),
        died=died,
    )


def identifiers(segment: Segment, field: int, reading: Reading) -> tuple[Identifier, ...]:
    """Read every identifier of a field of type CX, such as PID-3 or MRG-1."""
    read = (_identifier(value, reading) for value in segment.repetitions(field))
    return _distinct(found for found in read if found)


def _distinct(found: Iterable[Identifier]) -> tuple[Identifier, ...]:
    return tuple({(each.assigner, each.value): each for each in found}.values())


def _identifier(value: Composite, reading: Reading) -> Identifier | None:
    """CX: who assigned it stands in CX.4, else CX.6; else it is as agreed, or the sender's own."""
    number = value.text(1).strip()
    if not number:
        return None
    assigner = _authority(value, 4) or _authority(value, 6) or reading.assigner
    return Identifier(assigner, number, value.text(5).strip() or "MR")


def _authority(value: Composite, component: int) -> str:
    """HD: its name, else its universal id."""
    return value.text(component).strip() or value.text(component, 2).strip()


def _demographics(pid: Segment, reading: Reading) -> Demographics:
    name = pid.field(5)
    contacts = [value for field in (13, 14, 40) for value in pid.repetitions(field)]
    return Demographics(
        family=name.text(1).strip() or None,
        given=given_names(name),
        birth_date=reading.day(pid, 7),
        sex=_sex(pid, reading),
        phone=phone(contacts),
        email=email(contacts),
        address=address(pid.field(11)),
        language=_language(pid.text(15)),
    )


def _sex(pid: Segment, reading: Reading) -> Sex | None:
    told = pid.text(8).strip().upper()
    if told and told not in _SEXES:
        reading.warn("PID-8 is not a code of HL7 table 0001 and was left out.")
    return _SEXES.get(told)


def _language(code: str) -> str | None:
    if len(code) == _SHORT_LANGUAGE and code.isalpha():
        return code.lower()
    return _LANGUAGES.get(code.upper(), code) or None
