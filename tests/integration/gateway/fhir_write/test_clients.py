"""Two client libraries, as integrators use them, do a whole referral with every service running."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fhirclient.client import FHIRClient
from fhirclient.models.servicerequest import ServiceRequest
from fhirpy import AsyncFHIRClient

from services.console.commands.apply import apply_all
from services.console.demo.fleet import Fleet
from services.console.waiting import until
from tests.own_settings import own_settings
from tests.unit.gateway.fhir_write.resources import (
    PLACER_SYSTEM,
    contained_referral,
    phq9,
    referral_transaction,
)

TOKENS = {"general": "general-token-0123456789", "other": "other-token-0123456789"}
SECONDS = 40.0
Library = Any
"""The libraries' own types are not complete."""


@pytest.fixture
async def base(nats_url: str, database: str, servers_directory: Path) -> AsyncGenerator[str]:
    settings = own_settings(
        nats_url,
        database,
        fhir_tokens=" ".join(f"{source}={told}" for source, told in TOKENS.items()),
    )
    await apply_all(settings)
    with Fleet(settings, servers_directory / "services", ("timeline", "intake", "gateway")) as fleet:
        (ports,) = (each.ports for each in fleet.reached() if each.service == "gateway")
        yield f"http://127.0.0.1:{ports['fhir']}/fhir"


async def expect(condition: Callable[[], Awaitable[bool]]) -> None:
    assert await until(condition, SECONDS)


def without_id(resource: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in resource.items() if name not in ("id", "resourceType")}


async def test_fhirpy_refers_withdraws_and_is_told(base: str):
    client: Library = AsyncFHIRClient(base, authorization=f"Bearer {TOKENS['general']}")
    request = client.resource("ServiceRequest", **without_id(contained_referral("R-1")))
    await request.save()
    assert request.id

    async def is_received() -> bool:
        found = await client.resources("Task").search(identifier=f"{PLACER_SYSTEM}|R-1").fetch_all()
        return [task["businessStatus"]["coding"][0]["code"] for task in found] == ["received"]

    await expect(is_received)
    shown = await client.reference("ServiceRequest", request.id).to_resource()
    assert shown["identifier"][0]["value"] == "R-1"
    patient = shown["subject"]["reference"]

    # What comes later names the Patient and the Task by the ids that they have here.
    answers = client.resource("QuestionnaireResponse", **without_id(phq9([1] * 9, patient)))
    await answers.save()

    async def is_assessed() -> bool:
        found = await client.resources("QuestionnaireResponse").search(_id=answers.id).fetch_all()
        return len(found) == 1

    await expect(is_assessed)
    task = await client.reference("Task", request.id).to_resource()
    await task.patch(status="cancelled", statusReason={"text": "Admitted again"})

    async def is_asked_to_cancel() -> bool:
        found = await client.reference("Task", request.id).to_resource()
        return found["businessStatus"]["coding"][0]["code"] == "cancel-requested"

    await expect(is_asked_to_cancel)


async def test_fhirclient_refers_with_its_own_models(base: str):
    settings = {"app_id": "tests", "api_base": base}
    library: Library = FHIRClient(settings=settings)
    library.server.session.headers["Authorization"] = f"Bearer {TOKENS['general']}"
    requests: Library = ServiceRequest
    request = requests(without_id(contained_referral("R-9")))
    told = await asyncio.to_thread(request.create, library.server)

    def found() -> list[str]:
        search: Library = requests.where({"identifier": f"{PLACER_SYSTEM}|R-9"})
        return [each.id for each in search.perform_resources_iter(library.server)]

    async def is_there() -> bool:
        return await asyncio.to_thread(found) == [told["id"]]

    await expect(is_there)
    library.server.session.close()


async def test_a_conditional_create_and_respond_sync(base: str):
    headers = {"Authorization": f"Bearer {TOKENS['general']}", "Prefer": "respond-sync; wait=5"}
    condition = {"If-None-Exist": f"identifier={PLACER_SYSTEM}|R-3"}
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=20) as client:
        first = await client.post("/ServiceRequest", json=contained_referral("R-3"), headers=condition)
        assert first.status_code == 201
        assert first.headers["preference-applied"] == "respond-sync"
        assert first.json()["meta"]["versionId"] == "1"
        second = await client.post("/ServiceRequest", json=contained_referral("R-3"), headers=condition)
        assert (second.status_code, second.headers["location"]) == (200, first.headers["location"])
        id_ = first.json()["id"]
        changed = {**contained_referral("R-3", priority="stat"), "id": id_}
        third = await client.put(f"/ServiceRequest/{id_}", json=changed, headers={"If-Match": 'W/"1"'})
        assert third.status_code == 200
        assert third.json()["priority"] == "stat"
        stale = await client.put(f"/ServiceRequest/{id_}", json=changed, headers={"If-Match": 'W/"1"'})
        assert stale.status_code == 412
        other = {"Authorization": f"Bearer {TOKENS['other']}"}
        hidden = await client.patch(f"/Task/{id_}", json={"status": "cancelled"}, headers=other)
        assert hidden.status_code == 404


async def test_a_transaction_becomes_a_referral_and_an_assessment(base: str):
    headers = {"Authorization": f"Bearer {TOKENS['general']}"}
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=20) as client:
        answer = await client.post("/", json=referral_transaction("R-4", "400"))
        entries = [each["response"] for each in answer.json()["entry"]]
        places = [each["location"] for each in entries if "location" in each]
        assert len(places) == 3

        async def are_there() -> bool:
            return all([(await client.get(place)).status_code == 200 for place in places])

        await expect(are_there)
