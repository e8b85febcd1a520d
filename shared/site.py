"""The program site's calendar: what day it is there, which days are worked, and what is overdue."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import holidays

from shared.events.moment import Moment, day, instant
from shared.settings import Settings

_SATURDAY = 5
_DEFAULT_COUNTRY = "US"


class SiteError(Exception):
    """The settings name no calendar; the text says which one and what is expected."""


@dataclass(frozen=True)
class Site:
    """Where the program is: days and business days are those of its zone and its public holidays."""

    zone: str = "America/New_York"  # IANA name
    country: str = _DEFAULT_COUNTRY  # ISO 3166-1
    subdivision: str | None = None  # ISO 3166-2, without the country

    def __post_init__(self) -> None:
        """Refuse a zone or a country that has no calendar."""
        try:
            _ = self.tz
            if (self.country, self.subdivision) != (_DEFAULT_COUNTRY, None):  # which is there
                _ = self._holidays  # a tenth of a second: the library loads every country's calendar
        except (KeyError, ValueError, OSError):  # zoneinfo's errors for a name that is no zone
            raise SiteError(f"{self.zone!r} is not an IANA time zone.") from None
        except NotImplementedError:
            place = "-".join(filter(None, (self.country, self.subdivision)))
            raise SiteError(f"No calendar of public holidays is known for {place!r}.") from None

    @cached_property
    def tz(self) -> ZoneInfo:
        """The site's time zone."""
        return ZoneInfo(self.zone)

    @cached_property
    def _holidays(self) -> holidays.HolidayBase:
        return holidays.country_holidays(self.country, subdiv=self.subdivision)

    def today(self, now: datetime) -> date:
        """Return the day that it is at the site at an aware instant."""
        return now.astimezone(self.tz).date()

    def day_of(self, moment: Moment) -> date:
        """Return the day at the site; a moment known to the day is that day whatever the zone."""
        return day(moment, self.tz)

    def instant_of(self, moment: Moment) -> datetime:
        """Return the aware instant; a day begins at the site's midnight."""
        return instant(moment, self.tz)

    def is_business_day(self, day: date) -> bool:
        """Tell whether the program works on that day: neither weekend nor public holiday."""
        return day.weekday() < _SATURDAY and day not in self._holidays

    def business_day_after(self, day: date, n: int) -> date:
        """Return the n-th business day after `day`, which itself never counts; n is 1 or more."""
        if n < 1:
            raise ValueError("The number of business days must be 1 or more.")
        for _ in range(n):
            day += timedelta(days=1)
            while not self.is_business_day(day):
                day += timedelta(days=1)
        return day


def site_of(settings: Settings) -> Site:
    """Return the site that the settings name; raises SiteError where there is no such calendar."""
    return Site(settings.site_zone, settings.site_country, settings.site_subdivision)


def overdue(due: date | None, today: date) -> bool:
    """Tell whether something is overdue: its last day is over. Every list, report and timer asks here."""
    return due is not None and due < today
