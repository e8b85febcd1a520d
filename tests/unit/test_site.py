"""The site's calendar: days, business days and what is overdue."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.settings import Settings
from shared.site import Site, SiteError, overdue, site_of

NEW_YORK = Site("America/New_York", "US")
BERLIN = Site("Europe/Berlin", "DE", "BY")
DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))


def test_today_is_the_day_at_the_site_and_not_in_utc():
    assert NEW_YORK.today(datetime(2026, 3, 4, 3, 30, tzinfo=UTC)) == date(2026, 3, 3)
    assert BERLIN.today(datetime(2026, 3, 3, 23, 30, tzinfo=UTC)) == date(2026, 3, 4)


@pytest.mark.parametrize(
    ("now", "today"),
    [
        (datetime(2026, 3, 8, 4, 59, tzinfo=UTC), date(2026, 3, 7)),  # 23:59 EST, the night clocks go forward
        (datetime(2026, 3, 8, 5, 0, tzinfo=UTC), date(2026, 3, 8)),
        (datetime(2026, 3, 9, 3, 59, tzinfo=UTC), date(2026, 3, 8)),  # 23:59 EDT: the day had 23 hours
        (datetime(2026, 3, 9, 4, 0, tzinfo=UTC), date(2026, 3, 9)),
        (datetime(2026, 11, 1, 4, 0, tzinfo=UTC), date(2026, 11, 1)),  # 00:00 EDT
        (datetime(2026, 11, 2, 4, 59, tzinfo=UTC), date(2026, 11, 1)),  # 23:59 EST: the day had 25 hours
    ],
)
def test_a_day_has_23_or_25_hours_when_clocks_change(now: datetime, today: date):
    assert NEW_YORK.today(now) == today


def test_a_day_told_without_a_time_is_itself_in_every_zone():
    assert BERLIN.day_of("2026-03-03") == date(2026, 3, 3)
    assert NEW_YORK.day_of("2026-03-03") == date(2026, 3, 3)


def test_an_instant_falls_on_the_day_at_the_site():
    assert NEW_YORK.day_of("2026-03-04T00:30:00+01:00") == date(2026, 3, 3)


def test_a_day_begins_at_the_midnight_of_the_site():
    assert NEW_YORK.instant_of("2026-07-01") == datetime(2026, 7, 1, 4, tzinfo=UTC)
    assert NEW_YORK.instant_of("2026-01-01") == datetime(2026, 1, 1, 5, tzinfo=UTC)


def test_a_friday_is_followed_by_monday():
    assert NEW_YORK.business_day_after(date(2026, 3, 6), 1) == date(2026, 3, 9)


def test_thanksgiving_is_no_business_day_in_the_united_states_but_is_in_germany():
    assert NEW_YORK.business_day_after(date(2026, 11, 25), 1) == date(2026, 11, 27)
    assert BERLIN.business_day_after(date(2026, 11, 25), 1) == date(2026, 11, 26)


def test_a_holiday_on_saturday_is_observed_on_friday():
    assert NEW_YORK.business_day_after(date(2026, 7, 2), 1) == date(2026, 7, 6)


def test_a_holiday_of_the_subdivision_counts_there_only():
    epiphany = date(2026, 1, 6)
    assert not BERLIN.is_business_day(epiphany)
    assert Site("Europe/Berlin", "DE", "BE").is_business_day(epiphany)


@given(DAYS, st.integers(1, 10))
def test_the_nth_business_day_after_has_n_business_days_up_to_it(day: date, n: int):
    after = NEW_YORK.business_day_after(day, n)
    passed = [day + timedelta(days=i) for i in range(1, (after - day).days + 1)]
    assert NEW_YORK.is_business_day(after)
    assert sum(map(NEW_YORK.is_business_day, passed)) == n


def test_fewer_than_one_business_day_is_refused():
    with pytest.raises(ValueError, match="1 or more"):
        NEW_YORK.business_day_after(date(2026, 3, 3), 0)


def test_what_is_due_today_is_not_overdue():
    assert not overdue(date(2026, 3, 3), date(2026, 3, 3))
    assert overdue(date(2026, 3, 3), date(2026, 3, 4))
    assert not overdue(None, date(2026, 3, 4))


def test_a_place_without_a_calendar_is_refused_by_name():
    with pytest.raises(SiteError, match="'Mars/Olympus' is not an IANA time zone"):
        Site("Mars/Olympus", "US")
    with pytest.raises(SiteError, match="'XX'"):
        Site("Europe/Berlin", "XX")
    with pytest.raises(SiteError, match="'US-XX'"):
        Site("America/New_York", "US", "XX")


def test_settings_name_the_site():
    settings = Settings(
        nats_url="",
        database_url="",
        identifier_key="a secret of the test",
        site_zone="Europe/Berlin",
        site_country="DE",
        site_subdivision="BY",
    )
    assert site_of(settings) == BERLIN
