"""What is said of an event, and how days, codes and names are written in it."""

from datetime import date, datetime, tzinfo
from typing import Final

from msgspec import Struct

from shared.events.base import Coding
from shared.events.moment import Moment, day, instant, is_day

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Description(Struct, frozen=True, gc=False):
    """An event in words: the title fits a line of a list, the detail is a sentence or empty."""

    title: str
    detail: str = ""
    due: date | None = None  # what the event itself promises or asks for
    corrects: bool = False  # takes back or replaces what an earlier event said


def said(title: str, *clauses: str | None, due: date | None = None) -> Description:
    """Describe an event; clauses without anything to say are left out."""
    return Description(title, _sentence(clauses), due)


def corrected(title: str, *clauses: str | None) -> Description:
    """Describe an event that takes back or replaces an earlier one."""
    return Description(title, _sentence(clauses), corrects=True)


def _sentence(clauses: tuple[str | None, ...]) -> str:
    text = ", ".join(filter(None, clauses))
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def on_day(value: date) -> str:
    """Write a day: 3 Mar 2026."""
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


def at_time(value: datetime, zone: tzinfo) -> str:
    """Write an instant in the zone: 3 Mar 2026, 10:00."""
    local = value.astimezone(zone)
    return f"{on_day(local)} {local.hour:02}:{local.minute:02}"


def when(value: Moment, zone: tzinfo) -> str:
    """Write a moment as precisely as it was told."""
    return on_day(day(value, zone)) if is_day(value) else at_time(instant(value, zone), zone)


def in_words(coding: Coding | None) -> str | None:
    """Write a code with its text: F32.2 Severe depressive episode."""
    if coding is None:
        return None
    return f"{coding.code} {coding.display}" if coding.display else coding.code


def after(label: str, value: object | None) -> str | None:
    """Write a labelled value, or nothing where there is none."""
    return None if value is None or value == "" else f"{label} {value}"
