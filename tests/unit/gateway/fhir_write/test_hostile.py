"""Whatever is sent as FHIR JSON is translated, or refused with issues that say where and quote nothing."""

import copy
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.fhir.auth import Caller
from services.gateway.fhir.outcome import FhirError, outcome
from services.gateway.fhir.write.contents import contents
from services.gateway.fhir.write.reading import DEEPEST, check_document, decode, head
from services.gateway.fhir.write.resources import Bundle
from services.gateway.fhir.write.scope import Entry, Scope, entries_of
from services.gateway.fhir.write.submission import Submission
from services.gateway.inbound import delivery
from shared.events.inbound import InboundEnvelope
from tests.unit.gateway.fhir_write.resources import (
    contained_referral,
    observation,
    phq9,
    referral_transaction,
)

CALLER = Caller("general")
NOW = datetime(2026, 11, 22, tzinfo=UTC)
SECRET_VALUE = "Xq7-a-name-nobody-may-see"

json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.just(SECRET_VALUE)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
samples = st.sampled_from(
    [
        contained_referral(),
        phq9([1] * 9, "#p1", contained=[contained_referral()["contained"][0]]),
        observation("44260-8", "#p1", contained=[contained_referral()["contained"][0]], valueInteger=1),
        referral_transaction(),
    ]
)


def received(raw: bytes) -> FhirError | None:
    """Translate as the routes do; what is taken has to be what INBOUND's readers can read."""
    try:
        check_document(raw, "Resource")
        submission = Submission(raw, CALLER, NOW, Scope(_entries(raw)))
        for part, told in enumerate(contents(submission)):
            made = delivery(told.message, raw, NOW, part=part)
            msgspec.json.decode(made.payload, type=InboundEnvelope)
    except FhirError as error:
        return error
    return None


def _entries(raw: bytes) -> list[Entry]:
    known = head(raw, "Resource")
    if known.resource_type == "Bundle":
        return entries_of(decode(raw, Bundle, "Bundle").entry)
    return [Entry(known.resource_type or "", known.id, raw, "Resource")]


def expect_outcome(error: FhirError) -> None:
    told = outcome(error.issues)
    assert 400 <= error.status < 500
    assert SECRET_VALUE.encode() not in told
    for issue in msgspec.json.decode(told)["issue"]:
        assert issue["severity"] in ("error", "fatal")
        assert issue["diagnostics"].strip()
        assert all(path.strip() for path in issue["expression"])


def _places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:  # noqa: ANN401
    return [path, *(place for key, value in _inner(node) for place in _places(value, (*path, key)))]


def _inner(node: Any) -> list[tuple[Any, Any]]:  # noqa: ANN401
    match node:
        case dict():
            return list(cast("dict[Any, Any]", node).items())
        case list():
            return list(enumerate(cast("list[Any]", node)))
        case _:
            return []


def _changed(document: Any, path: tuple[Any, ...], value: Any) -> Any:  # noqa: ANN401
    if not path:
        return value
    document = copy.deepcopy(document)
    node = document
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return document


@settings(max_examples=300, deadline=None)
@given(samples, st.data())
def test_a_resource_with_one_element_replaced(sample: Any, data: st.DataObject):  # noqa: ANN401
    path = data.draw(st.sampled_from(_places(sample)))
    told = _changed(sample, path, data.draw(json))
    if error := received(msgspec.json.encode(told)):
        expect_outcome(error)


@settings(max_examples=300, deadline=None)
@given(samples, st.data())
def test_a_resource_with_some_bytes_changed(sample: Any, data: st.DataObject):  # noqa: ANN401
    raw = msgspec.json.encode(sample)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw)))
        raw = raw[:at] + data.draw(st.binary(max_size=3)) + raw[at + data.draw(st.integers(0, 3)) :]
    if error := received(raw):
        expect_outcome(error)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | json.map(msgspec.json.encode))
def test_anything_at_all(raw: bytes):
    if error := received(raw):
        expect_outcome(error)


@settings(max_examples=60, deadline=None)
@given(samples, st.data())
def test_a_resource_that_breaks_off(sample: Any, data: st.DataObject):  # noqa: ANN401
    raw = msgspec.json.encode(sample)
    error = received(raw[: data.draw(st.integers(0, len(raw) - 1))])
    assert error is not None
    expect_outcome(error)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 100_000), st.sampled_from(["[", '{"a":', '[{"b":']))
def test_any_depth_is_answered(depth: int, opening: str):
    error = received(b'{"resourceType":"ServiceRequest","x":' + opening.encode() * depth)
    assert error is not None
    expect_outcome(error)


def test_brackets_within_texts_are_no_depth():
    told = contained_referral(note=[{"text": "[" * 10 * DEEPEST + '\\" {' * DEEPEST}])
    assert received(msgspec.json.encode(told)) is None


def test_values_are_never_quoted():
    told = contained_referral(priority=SECRET_VALUE, status=SECRET_VALUE, authoredOn=SECRET_VALUE)
    error = received(msgspec.json.encode(told))
    assert error is not None
    expect_outcome(error)
