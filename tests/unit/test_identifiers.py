"""The keyed hash of an identifier: the same for ever, and telling nothing."""

import pytest

from shared.events.base import Identifier
from shared.identifiers import identity_key

KEY = "a key of sixteen or more"


def test_an_identifiers_key_never_changes_because_claims_lie_by_it():
    assert identity_key(Identifier("GENHOSP", "4711"), KEY) == "2f713f3bdb9d2a3ba3c2a33a2737b253"


@pytest.mark.parametrize("written", [("genhosp", "4711"), (" GENHOSP ", "4711 "), ("GenHosp", "4711")])
def test_case_and_spaces_around_do_not_count(written: tuple[str, str]):
    assert identity_key(Identifier(*written), KEY) == identity_key(Identifier("GENHOSP", "4711"), KEY)


def test_the_type_of_an_identifier_does_not_count():
    as_account = Identifier("GENHOSP", "4711", "AN")
    assert identity_key(as_account, KEY) == identity_key(Identifier("GENHOSP", "4711", "MR"), KEY)


@pytest.mark.parametrize(
    ("assigner", "value"),
    [("GENHOSP", "4712"), ("OTHER", "4711"), ("GENHOSP|4", "711"), ("GENHOSP", "04711")],
)
def test_another_identifier_has_another_key(assigner: str, value: str):
    assert identity_key(Identifier(assigner, value), KEY) != identity_key(Identifier("GENHOSP", "4711"), KEY)


@pytest.mark.parametrize(("left", "right"), [(("A|B", "C"), ("A", "B|C")), (("", "A|B"), ("A", "B"))])
def test_a_separator_within_an_identifier_does_not_make_two_of_them_one(
    left: tuple[str, str], right: tuple[str, str]
):
    assert identity_key(Identifier(*left), KEY) != identity_key(Identifier(*right), KEY)


def test_with_another_secret_it_is_another_key():
    ada = Identifier("GENHOSP", "4711")
    assert identity_key(ada, KEY) != identity_key(ada, "another key of sixteen or more")


def test_a_key_can_stand_in_a_subject_and_shows_nothing_of_the_identifier():
    key = identity_key(Identifier("GENHOSP", "4711.>* "), KEY)
    assert len(key) == 32
    assert set(key) <= set("0123456789abcdef")
