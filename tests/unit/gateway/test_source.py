import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.hl7v2.message import parse
from services.gateway.source import source_of, token
from tests.unit.gateway.messages import discharge


def test_a_sender_is_known_by_its_application_and_facility():
    assert source_of(parse(discharge())) == "lakeadt-lakeside"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a b", "c"), ("a", "b c")),
        (("a-b", "c"), ("a", "b-c")),
        (("a", ""), ("", "a")),
        (("", ""), ("-", "")),
        (("x" * 50, "1"), ("x" * 50, "2")),
    ],
)
def test_two_senders_never_share_a_token(one: tuple[str, str], other: tuple[str, str]):
    assert token(*one) != token(*other)


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_token_is_safe_in_a_subject(application: str, facility: str):
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", token(application.casefold(), facility.casefold()))
