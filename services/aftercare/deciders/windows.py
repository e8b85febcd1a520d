"""The days between which a follow-up is owed.

Within 7 and 30 days is counted as in NCQA's HEDIS measures: after hospitalization for mental illness (FUH)
and after high-intensity care for substance use disorder (FUI) from the day after discharge; after an
emergency visit (FUM, FUA) from the day of the visit itself. All are calendar days in the site's time zone.
"""

from calendar import monthrange
from datetime import date, timedelta

from msgspec import Struct

COUNTED_TOGETHER = timedelta(
    days=30
)  # within it a readmission or a later discharge takes the place of an earlier
_CHECK_IN_OPENS = timedelta(days=7)  # ours: a check-in may be done in the week before it is due


class Window(Struct, frozen=True):
    """The first and the last day on which a follow-up counts."""

    opens: date
    due: date


def after_discharge(index: date, days: int) -> Window:
    """Up to `days` days after a discharge, whose own day does not count (FUH, FUI)."""
    return Window(index + timedelta(days=1), index + timedelta(days=days))


def after_emergency(index: date, days: int) -> Window:
    """Up to `days` days after an emergency visit, whose own day counts (FUM, FUA)."""
    return Window(index, index + timedelta(days=days))


def check_in(ended_on: date, months: int) -> Window:
    """The week that ends so many calendar months after the program."""
    due = months_after(ended_on, months)
    return Window(due - _CHECK_IN_OPENS, due)


def months_after(day: date, months: int) -> date:
    """The same day so many months on, or that month's last day where it is shorter."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
