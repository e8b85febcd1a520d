"""The CapabilityStatement says what the server does: no more, no less."""

from typing import Any

import httpx
import pytest

from services.gateway.fhir.served import SERVED
from services.gateway.fhir.write import INTERACTIONS
from tests.integration.gateway.fhir.reading import Edge, edge, project
from tests.integration.gateway.fhir.record import GENERAL, kim, robin
from tests.unit.timeline.r4 import expect_valid

EXAMPLES = {"token": "x", "reference": "00000000-0000-0000-0000-000000000000", "date": "2026"}
NOT_SERVED = ("Consent", "Medication", "Practitioner", "Coverage", "Condition", "Device")


@pytest.fixture
async def served(nats_url: str, database: str):
    await project(database, robin(), kim())
    async with edge(nats_url, database) as one:
        yield one


async def statement(served: Edge) -> dict[str, Any]:
    answer = await served.get("/metadata", None)
    assert answer.status_code == 200
    told: dict[str, Any] = answer.json()
    expect_valid(told)
    return told


async def test_every_interaction_that_is_told_is_served(served: Edge):
    told = await statement(served)
    assert (told["fhirVersion"], told["kind"], told["implementation"]["url"]) == (
        "4.0.1",
        "instance",
        served.base,
    )
    (rest,) = told["rest"]
    async with served.client(GENERAL, Prefer="handling=strict") as client:
        for resource in rest["resource"]:
            await _expect_as_told(client, resource)


async def _expect_as_told(client: httpx.AsyncClient, resource: dict[str, Any]) -> None:
    kind = resource["type"]
    codes = {each["code"] for each in resource["interaction"]}
    assert codes == {*(("read", "search-type") if kind in SERVED else ()), *INTERACTIONS.get(kind, ())}
    if kind in SERVED:
        await _expect_reading(client, kind, resource["searchParam"])
    for method, code, path in (
        ("GET", "search-type", f"/{kind}"),
        ("POST", "create", f"/{kind}"),
        ("PUT", "update", f"/{kind}/1"),
        ("PATCH", "patch", f"/{kind}/1"),
        ("DELETE", "delete", f"/{kind}/1"),
    ):
        answer = await client.request(method, path)
        if code in codes:
            assert answer.status_code != 405, (method, kind)
        else:
            assert answer.status_code in {404, 405}, (method, kind)


async def _expect_reading(client: httpx.AsyncClient, kind: str, parameters: list[dict[str, Any]]) -> None:
    found = (await client.get(f"/{kind}?_count=1")).json()
    assert found["total"] > 0, f"the record has a {kind}"
    (entry,) = found["entry"]
    read = await client.get(f"/{kind}/{entry['resource']['id']}")
    assert (read.status_code, read.json()) == (200, entry["resource"])
    assert (await client.post(f"/{kind}/_search", data={"_count": "1"})).status_code == 200
    for parameter in parameters:
        answer = await client.get(f"/{kind}", params={parameter["name"]: EXAMPLES[parameter["type"]]})
        assert answer.status_code == 200, (kind, parameter["name"], answer.text)
    assert (await client.get(f"/{kind}?not-a-parameter=x")).status_code == 400


async def test_what_is_not_told_is_not_served(served: Edge):
    told = await statement(served)
    kinds = {resource["type"] for resource in told["rest"][0]["resource"]}
    for kind in NOT_SERVED:
        assert kind not in kinds
        assert (await served.get(f"/{kind}")).status_code == 404
    for path in ("/Patient/1/_history", "/Patient/1/_history/1", "/_history", "/Patient/$everything"):
        assert (await served.get(path)).status_code == 404


async def test_every_search_parameter_that_exists_in_r4_and_is_not_told_is_refused(served: Edge):
    told = await statement(served)
    for resource in told["rest"][0]["resource"]:
        known = {each["name"] for each in resource.get("searchParam", [])}
        for name in {"identifier", "patient", "status", "subject", "category", "date", "code"} - known:
            if "searchParam" in resource:
                answer = await served.get(f"/{resource['type']}?{name}=x", Prefer="handling=strict")
                assert answer.status_code == 400, (resource["type"], name)
