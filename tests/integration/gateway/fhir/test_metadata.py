"""The CapabilityStatement says what the server does: no more, no less."""

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from services.gateway.fhir.served import SERVED
from services.gateway.fhir.write import INTERACTIONS
from tests.integration.gateway.fhir.reading import Edge, edge, project
from tests.integration.gateway.fhir.record import GENERAL, OTHER, ROBIN, kim, robin
from tests.unit.timeline.r4 import expect_valid

NOBODY = "00000000-0000-0000-0000-000000000000"
NOT_SERVED = ("Medication", "Practitioner", "Coverage", "Condition", "Device")


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
    found = (await client.get(f"/{kind}")).json()
    assert found["total"] > 0, f"the record has a {kind}"
    entries = [entry["resource"] for entry in found["entry"]]
    read = await client.get(f"/{kind}/{entries[0]['id']}")
    assert (read.status_code, read.json()) == (200, entries[0])
    assert (await client.post(f"/{kind}/_search", data={"_count": "1"})).status_code == 200
    for parameter in parameters:
        await _expect_found_by(client, kind, parameter["name"], entries)
    assert (await client.get(f"/{kind}?not-a-parameter=x")).status_code == 400


async def _expect_found_by(
    client: httpx.AsyncClient, kind: str, name: str, entries: list[dict[str, Any]]
) -> None:
    """What a resource says of itself finds it, and what no resource says finds nothing."""
    resource = next(each for each in entries if name != "identifier" or name in each)
    nothing = {"_lastUpdated": "1999", "birthdate": "1899"}.get(name, NOBODY)
    for value, is_there in ((_said(name, resource), True), (nothing, False)):
        answer = await client.get(f"/{kind}", params={name: value})
        found = [each["resource"]["id"] for each in answer.json().get("entry", [])]
        assert (answer.status_code, resource["id"] in found) == (200, is_there), (kind, name, value)
        assert is_there or not found


def _said(name: str, resource: dict[str, Any]) -> str:
    if name in SAID:
        return SAID[name](resource)
    if name in ("patient", "subject"):
        (told,) = set(re.findall(r"Patient/[0-9a-f-]{36}", str(resource)))
        return told
    return resource[name]


SAID: dict[str, Callable[[dict[str, Any]], str]] = {
    "_id": lambda each: each["id"],
    "_lastUpdated": lambda each: each["meta"]["lastUpdated"],
    "identifier": lambda each: "{system}|{value}".format(**each["identifier"][0]),
    "lifecycle-status": lambda each: each["lifecycleStatus"],
    "name": lambda each: each["name"][0]["family"][:3],
    "family": lambda each: each["name"][0]["family"].lower(),
    "given": lambda each: each["name"][0]["given"][0].upper(),
    "birthdate": lambda each: each["birthDate"],
    "focus": lambda each: each["focus"]["reference"],
    "business-status": lambda each: each["businessStatus"]["coding"][0]["code"],
}
"""What a resource says of itself, in the words of a search parameter of another name."""


async def test_every_include_that_is_told_brings_what_is_referred_to(served: Edge):
    told = await statement(served)
    async with served.client() as client:
        for resource in (each for each in told["rest"][0]["resource"] if "searchParam" in each):
            kind = resource["type"]
            for name in resource.get("searchInclude", []):
                matches, along = await _with(client, f"/{kind}?_include={name}")
                assert along
                assert all(each in str(matches) for each in along), name
            for name in resource.get("searchRevInclude", []):
                matches, along = await _with(client, f"/{kind}?_revinclude={name}")
                assert along
                assert all(set(_references(each)) & set(matches) for each in along.values()), name
            for asked in ("_include=Nothing:such", "_revinclude=*", f"_include={kind}:encounter"):
                assert (await client.get(f"/{kind}?{asked}")).status_code == 400


async def _with(
    client: httpx.AsyncClient, search: str
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """Return by ``Type/id`` what matches and what comes along, all of it."""
    bundle = (await client.get(f"{search}&_count=200")).json()
    found: dict[str, dict[str, dict[str, Any]]] = {"match": {}, "include": {}}
    for entry in bundle["entry"]:
        resource = entry["resource"]
        place = f"{resource['resourceType']}/{resource['id']}"
        assert entry["fullUrl"].endswith(place)
        found[entry["search"]["mode"]][place] = resource
    assert bundle["total"] == len(found["match"])
    return found["match"], found["include"]


def _references(resource: dict[str, Any]) -> list[str]:
    return re.findall(r"'reference': '(\w+/[0-9a-f-]{36})'", str(resource))


async def test_a_page_brings_along_only_what_belongs_to_it_and_is_the_sources(served: Edge):
    search = f"/Provenance?_count=1&_include=Provenance:patient&patient={ROBIN}"
    bundle = (await served.get(search)).json()
    modes = [(each["search"]["mode"], each["resource"]["resourceType"]) for each in bundle["entry"]]
    assert modes == [("match", "Provenance"), ("include", "Patient")]
    following = next(link["url"] for link in bundle["link"] if link["relation"] == "next")
    assert "_include=Provenance%3Apatient" in following
    assert [each["search"]["mode"] for each in (await served.get(following)).json()["entry"]] == [
        "match",
        "include",
    ]
    theirs = (await served.get("/Patient?_revinclude=Provenance:target", OTHER)).json()
    assert GENERAL not in str(theirs)


async def test_every_form_of_a_patch_that_is_told_is_read(served: Edge):
    told = await statement(served)
    assert told["patchFormat"]
    async with served.client() as client:
        for form in (*told["patchFormat"], "application/fhir+json"):
            answer = await client.patch(f"/Task/{NOBODY}", content=b"[", headers={"Content-Type": form})
            assert (answer.status_code == 415) == (form not in told["patchFormat"]), form


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
