"""Date search parameters: a value is the span of time that its precision covers (R4 search, 3.1.1.4.10)."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, NamedTuple, cast

Prefix = Literal["eq", "ne", "gt", "ge", "lt", "le", "sa", "eb"]

_VALUE: Final = re.compile(
    r"(?P<prefix>eq|ne|gt|ge|lt|le|sa|eb)?"
    r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)"
    r"(T(?P<hour>\d\d):(?P<minute>\d\d)(:(?P<second>\d\d)(\.(?P<fraction>\d{1,9}))?)?"
    r"(?P<zone>Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)
DATE: Final = re.sub(r"\?P<\w+>", "", _VALUE.pattern).replace(r"\d", "[0-9]")
"""How a value is written, as any other program's regular expressions understand it."""


class Span(NamedTuple):
    """From `start` on, before `end`."""

    start: datetime
    end: datetime


class DateParameter(NamedTuple):
    """A prefix and its span."""

    prefix: Prefix
    span: Span


def date_parameter(text: str) -> DateParameter:
    """Read a value such as ``ge2026-03-01``; without a zone it is UTC. Raises ValueError."""
    # A "+" of an offset that was not escaped arrives as a space.
    match = _VALUE.fullmatch(text.replace(" ", "+"))
    if match is None:
        raise ValueError("no date")
    told = match.groupdict()
    try:
        start = _start(told)
        return DateParameter(cast("Prefix", told["prefix"] or "eq"), Span(start, _end(start, told)))
    except OverflowError:
        raise ValueError("no date that there is") from None


def _start(told: dict[str, str | None]) -> datetime:
    zone = (told["zone"] or "Z").replace("Z", "+00:00")
    fraction = (told["fraction"] or "0").ljust(6, "0")[:6]
    clock = f"{told['hour'] or '00'}:{told['minute'] or '00'}:{told['second'] or '00'}.{fraction}{zone}"
    day = f"{told['year']}-{told['month'] or '01'}-{told['day'] or '01'}"
    return datetime.fromisoformat(f"{day}T{clock}").astimezone(UTC)


def _end(start: datetime, told: dict[str, str | None]) -> datetime:
    if fraction := told["fraction"]:
        return start + timedelta(microseconds=10 ** max(0, 6 - len(fraction)))
    for field, length in (("second", timedelta(seconds=1)), ("minute", timedelta(minutes=1))):
        if told[field]:
            return start + length
    if told["day"]:
        return start + timedelta(days=1)
    if told["month"]:
        return (start.replace(day=1) + timedelta(days=32)).replace(day=1)
    return start.replace(year=start.year + 1)
