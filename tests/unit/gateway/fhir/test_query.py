"""Any query string is a search or an OperationOutcome, and no outcome repeats what was asked."""

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.fhir.conditions import Conditions
from services.gateway.fhir.outcome import FhirError, outcome
from services.gateway.fhir.query import Cursor, cursor_text, pairs_of, query_of
from services.gateway.fhir.served import SERVED

NAMES = sorted(
    {parameter.name for parameters in SERVED.values() for parameter in parameters}
    | {"_count", "_summary", "_cursor", "patient.identifier", "_sort", "unknown", "patient:Patient"}
)


@given(
    st.sampled_from(sorted(SERVED)),
    st.lists(st.tuples(st.sampled_from(NAMES) | st.text(max_size=20), st.text(max_size=30))),
    st.booleans(),
)
def test_any_search_is_read_or_refused_and_values_are_only_arguments(
    kind: str, pairs: list[tuple[str, str]], strict: bool
):
    try:
        query = query_of(kind, pairs, strict=strict)
    except FhirError as error:
        assert error.status == 400
        assert outcome(error.issues)
        return
    text, arguments = Conditions(query, "a", "b").page(query.after, query.count + 1)
    assert 0 <= query.count <= 200
    for place in range(3, len(arguments) + 1):
        assert f"${place}" in text


@given(st.binary(max_size=200))
def test_any_bytes_are_a_form_or_refused(body: bytes):
    try:
        assert all(isinstance(name, str) for name, _ in pairs_of(body))
    except FhirError as error:
        assert error.status == 400


def test_a_refusal_repeats_no_value():
    for name, value in (("_lastUpdated", "SECRET"), ("_count", "SECRET"), ("identifier", "SECRET|")):
        try:
            query_of("Task", [(name, value)], strict=True)
        except FhirError as error:
            assert b"SECRET" not in outcome(error.issues)
        else:
            raise AssertionError(name)


@given(st.datetimes(timezones=st.just(UTC)), st.uuids())
def test_a_cursor_comes_back_as_it_was(when: datetime, id: UUID):
    cursor = Cursor(when, id)
    query = query_of("Task", [("_cursor", cursor_text(cursor))], strict=True)
    assert query.after == cursor
