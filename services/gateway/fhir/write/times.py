"""Dates and times of FHIR as moments: a day stays a day; a year or a month alone is no moment."""

import re
from datetime import date, datetime
from typing import Final

from services.gateway.fhir.outcome import refused
from shared.events.moment import Moment

_PARTIAL: Final = re.compile(r"\d{4}(-\d{2})?", re.ASCII)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(\.\d{1,6})?\d*(Z|[+-](?:0\d|1[0-4]):[0-5]\d)", re.ASCII
)


def moment(told: str | None, at: str) -> Moment | None:
    """Read a date, dateTime or instant; None where it is absent or only a year or a month.

    Raises FhirError 400, naming the element, for what is none of them.
    """
    if told is None or _PARTIAL.fullmatch(told):
        return None
    try:
        if _DAY.fullmatch(told):
            return date.fromisoformat(told).isoformat()
        if match := _INSTANT.fullmatch(told):
            return datetime.fromisoformat("".join(filter(None, match.groups()))).isoformat()
    except ValueError:
        pass
    raise refused(400, "value", "A date, or a time with seconds and its offset, has to be here.", at)


def day(told: str | None, at: str) -> date | None:
    """Read a date; None where it is absent or not known to the day. Raises FhirError 400."""
    if told is None or _PARTIAL.fullmatch(told):
        return None
    try:
        if _DAY.fullmatch(told):
            return date.fromisoformat(told)
    except ValueError:
        pass
    raise refused(400, "value", "A date has to be here.", at)
