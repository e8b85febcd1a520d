"""HL7 v2 timestamps (v2.8 section 2.A.22, DTM) as moments: a day stays a day, an instant gets its offset."""

import re
from datetime import date, datetime, timedelta, timezone, tzinfo

from services.gateway.hl7v2.error import Condition, Hl7Error, Place
from services.gateway.hl7v2.message import Message
from shared.events.moment import Moment, moment

_DTM = re.compile(
    r"(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:\.(\d{1,6})\d{0,6})?)?)?)?)?)?(?:([+-])(\d\d)(\d\d))?",
    re.ASCII,
)
_MICROSECOND_DIGITS = 6  # .NET writes seven digits, Java up to nine: the rest is cut off
_UNKNOWN = "00"  # a month or a day of zeros, as older systems write what they do not know
_LONGEST_OFFSET = 14


def zone_of(message: Message, site: tzinfo) -> tzinfo:
    """Return the zone for timestamps that carry no offset.

    MSH-7's offset is the default of the whole message (v2.8 section 2.14.9.7), but it is only right for one
    half of the year: where the site's own zone had that offset at that time, the site's zone is meant.
    """
    match = _DTM.fullmatch(message.text("MSH", 7))
    if match is None or match[8] is None or match[4] is None:
        return site
    try:
        sent = _instant(match, site)
    except ValueError:
        return site
    return site if sent.astimezone(site).utcoffset() == sent.utcoffset() else (sent.tzinfo or site)


def moment_at(text: str, place: Place, zone: tzinfo) -> Moment | None:
    """Read a timestamp; None where none was sent, zeros, or only a year or a month (which is no moment yet).

    `zone` is for an instant without offset. Raises Hl7Error, naming `place`, for what is no timestamp.
    """
    if not text:
        return None
    match = _DTM.fullmatch(text.strip())
    if match is None:
        raise _not_a_timestamp(place)
    if not _names_day(match):
        return None
    try:
        return moment(_day(match) if match[4] is None else _instant(match, zone))
    except (ValueError, OverflowError) as fault:
        raise _not_a_timestamp(place) from fault


def day_at(text: str, place: Place) -> date | None:
    """Read the calendar day of a timestamp as it was written, whatever its offset: a birth date has none."""
    if not text:
        return None
    match = _DTM.fullmatch(text.strip())
    if match is None:
        raise _not_a_timestamp(place)
    try:
        return _day(match) if _names_day(match) else None
    except ValueError as fault:
        raise _not_a_timestamp(place) from fault


def _names_day(match: re.Match[str]) -> bool:
    return match[3] is not None and _UNKNOWN not in (match[2], match[3])


def _day(match: re.Match[str]) -> date:
    return date(int(match[1]), int(match[2]), int(match[3]))


def _instant(match: re.Match[str], zone: tzinfo) -> datetime:
    year, month, day, hour, minute, second, fraction = match.groups("0")[:7]
    return datetime(
        int(year),
        int(month),
        int(day),
        int(hour),
        int(minute),
        min(int(second), 59) if second == "60" else int(second),  # a leap second is the last one before it
        int(fraction.ljust(_MICROSECOND_DIGITS, "0")),
        _offset(match) or zone,
    )


def _offset(match: re.Match[str]) -> timezone | None:
    sign, hours, minutes = match[8], match[9], match[10]
    if sign is None:
        return None
    if int(hours) > _LONGEST_OFFSET or int(minutes) > 59:  # noqa: PLR2004 - minutes of an hour
        raise ValueError("An offset is at most 14 hours.")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if sign == "-" else offset)


def _not_a_timestamp(place: Place) -> Hl7Error:
    return Hl7Error(
        Condition.DATA_TYPE_ERROR,
        place,
        f"{place} is no timestamp: YYYYMMDD[HHMM[SS[.ffff]]][+hhmm] was expected.",
    )
