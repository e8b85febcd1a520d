"""PID: whom a message is about."""

from collections.abc import Iterable
from typing import Final, Literal

from services.gateway.hl7v2.contact import address, email, given_names, phone
from services.gateway.hl7v2.error import missing
from services.gateway.hl7v2.message import Composite, Segment
from services.gateway.hl7v2.reading import Reading
from services.gateway.placeholder import is_placeholder
from shared.events.base import Demographics, Emptied, Identifier
from shared.events.inbound import Person

Sex = Literal["female", "male", "other", "unknown"]

_IDENTIFIERS = (3, 2, 4)  # PID-2 and PID-4 were withdrawn in v2.7, and are still sent
_CONTACTS: Final = (13, 14, 40)
_EMPTIED: Final[tuple[tuple[Emptied, tuple[int, ...]], ...]] = (
    ("birth_date", (7,)),
    ("sex", (8,)),
    ("phone", _CONTACTS),
    ("email", _CONTACTS),
    ("address", (11,)),
    ("language", (15,)),
)
_NOT_OF_PEOPLE: Final = frozenset({"AN", "VN"})  # HL7 table 0203: account number, visit number
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
_LEGAL = "L"  # HL7 table 0200


def person(reading: Reading, *, identified: bool = True) -> Person:
    """Read PID; raises Hl7Error where there is none.

    Also where `identified` is asked and there is no identifier in PID-3, PID-2 or PID-4.
    """
    pid = reading.message.segment("PID")
    if pid is None:
        raise missing("PID", 0, "A PID segment is required: it says whom the message is about.")
    known = _known(pid, reading)
    if not known and identified:
        raise missing("PID", 3, "PID-3 needs at least one patient identifier.")
    died = reading.moment(pid, 29)
    return Person(
        identifiers=known,
        demographics=(told := _demographics(pid, reading)),
        emptied=_emptied(pid, told),
        deceased=pid.text(30) == "Y" or (died is not None and not pid.text(30)),
        died=died,
    )


def identifiers(
    segment: Segment, field: int, reading: Reading, *, assigned: bool = False
) -> tuple[Identifier, ...]:
    """Read every identifier of a field of type CX, such as PID-3; with `assigned` those that say by whom.

    Numbers of accounts and visits are left out beside another: families share accounts, and both count
    through the numbers that the same hospital gives to patients.
    """
    values = (value for value in segment.repetitions(field) if _assigner(value) or not assigned)
    read = [found for value in values if (found := _identifier(value, reading))]
    of_people = [each for each in read if each.type not in _NOT_OF_PEOPLE]
    return _distinct(of_people or read)


def _known(pid: Segment, reading: Reading) -> tuple[Identifier, ...]:
    """Read PID-3; what PID-2 and PID-4 add says itself who assigned it, or stands for a PID-3 without any.

    Older systems have other numbers there (of a referring clinic, of an earlier system). Read as numbers of
    the sender they would name whoever has that number in PID-3.
    """
    known: tuple[Identifier, ...] = ()
    for field in _IDENTIFIERS:
        known += identifiers(pid, field, reading, assigned=bool(known))
    return _distinct(known)


def _distinct(found: Iterable[Identifier]) -> tuple[Identifier, ...]:
    return tuple({(each.assigner, each.value): each for each in found}.values())


def _identifier(value: Composite, reading: Reading) -> Identifier | None:
    """CX: who assigned it stands in CX.4, else CX.6; else it is as agreed, or the sender's own."""
    number, kind = value.text(1).strip(), value.text(5).strip() or "MR"
    if not number:
        return None
    if is_placeholder(number, kind):
        reading.warn("An identifier that is nobody's, a placeholder, was left out.")
        return None
    return Identifier(_assigner(value) or reading.assigner, number, kind)


def _assigner(value: Composite) -> str:
    return _authority(value, 4) or _authority(value, 6)


def _authority(value: Composite, component: int) -> str:
    """HD: its name, else its universal id."""
    return value.text(component).strip() or value.text(component, 2).strip()


def _demographics(pid: Segment, reading: Reading) -> Demographics:
    name = _name(pid)
    contacts = [value for field in _CONTACTS for value in pid.repetitions(field)]
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


def _emptied(pid: Segment, told: Demographics) -> tuple[Emptied, ...]:
    """Return what explicit nulls take back; of the contacts what no other field tells."""
    return tuple(
        name
        for name, fields in _EMPTIED
        if getattr(told, name) is None and any(_is_null(pid, field) for field in fields)
    )


def _is_null(pid: Segment, field: int) -> bool:
    """Some senders write one null for the field, others one for each component."""
    parts = pid.field(field).components
    return bool(parts) and all(part.is_null for part in parts)


def _name(pid: Segment) -> Composite:
    """Return the legal name (XPN.7 L), else the first."""
    names = [name for name in pid.repetitions(5) if name.text(1) or name.text(2)]
    legal = [name for name in names if name.text(7).upper() == _LEGAL]
    return next(iter((*legal, *names)), pid.field(5))


def _sex(pid: Segment, reading: Reading) -> Sex | None:
    told = pid.text(8).strip().upper()
    if told and told not in _SEXES:
        reading.warn("PID-8 is not a code of HL7 table 0001 and was left out.")
    return _SEXES.get(told)


def _language(code: str) -> str | None:
    if len(code) == _SHORT_LANGUAGE and code.isalpha():
        return code.lower()
    return _LANGUAGES.get(code.upper(), code) or None
