"""How likely two records are one person, by demographics alone: a reason to look, never to merge.

A weighted agreement of what both records tell, in the manner of Fellegi and Sunter (1969). The weights are
such that no other first name, family name or birth date passes: neither twins, nor father and son of one
name, nor somebody who took another family name (whom only an identifier finds).
"""

import unicodedata
from datetime import date
from typing import Final

from rapidfuzz.distance import JaroWinkler

from shared.events.base import Demographics

THRESHOLD: Final = 0.8
"""From here on somebody is asked to look."""

_FAMILY, _GIVEN, _BIRTH_DATE, _SEX, _PHONE = 0.30, 0.25, 0.30, 0.05, 0.10
_SAME_NAME: Final = 0.85  # Jaro-Winkler: below it, names are other names and not spellings of one
_SUBSCRIBER_DIGITS: Final = 7  # of a phone number, without country and area


def likeness(one: Demographics, other: Demographics) -> float:
    """Return 0 to 1; what either does not tell is left out, and without family name or birth date it is 0."""
    if not (one.family and other.family and one.birth_date and other.birth_date):
        return 0.0
    parts = (
        (_FAMILY, _name(one.family, other.family)),
        (_GIVEN, _name(_first(one), _first(other))),
        (_BIRTH_DATE, _birth_date(one.birth_date, other.birth_date)),
        (_SEX, _sex(one, other)),
        (_PHONE, _phone(one.phone, other.phone)),
    )
    told = [(weight, agreement) for weight, agreement in parts if agreement is not None]
    agreed = sum(weight * agreement for weight, agreement in told)
    return round(agreed / sum(weight for weight, _ in told), 2)


def digits_of(phone: str | None) -> str:
    """Return the last digits of a phone number that are the same however it is written."""
    return "".join(filter(str.isdecimal, phone or ""))[-_SUBSCRIBER_DIGITS:]


def _first(person: Demographics) -> str | None:
    return person.given[0] if person.given else None


def _name(one: str | None, other: str | None) -> float | None:
    if not one or not other:
        return None
    similar = JaroWinkler.similarity(_folded(one), _folded(other))
    return similar if similar >= _SAME_NAME else 0.0


def _folded(name: str) -> str:
    """Write a name without case, accents, spaces and hyphens."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", name.casefold())))


def _birth_date(one: date, other: date) -> float:
    """Half for what a slip of the pen does: day and month exchanged, or one digit wrong."""
    if one == other:
        return 1.0
    is_exchanged = one.year == other.year and (one.day, one.month) == (other.month, other.day)
    wrong = sum(left != right for left, right in zip(one.isoformat(), other.isoformat(), strict=True))
    return 0.5 if is_exchanged or wrong == 1 else 0.0


def _sex(one: Demographics, other: Demographics) -> float | None:
    if None in (one.sex, other.sex) or "unknown" in (one.sex, other.sex):
        return None
    return float(one.sex == other.sex)


def _phone(one: str | None, other: str | None) -> float | None:
    left, right = digits_of(one), digits_of(other)
    return float(left == right) if left and right else None
