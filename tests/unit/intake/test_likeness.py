"""Who is put before a person as perhaps the same, and who is not."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.intake.likeness import THRESHOLD, likeness
from shared.events.base import Demographics

ADA = Demographics(
    family="Lovelace", given=("Ada",), birth_date=date(1990, 12, 10), sex="female", phone="+1 555 123-4567"
)
TEXT = st.none() | st.text(max_size=8)
ANYBODY = st.builds(
    Demographics,
    family=TEXT,
    given=st.lists(st.text(max_size=6), max_size=2).map(tuple),
    birth_date=st.none() | st.dates(),
    sex=st.sampled_from([None, "female", "male", "other", "unknown"]),
    phone=TEXT,
)


@pytest.mark.parametrize(
    "same",
    [
        ADA,
        replace(ADA, family="LOVELACE", given=("ada",)),
        replace(ADA, family="Lovelase"),
        replace(ADA, family="Love-Lace"),
        replace(ADA, given=("Ada", "King")),
        replace(ADA, given=("Adah",)),
        replace(ADA, given=(), phone=None, sex=None),
        replace(ADA, birth_date=date(1990, 10, 12)),
        replace(ADA, birth_date=date(1990, 12, 11)),
        replace(ADA, phone="(555) 1234567"),
        replace(ADA, phone="555 000-0000"),
        replace(ADA, sex="unknown"),
    ],
)
def test_another_spelling_or_a_slip_of_the_pen_may_be_the_same_person(same: Demographics):
    assert likeness(ADA, same) >= THRESHOLD


@pytest.mark.parametrize(
    "other",
    [
        replace(ADA, given=("Grace",)),  # a twin
        replace(ADA, given=("Grace",), phone=None),
        replace(ADA, birth_date=date(1962, 3, 1)),  # a parent of the same name
        replace(ADA, family="Byron"),  # after a marriage: only an identifier tells
        replace(ADA, family=None),
        replace(ADA, birth_date=None),
        Demographics(),
    ],
)
def test_somebody_who_differs_in_what_counts_is_not_asked_about(other: Demographics):
    assert likeness(ADA, other) < THRESHOLD


def test_accents_do_not_count():
    assert likeness(replace(ADA, family="Müller"), replace(ADA, family="Muller")) == 1


@given(ANYBODY, ANYBODY)
def test_likeness_is_a_share_and_the_same_from_either_side(one: Demographics, other: Demographics):
    assert 0 <= likeness(one, other) <= 1
    assert likeness(one, other) == pytest.approx(likeness(other, one), abs=0.01)


@given(ANYBODY)
def test_everybody_with_letters_in_a_name_and_a_birth_date_is_like_themselves(one: Demographics):
    has_name = any(map(str.isalpha, one.family or ""))
    if has_name and one.birth_date and all(any(map(str.isalpha, name)) for name in one.given[:1]):
        assert likeness(one, one) == 1
