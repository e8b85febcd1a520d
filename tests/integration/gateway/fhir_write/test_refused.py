"""What would be understood otherwise than it was meant is refused, and nothing of it is stored."""

import gzip
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from tests.integration.gateway.fhir_write.conftest import Edge, outcome_of
from tests.unit.gateway.fhir_write.resources import (
    PLACER_SYSTEM,
    Resource,
    alert,
    bundle,
    contained_referral,
    entry,
    patient,
    service_request,
    task,
)

NOBODYS = "01920000-0000-7000-8000-00000000a001"
FOCUS = {"identifier": {"system": PLACER_SYSTEM, "value": "R-1"}}


def update(url: str, id: str, **request: Any) -> Resource:  # noqa: ANN401
    return entry({**contained_referral(), "id": id}, "PUT", url, **request)


def focused(*references: str, stays: int = 1) -> Resource:
    """An alert whose header names these, with so many Encounters."""
    told = alert()
    header, stay, *rest = told["entry"]
    header["resource"]["focus"] = [{"reference": each} for each in references]
    more = [
        {"fullUrl": f"http://x/Encounter/{n}", "resource": {**stay["resource"], "id": f"e{n}"}}
        for n in range(2, stays + 1)
    ]
    return {**told, "entry": [header, stay, *rest, *more]}


# Where it goes, what is sent, and what the answer says: status and place.
MISTAKEN: Mapping[str, tuple[str, Resource, int, str]] = {
    "a stay that is canceled, with one l": (
        "/fhir/$process-message",
        alert("notification-admit", status="canceled"),
        400,
        "Bundle.entry[1].resource.status",
    ),
    "a Task that is canceled, with one l, and a note": (
        "/fhir/Task",
        task("canceled", focus=FOCUS, note=[{"text": "Admitted again"}]),
        400,
        "Task.status",
    ),
    "an intent that there is not": (
        "/fhir/ServiceRequest",
        contained_referral(intent="wish"),
        400,
        "ServiceRequest.intent",
    ),
    "an alert whose focus is not here": (
        "/fhir/$process-message",
        focused("Encounter/another"),
        422,
        "Bundle.entry[0].resource.focus",
    ),
    "an alert of several stays without a focus": (
        "/fhir/$process-message",
        focused(stays=2),
        422,
        "Bundle.entry[0].resource.focus",
    ),
    "two people at one fullUrl": (
        "/fhir",
        bundle("transaction", entry(patient("1")), entry(patient("2")), entry(service_request())),
        400,
        "Bundle.entry[1].fullUrl",
    ),
    "two people of one id, from two servers": (
        "/fhir",
        bundle(
            "transaction",
            entry(patient("1")),
            {**entry(patient("2")), "fullUrl": "http://another.example/fhir/Patient/p1"},
            entry(service_request()),
        ),
        422,
        "Bundle.entry[2].resource",
    ),
    "an update at an id that none of ours is": (
        "/fhir",
        bundle("transaction", update("ServiceRequest/my-id", "my-id")),
        404,
        "Bundle.entry[0].resource.id",
    ),
    "an update without an id": (
        "/fhir",
        bundle("transaction", update("ServiceRequest", "s1")),
        404,
        "Bundle.entry[0].resource.id",
    ),
    "an update by search": (
        "/fhir",
        bundle("transaction", update("ServiceRequest?identifier=R-1", "s1")),
        422,
        "Bundle.entry[0].request.url",
    ),
    "an update of another id than its address": (
        "/fhir",
        bundle("transaction", update(f"ServiceRequest/{NOBODYS}", "s1")),
        400,
        "Bundle.entry[0].resource.id",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKEN)
async def test_what_is_mistaken_is_refused_where_it_is(edge: Edge, mistake: str):
    path, told, status, place = MISTAKEN[mistake]
    answer = await edge.post(path, told)
    assert answer.status_code == status, answer.text
    assert [place] in [issue["expression"] for issue in issues_of(answer.json())]
    assert await edge.count() == 0


def issues_of(told: Resource) -> list[dict[str, Any]]:
    """The issues of an OperationOutcome, also of one in a message that answers."""
    if told["resourceType"] == "Bundle":
        told = told["entry"][-1]["resource"]
    return told["issue"]


async def test_a_compressed_body_is_refused_by_its_name(edge: Edge):
    body = gzip.compress(msgspec.json.encode(contained_referral()))
    headers = {"Content-Type": "application/fhir+json", "Content-Encoding": "gzip"}
    answer = await edge.client.post("/fhir/ServiceRequest", content=body, headers=headers)
    assert (answer.status_code, answer.headers["accept-encoding"]) == (415, "identity")
    assert outcome_of(answer)["expression"] == ["http.Content-Encoding"]


async def test_the_version_that_a_sender_had_read_is_not_shown_as_that_of_its_change(edge: Edge):
    meta = {"versionId": "7", "lastUpdated": "2026-11-20T10:00:00Z", "tag": [{"code": "kept"}]}
    answer = await edge.post("/fhir/ServiceRequest", contained_referral(meta=meta))
    assert answer.json()["meta"] == {"tag": [{"code": "kept"}]}
    without = await edge.post("/fhir/ServiceRequest", contained_referral("R-2", meta={"versionId": "7"}))
    assert "meta" not in without.json()
