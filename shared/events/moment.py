"""A point in time as precisely as it was told: a day stays a day, an instant keeps its offset.

The text form is FHIR R4's `dateTime` restricted to what the messages carry: ``2026-03-03`` or
``2026-03-03T10:00:00-05:00`` (http://hl7.org/fhir/R4/datatypes.html#dateTime).
"""

import re
from datetime import date, datetime, time, tzinfo
from typing import Annotated, Final

from msgspec import Meta

_PATTERN = (
    r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
    r"(T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-](0\d|1[0-4]):[0-5]\d))?$"
)

MOMENT: Final = re.compile(_PATTERN)

Moment = Annotated[str, Meta(pattern=_PATTERN, description="FHIR dateTime: a day, or an instant with offset")]

_DAY = len("2026-03-03")


def moment(value: date | datetime) -> Moment:
    """Write a day or an aware instant as a moment; a naive datetime raises ValueError."""
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError("An instant needs a time zone.")
    return value.isoformat()


def is_day(value: Moment) -> bool:
    """Tell whether only the day is known."""
    return len(value) == _DAY


def instant(value: Moment, zone: tzinfo) -> datetime:
    """Return the aware instant; a day is its first moment in `zone`."""
    if is_day(value):
        return datetime.combine(date.fromisoformat(value), time(), zone)
    return datetime.fromisoformat(value)


def day(value: Moment, zone: tzinfo) -> date:
    """Return the calendar day in `zone`; a day is itself whatever the zone."""
    if is_day(value):
        return date.fromisoformat(value)
    return datetime.fromisoformat(value).astimezone(zone).date()


def before(left: Moment, right: Moment) -> bool:
    """Tell whether `left` is surely before `right`.

    Where one of the two is only a day, days are compared as they were written: the same day is not before.
    """
    if is_day(left) or is_day(right):
        return left[:_DAY] < right[:_DAY]
    return datetime.fromisoformat(left) < datetime.fromisoformat(right)
