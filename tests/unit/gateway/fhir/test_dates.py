"""A date of a search covers the time that its precision says."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.fhir.dates import date_parameter


@pytest.mark.parametrize(
    ("text", "prefix", "start", "end"),
    [
        ("2026", "eq", "2026-01-01", "2027-01-01"),
        ("ge2026-12", "ge", "2026-12-01", "2027-01-01"),
        ("lt2024-02-29", "lt", "2024-02-29", "2024-03-01"),
        ("gt2026-03-01T10:00Z", "gt", "2026-03-01T10:00", "2026-03-01T10:01"),
        ("2026-03-01T10:00:05-05:00", "eq", "2026-03-01T15:00:05", "2026-03-01T15:00:06"),
        ("2026-03-01T10:00:05 01:00", "eq", "2026-03-01T09:00:05", "2026-03-01T09:00:06"),
        ("eb2026-03-01T10:00:05.25Z", "eb", "2026-03-01T10:00:05.250", "2026-03-01T10:00:05.260"),
    ],
)
def test_a_value_is_a_span(text: str, prefix: str, start: str, end: str):
    told = date_parameter(text)
    assert told.prefix == prefix
    assert told.span.start == datetime.fromisoformat(start).replace(tzinfo=UTC)
    assert told.span.end == datetime.fromisoformat(end).replace(tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "soon", "ap2026", "2026-13", "2026-02-30", "9999", "0000", "2026-3-1"])
def test_what_is_no_date_is_refused(text: str):
    with pytest.raises(ValueError, match=r"."):
        date_parameter(text)


@given(st.datetimes(min_value=datetime(1900, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 -- hypothesis wants it so
def test_an_instant_is_found_by_itself(instant: datetime):
    told = date_parameter(instant.isoformat(timespec="microseconds"))
    assert told.span.start == instant
    assert told.span.end == instant + timedelta(microseconds=1)


@given(st.text(max_size=40))
def test_any_text_is_a_date_or_refused(text: str):
    try:
        span = date_parameter(text).span
    except ValueError:
        return
    assert span.start < span.end
