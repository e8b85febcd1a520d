"""Which media types are spoken."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.fhir.media import answers_in, expect_form, expect_json
from services.gateway.fhir.outcome import FhirError


@pytest.mark.parametrize(
    ("accept", "told_format", "media"),
    [
        ("", None, "application/fhir+json"),
        ("*/*", None, "application/fhir+json"),
        ("application/json", None, "application/json"),
        ("application/fhir+xml, application/json;q=0.2", None, "application/json"),
        ("application/json;q=0.5, application/fhir+json", None, "application/fhir+json"),
        ("application/fhir+xml", "json", "application/fhir+json"),
        ("application/fhir+xml", "application/fhir json", "application/fhir+json"),
        ("application/fhir+json; fhirVersion=4.0", None, "application/fhir+json"),
    ],
)
def test_what_is_accepted_is_answered(accept: str, told_format: str | None, media: str):
    assert answers_in(accept, told_format) == media


@pytest.mark.parametrize(
    ("accept", "told_format"),
    [
        ("application/fhir+xml", None),
        ("text/turtle, application/json;q=0", None),
        ("*/*", "xml"),
        ("application/fhir+json; fhirVersion=3.0", None),
    ],
)
def test_anything_else_is_not_acceptable(accept: str, told_format: str | None):
    with pytest.raises(FhirError) as refused:
        answers_in(accept, told_format)
    assert refused.value.status == 406


def test_a_body_is_json_in_utf_8():
    for content_type in (
        "application/fhir+json",
        "application/json; charset=UTF-8",
        'text/json;charset="utf-8"',
    ):
        expect_json(content_type)
    for content_type in ("", "application/fhir+xml", "application/json; charset=latin1", "json"):
        with pytest.raises(FhirError) as refused:
            expect_json(content_type)
        assert refused.value.status == 415
    expect_form("application/x-www-form-urlencoded; charset=utf-8")


@given(st.text(max_size=60), st.none() | st.text(max_size=30))
def test_any_header_is_answered_or_refused(accept: str, told_format: str | None):
    assert _status(lambda: answers_in(accept, told_format)) in {200, 406}
    assert _status(lambda: expect_json(accept)) in {200, 415}


def _status(ask: Callable[[], object]) -> int:
    try:
        ask()
    except FhirError as error:
        return error.status
    return 200
