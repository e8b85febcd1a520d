"""FHIR made to cost more than it says: answered within moments, and without the memory that it asks for."""

import time
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from services.gateway.fhir.auth import Caller
from services.gateway.fhir.outcome import FhirError
from services.gateway.fhir.write.contents import contents
from services.gateway.fhir.write.reading import check_document, decode, head
from services.gateway.fhir.write.resources import Bundle
from services.gateway.fhir.write.scope import MOST_ENTRIES, Entry, Scope, entries_of
from services.gateway.fhir.write.submission import Submission
from tests.unit.gateway.fhir_write.resources import (
    bundle,
    contained_referral,
    entry,
    observation,
    patient,
    phq9,
    service_request,
    task,
)

SECONDS = 3.0
SIZE = 1_000_000
CALLER = Caller("general")
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def many(what: Any) -> list[Any]:  # noqa: ANN401
    return [what] * (SIZE // len(msgspec.json.encode(what)))


def nested(depth: int) -> dict[str, Any]:
    """An Observation with ten members, all of them the same one that it contains, and so on."""
    told = observation("44250-9", "#p1", id="m")
    if depth:
        inner = {"contained": [nested(depth - 1), patient()], "hasMember": [{"reference": "#m"}] * 10}
        return {**told, **inner}
    return told


COVERAGE = {"resourceType": "Coverage", "payor": [{"display": "Sample Health"}]}
BASIC = {"resourceType": "Basic", "id": "b"}
COSTLY: dict[str, Any] = {
    "a score of each minute": bundle(
        "transaction",
        entry(patient()),
        *(
            entry(
                observation(
                    "44260-8", id=str(n), effectiveDateTime=f"2026-11-20T{n // 60:02}:{n % 60:02}:00Z"
                )
            )
            for n in range(MOST_ENTRIES - 1)
        ),
    ),
    "referrals and coverages": bundle(
        "transaction",
        *(entry({**contained_referral(f"R-{n}"), "id": f"s{n}"}) for n in range(MOST_ENTRIES // 2)),
        *(entry({**COVERAGE, "id": f"c{n}"}) for n in range(MOST_ENTRIES // 2)),
    ),
    "entries": bundle("transaction", *[entry(patient())] * (MOST_ENTRIES + 1)),
    "members of members": nested(15),
    "much that is contained": service_request(
        subject="#p1", contained=[*many(BASIC), patient()], reasonReference=[{"reference": "#x"}] * 1_000
    ),
    "identifiers": service_request(
        subject="#p1", contained=[patient(identifier=many({"system": "y", "value": "x"}))]
    ),
    "reasons": contained_referral(reasonCode=many({"coding": [{"code": "x"}]})),
    "components": observation(
        "44260-8",
        "#p1",
        contained=[patient()],
        component=many({"code": {"coding": [{"code": "44260-8"}]}, "valueInteger": 1}),
    ),
    "what a task tells": task(focus={"identifier": {"value": "R-1"}}, note=many({"text": "x"})),
    "a linkId": phq9([1] * 9, "#p1", contained=[patient()], item=[{"linkId": "44444-" * (SIZE // 6)}]),
    "an answer": observation("44260-8", "#p1", contained=[patient()], valueString="0" * SIZE),
    "a time": contained_referral(authoredOn="2026-01-01T00:00:00." + "1" * SIZE),
    "references": contained_referral(note=many({"reference": "http://" + "a/" * 90})),
    "brackets in a text": contained_referral(note=[{"text": "[{" * (SIZE // 2)}]),
    "escapes in a text": contained_referral(note=[{"text": '\\"[' * (SIZE // 3)}]),
    "names of elements": {**contained_referral(), **{f"k{n}": {} for n in range(SIZE // 12)}},
}


@pytest.mark.parametrize("name", COSTLY)
def test_it_is_answered_in_time(name: str):
    raw = msgspec.json.encode(COSTLY[name])
    began = time.process_time()
    refusal = refusal_of(raw)
    assert time.process_time() - began < SECONDS
    assert refusal is None or 400 <= refusal.status < 500


def test_however_many_messages_it_makes_what_was_sent_is_in_memory_once():
    resources = [entry({**contained_referral(f"R-{n}"), "id": f"s{n}"}) for n in range(500)]
    told = contents(submission_of(msgspec.json.encode(bundle("transaction", *resources))))
    assert len(told) == 500
    assert len({id(each.message.original.text) for each in told}) == 1


# JSON that is odd: what is refused of it, by status and path; None where it is taken.
ODD: dict[str, tuple[bytes, str | None]] = {
    "half of a surrogate pair": (b'"Springfield"->"\\ud800"', "Resource"),
    "a surrogate as bytes": (b'"Springfield"->"\xed\xa0\x80"', "Resource"),
    "what is no UTF-8 in an element that is not read": (b'"language":"en"->"lang\xff":"en"', "Resource"),
    "both halves": (b'"Springfield"->"\\ud83d\\ude00"', None),
    "NUL": (b'"Springfield"->"\\u0000"', "Resource.contained[0].address[0].city"),
    "text that runs from right to left": ('"Springfield"->"\u202eabc\u200b"'.encode(), None),
    "digits of another script": (
        '"1990-02-03"->"\u0661\u0669\u0669\u0660"'.encode(),
        "Resource.contained[0].birthDate",
    ),
    "a year 0": (b'"1990-02-03"->"0000-01-01"', "Resource.contained[0].birthDate"),
    "a leap second": (b"10:00:00-05:00->23:59:60Z", "Resource.authoredOn"),
    "the last moment there is": (b"2026-11-20T10:00:00-05:00->9999-12-31T23:59:59-14:00", None),
    "not a number": (b'"urgent"->NaN', "Resource"),
    "a number for a text": (b'"urgent"->1e999', "Resource.priority"),
    "an element twice": (b'"urgent"->"routine","priority":"stat"', None),
    "something behind it": (b'"en"}->"en"} {}', "Resource"),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_json_is_taken_or_refused_by_its_place(name: str):
    change, path = ODD[name]
    what, _, instead = change.partition(b"->")
    raw = msgspec.json.encode(contained_referral(language="en"))
    assert what in raw
    refusal = refusal_of(raw.replace(what, instead))
    assert (refusal and refusal.issues[0].expression) == (path and (path,))


@pytest.mark.parametrize("value", ["1e999", "1e308", "9" * 30, "-1", "1000", "true", "1.5", '"1"'])
def test_a_number_that_is_no_answer_is_refused(value: str):
    for element in ("valueInteger", "valueDecimal"):
        told = observation("44260-8", "#p1", contained=[patient()], valueInteger=1)
        raw = msgspec.json.encode(told).replace(b'"valueInteger":1', f'"{element}":{value}'.encode())
        refusal = refusal_of(raw)
        assert refusal is not None
        assert refusal.issues[0].expression[0].startswith("Resource.value")


def refusal_of(raw: bytes) -> FhirError | None:
    """Translate as the routes do, and return why not."""
    try:
        check_document(raw, "Resource")
        contents(submission_of(raw))
    except FhirError as error:
        return error
    return None


def submission_of(raw: bytes) -> Submission:
    known = head(raw, "Resource")
    if known.resource_type == "Bundle":
        return Submission(raw, CALLER, NOW, Scope(entries_of(decode(raw, Bundle, "Bundle").entry)))
    return Submission(raw, CALLER, NOW, Scope([Entry(known.resource_type or "", known.id, raw, "Resource")]))
