"""Any query string is a search or an OperationOutcome, and no outcome repeats what was asked."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.fhir.conditions import Conditions
from services.gateway.fhir.outcome import FhirError, outcome
from services.gateway.fhir.query import Cursor, Handling, cursor_text, pairs_of, query_of
from services.gateway.fhir.served import SEARCHED

T = TypeVar("T")

NAMES = sorted(
    {parameter.name for parameters in SEARCHED.values() for parameter in parameters}
    | {
        "_count",
        "_summary",
        "_cursor",
        "patient.identifier",
        "_sort",
        "unknown",
        "patient:Patient",
        "name:exact",
    }
)


@given(
    st.sampled_from(sorted(SEARCHED)),
    st.lists(st.tuples(st.sampled_from(NAMES) | st.text(max_size=20), st.text(max_size=30))),
)
def test_any_search_is_read_or_refused_and_values_are_only_arguments(kind: str, pairs: list[tuple[str, str]]):
    query = _read(lambda: query_of(kind, pairs, "lenient"))
    if query is not None:
        text, arguments = Conditions(query, "a", "b").page(query.after, query.count + 1)
        assert 0 <= query.count <= 200
        assert all(f"${place}" in text for place in range(3, len(arguments) + 1))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_form_or_refused(body: bytes):
    pairs = _read(lambda: pairs_of(body))
    assert pairs is None or all(isinstance(name, str) for name, _ in pairs)


def _read(ask: Callable[[], T]) -> T | None:
    """Return what is read; None where it is refused in order."""
    try:
        return ask()
    except FhirError as error:
        if error.status != 400:
            raise
        return None


@pytest.mark.parametrize(
    ("name", "value"), [("_lastUpdated", "SECRET"), ("_count", "SECRET"), ("identifier", "SECRET|")]
)
def test_a_refusal_repeats_no_value(name: str, value: str):
    with pytest.raises(FhirError) as refused:
        query_of("Task", [(name, value)], "strict")
    assert b"SECRET" not in outcome(refused.value.issues)


@given(st.datetimes(timezones=st.just(UTC)), st.uuids())
def test_a_cursor_comes_back_as_it_was(when: datetime, id: UUID):
    cursor = Cursor(when, id)
    query = query_of("Task", [("_cursor", cursor_text(cursor))], "strict")
    assert query.after == cursor


# What is asked that is not known, and in which handlings it is refused.
UNKNOWN: dict[str, set[Handling]] = {
    "surname": {"strict", "usual"},
    "patient.name": {"strict", "usual"},
    "_tag": {"strict", "usual"},
    "_lastUpdated": {"strict", "usual"},
    "_has:Task:patient:status": {"strict", "usual"},
    "_elements": {"strict"},
    "_totalMethod": {"strict"},
}


@pytest.mark.parametrize("name", UNKNOWN)
@pytest.mark.parametrize("handling", ["strict", "usual", "lenient"])
def test_what_would_narrow_a_search_is_not_passed_over_unless_it_is_asked_for(name: str, handling: Handling):
    query = _read(lambda: query_of("Subscription", [(name, "x")], handling))
    assert (query is None) == (handling in UNKNOWN[name])
    assert query is None or len(query.warnings) == 1


def test_a_name_is_not_compared_with_any_number_of_others():
    assert query_of("Patient", [("name", ",".join("abcdefghij"))]).names[0].values == list("abcdefghij")
    for pairs in ([("name", ",".join("abcdefghijk"))], [("given", each) for each in "abcdefghijk"]):
        with pytest.raises(FhirError) as refused:
            query_of("Patient", pairs)
        assert refused.value.issues[0].code == "too-costly"
