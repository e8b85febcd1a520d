"""RRI: what became of a referral, told to who sent it (v2.8 sections 11.3 and 11.5)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct

from services.gateway.hl7v2.escapes import escaped
from services.gateway.hl7v2.header import STANDARD
from shared.events.base import Demographics, Identifier
from shared.events.moment import Moment, is_day
from shared.events.referral import Priority, Referrer

Trigger = Literal["I12", "I13", "I14"]
"""Of the message that is answered: a referral, a change of it, its cancellation."""

OUR_ASSIGNER: Final = "THROUGHCARE"
_RECEIVED: Final = ("P", "Pending")
_IN_HAND: Final = ("A", "Accepted")
_ENDED: Final = ("E", "Expired")

# HL7 table 0283 has four codes for the harmonised states (BSeR) and ours; which one it is, exactly, stands
# beside the code as its alternate. What was withdrawn has no code: expired says that it is in force no more.
_STATUSES: Final[Mapping[str, tuple[str, str]]] = {
    "draft": _RECEIVED,
    "received": _RECEIVED,
    "awaiting-information": _RECEIVED,
    "cancel-requested": _RECEIVED,
    "accepted": _IN_HAND,
    "active": _IN_HAND,
    "waitlisted": _IN_HAND,
    "scheduled": _IN_HAND,
    "appointment-cancelled": _IN_HAND,
    "no-show": _IN_HAND,
    "visit-completed": _IN_HAND,
    "completed": _IN_HAND,
    "rejected": ("R", "Rejected"),
    "cancelled": _ENDED,
}
_PRIORITIES: Final[Mapping[Priority, tuple[str, str]]] = {
    "stat": ("S", "STAT"),
    "urgent": ("A", "ASAP"),
    "asap": ("A", "ASAP"),
    "routine": ("R", "Routine"),
}
_OID: Final = re.compile(r"[0-2](\.(0|[1-9]\d*))+", re.ASCII)
_NAMELESS: Final = "^^^^^^U"  # PID-5 is required: XPN.7 of HL7 table 0200, unspecified
_SEXES: Final = {"female": "F", "male": "M", "other": "O", "unknown": "U"}


class Endpoint(Struct, frozen=True, kw_only=True):
    """An application and its facility: MSH-3 and -4 of who sends, MSH-5 and -6 of who receives."""

    application: str
    facility: str
    application_id: tuple[str, ...] = ()  # HD.2 and HD.3: a universal id and its kind
    facility_id: tuple[str, ...] = ()


class Answer(Struct, frozen=True, kw_only=True):
    """What is told; everything the message says is in here."""

    control_id: str  # MSH-10 of this message
    at: datetime  # MSH-7, aware
    to: Endpoint
    referral: UUID  # our number of it
    placer: Identifier  # the sender's number of it
    status: str  # of the harmonised state table, or an extension of ours
    since: Moment  # when it came there
    identifiers: tuple[Identifier, ...]
    demographics: Demographics
    answers: str | None = None  # MSH-10 of the message that this answers
    trigger: Trigger = "I12"
    sender: Endpoint = Endpoint(application="THROUGHCARE", facility="IOP")
    priority: Priority = "routine"
    referrer: Referrer = Referrer()
    reason: str | None = None  # a sentence, such as why it was declined
    notice: str | None = None  # on passing the reason on
    version: str = "2.5.1"
    processing: str = "P"


def _notes(*told: str | None) -> Iterator[str]:
    for number, each in enumerate(filter(None, told), start=1):
        yield _segment("NTE", str(number), "", _text(each))


def build(answer: Answer) -> bytes:
    """Write RRI^I12 (I13, I14) as one message without its frame, in UTF-8; MSH-18 says so where it matters.

    The same answer gives the same bytes. Raises KeyError for a status that no table has.
    """
    body = [
        *([_segment("MSA", "AA", _text(answer.answers))] if answer.answers else []),
        _rf1(answer),
        _referring(answer.referrer),
        _segment(
            "PRD",
            _coded("RT", "Referred to Provider", "HL70286"),
            "",
            "",
            f"^^^{_text(answer.sender.facility)}",
        ),
        _pid(answer),
        *_notes(answer.reason, answer.notice),
    ]
    return ("\r".join((_msh(answer, body), *body)) + "\r").encode()


def status_code(status: str) -> str:
    """Return RF1-1's code of HL7 table 0283; raises KeyError for a status that no table has."""
    return _STATUSES[status][0]


def _msh(answer: Answer, body: Iterable[str]) -> str:
    fields = [
        "MSH|^~\\&",
        _text(answer.sender.application),
        _text(answer.sender.facility),
        _named(answer.to.application, answer.to.application_id),
        _named(answer.to.facility, answer.to.facility_id),
        _instant(answer.at),
        "",
        f"RRI^{answer.trigger}^RRI_I12",
        _text(answer.control_id),
        answer.processing,
        answer.version,
    ]
    if not "".join((*fields, *body)).isascii():
        fields += [""] * 5 + ["UNICODE UTF-8"]  # MSH-18
    return "|".join(fields)


def _rf1(answer: Answer) -> str:
    code, display = _STATUSES[answer.status]
    return _segment(
        "RF1",
        f"{_coded(code, display, 'HL70283')}^{_coded(answer.status, answer.status, 'L')}",
        _coded(*_PRIORITIES[answer.priority], "HL70280"),
        "",
        "",
        "",
        _entity(answer.placer.value, answer.placer.assigner),
        _timestamp(answer.since),
        "",
        _instant(answer.at),
        "",
        _entity(str(answer.referral), OUR_ASSIGNER),
    )


def _referring(referrer: Referrer) -> str:
    *given, family = (referrer.name or "").split() or [""]
    return _segment(
        "PRD",
        _coded("RP", "Referring Provider", "HL70286"),
        f"{_text(family)}^{_text(' '.join(given))}" if family else "",
        "",
        f"^^^{_text(referrer.organisation)}" if referrer.organisation else "",
        f"{_text(referrer.phone)}^WPN^PH" if referrer.phone else "",
    )


def _pid(answer: Answer) -> str:
    person = answer.demographics
    return _segment(
        "PID",
        "1",
        "",
        "~".join(map(_identifier, answer.identifiers)),
        "",
        _name(person),
        "",
        f"{person.birth_date:%Y%m%d}" if person.birth_date else "",
        _SEXES.get(person.sex or "", ""),
    )


def _name(person: Demographics) -> str:
    if person.family is None and not person.given:
        return _NAMELESS
    parts = (person.family or "", *person.given[:1], " ".join(person.given[1:]))
    return "^".join(map(_text, parts)).rstrip("^")


def _named(name: str, universal: Iterable[str]) -> str:
    return "^".join(map(_text, (name, *universal))).rstrip("^")


def _identifier(identifier: Identifier) -> str:
    assigner = "&".join(map(_text, _authority(identifier.assigner)))
    return f"{_text(identifier.value)}^^^{assigner}^{_text(identifier.type)}"


def _entity(value: str, assigner: str) -> str:
    return "^".join(map(_text, (value, *_authority(assigner))))


def _authority(assigner: str) -> tuple[str, ...]:
    """HD: who was told by an OID alone is told so again, for a receiver does not look for one as a name."""
    return ("", assigner, "ISO") if _OID.fullmatch(assigner) else (assigner,)


def _coded(code: str, display: str, system: str) -> str:
    return f"{code}^{display}^{system}"


def _segment(name: str, *fields: str) -> str:
    return "|".join((name, *fields)).rstrip("|")


def _text(text: str | None) -> str:
    return escaped(text or "", STANDARD)


def _instant(at: datetime) -> str:
    return f"{at:%Y%m%d%H%M%S%z}"


def _timestamp(at: Moment) -> str:
    return f"{date.fromisoformat(at):%Y%m%d}" if is_day(at) else _instant(datetime.fromisoformat(at))
