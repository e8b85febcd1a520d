from datetime import date
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.hl7v2.error import Hl7Error, Place
from services.gateway.hl7v2.message import parse
from services.gateway.hl7v2.timestamps import day_at, moment_at, zone_of
from shared.events.moment import Moment

NEW_YORK = ZoneInfo("America/New_York")
HERE = Place("PV1", 45)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("", None),
        ("2026", None),
        ("202603", None),
        ("20260303", "2026-03-03"),
        ("20260303-0500", "2026-03-03"),
        ("2026030310", "2026-03-03T10:00:00-05:00"),
        ("202603031015", "2026-03-03T10:15:00-05:00"),
        ("202607031015", "2026-07-03T10:15:00-04:00"),
        ("20260303101530", "2026-03-03T10:15:30-05:00"),
        ("20260303101530.25", "2026-03-03T10:15:30.250000-05:00"),
        ("20260303101530+0000", "2026-03-03T10:15:30+00:00"),
        ("20260303101530.1234+0545", "2026-03-03T10:15:30.123400+05:45"),
        ("20161231235960+0000", "2016-12-31T23:59:59+00:00"),
        ("00000101", None),
    ],
)
def test_a_timestamp_keeps_its_precision_and_its_offset(written: str, meant: str | None):
    if written == "00000101":
        with pytest.raises(Hl7Error):
            moment_at(written, HERE, NEW_YORK)
    else:
        assert moment_at(written, HERE, NEW_YORK) == meant


@pytest.mark.parametrize(
    "written",
    [
        "yesterday",
        "20261303",
        "20260230",
        "2026030",
        "2026-03-03",
        "2026030325",
        "202603031061",
        "20260303101530+9900",
    ],
)
def test_what_is_no_timestamp_is_refused_with_its_place(written: str):
    with pytest.raises(Hl7Error, match=r"PV1-45 is no timestamp") as refusal:
        moment_at(written, HERE, NEW_YORK)
    assert refusal.value.place == HERE
    assert written not in refusal.value.sentence


def test_a_birth_date_is_the_day_as_written_whatever_its_offset():
    assert day_at("199104122330-0500", HERE) == date(1991, 4, 12)
    assert day_at("1991", HERE) is None


@pytest.mark.parametrize(
    ("sent", "summer"),
    [
        ("20260303101500", "2026-07-03T10:00:00-04:00"),
        ("20260303101500-0500", "2026-07-03T10:00:00-04:00"),
        ("20260303101500-0600", "2026-07-03T10:00:00-06:00"),
        ("20260303", "2026-07-03T10:00:00-04:00"),
        ("nonsense", "2026-07-03T10:00:00-04:00"),
    ],
)
def test_local_times_are_the_sites_unless_the_header_has_an_offset_that_the_site_never_had(
    sent: str, summer: str
):
    message = parse(f"MSH|^~\\&|A|B|||{sent}||ADT^A01|1|P|2.5".encode())
    assert moment_at("202607031000", HERE, zone_of(message, NEW_YORK)) == summer


@given(st.text(alphabet="0123456789.+-T ", max_size=26))
def test_any_text_is_a_moment_or_nothing_or_refused(written: str):
    try:
        value = moment_at(written, HERE, NEW_YORK)
    except Hl7Error:
        return
    assert value is None or msgspec.convert(value, Moment) == value


@pytest.mark.parametrize("unknown", ["0000", "00000000", "00000000000000", "19910000", "19910400"])
def test_zeros_are_how_older_systems_write_what_they_do_not_know(unknown: str):
    assert moment_at(unknown, HERE, NEW_YORK) is None
    assert day_at(unknown, HERE) is None


def test_digits_beyond_the_microsecond_are_cut_off():
    assert moment_at("20260303101500.1234567-0500", HERE, NEW_YORK) == "2026-03-03T10:15:00.123456-05:00"
