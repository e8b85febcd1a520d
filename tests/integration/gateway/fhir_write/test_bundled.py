"""Bundles over resources that are there: what an entry expects of them holds, and nothing else is lost."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.console.commands.apply import apply_all
from services.console.demo.fleet import Fleet
from services.console.waiting import until
from tests.own_settings import own_settings
from tests.unit.gateway.fhir_write.resources import (
    PLACER_SYSTEM,
    bundle,
    contained_referral,
    entry,
    patient,
    phq9,
    service_request,
)

SECONDS = 40.0
NOBODYS = "01920000-0000-7000-8000-00000000a001"
Json = dict[str, Any]


@pytest.fixture
async def client(nats_url: str, database: str, servers_directory: Path) -> AsyncGenerator[httpx.AsyncClient]:
    settings = own_settings(nats_url, database, fhir_tokens="general=general-token-0123456789")
    await apply_all(settings)
    with Fleet(settings, servers_directory / "services", ("timeline", "intake", "gateway")) as fleet:
        (ports,) = (each.ports for each in fleet.reached() if each.service == "gateway")
        headers = {"Authorization": "Bearer general-token-0123456789", "Prefer": "respond-sync; wait=5"}
        base = f"http://127.0.0.1:{ports['fhir']}/fhir"
        async with httpx.AsyncClient(base_url=base, headers=headers, timeout=20) as one:
            yield one


async def expect(condition: Callable[[], Awaitable[bool]]) -> None:
    assert await until(condition, SECONDS)


async def test_what_entries_expect_of_resources_that_are_there(client: httpx.AsyncClient):
    first = await client.post("/ServiceRequest", json=contained_referral("R-1"))
    id_ = first.json()["id"]
    assert first.headers["last-modified"]
    await _expect_a_version(client, id_)
    await _expect_its_own_address(client)
    await _expect_news_beside_what_is_known(client, id_)


async def _expect_a_version(client: httpx.AsyncClient, id_: str) -> None:
    def update(priority: str, version: str) -> Json:
        changed = {**contained_referral("R-1", priority=priority), "id": id_}
        return entry(changed, "PUT", f"ServiceRequest/{id_}", ifMatch=f'W/"{version}"')

    stale = await client.post("/", json=bundle("transaction", update("stat", "9")))
    assert stale.status_code == 412
    assert stale.json()["issue"][0]["expression"] == ["Bundle.entry[0].request.ifMatch"]
    batch = (await client.post("/", json=bundle("batch", update("stat", "9")))).json()
    assert batch["entry"][0]["response"]["status"] == "412"
    assert (await client.post("/", json=bundle("transaction", update("asap", "1")))).status_code == 200

    async def is_changed() -> bool:
        return (await client.get(f"/ServiceRequest/{id_}")).json()["priority"] == "asap"

    await expect(is_changed)


async def _expect_its_own_address(client: httpx.AsyncClient) -> None:
    """A referral is changed at its own address only, whatever number is in what is sent to another."""
    wrong = entry({**contained_referral("R-1"), "id": NOBODYS}, "PUT", f"ServiceRequest/{NOBODYS}")
    answer = await client.post("/", json=bundle("transaction", wrong))
    assert answer.status_code == 404
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[0].resource.id"]
    (told,) = (await client.post("/", json=bundle("batch", wrong))).json()["entry"]
    assert told["response"]["status"] == "404"
    assert told["response"]["outcome"]["issue"][0]["expression"] == ["Bundle.entry[0].resource.id"]


async def _expect_news_beside_what_is_known(client: httpx.AsyncClient, id_: str) -> None:
    """A referral that is there already is not made again; another one, and new answers, are taken."""

    def request(number: str) -> Json:
        condition = f"identifier={PLACER_SYSTEM}|{number}"
        told = {**service_request(number), "id": number}
        return entry(told, ifNoneExist=condition)

    entries = (entry(patient()), request("R-1"), request("R-2"), entry(phq9([1] * 8 + [2])))
    answer = await client.post("/", json=bundle("transaction", *entries))
    told = [each["response"] for each in answer.json()["entry"]]
    assert [each["status"] for each in told] == ["202 Accepted", "200 OK", "201 Created", "201 Created"]
    assert told[1]["location"].endswith(f"/ServiceRequest/{id_}")
    assert told[2]["location"] != told[1]["location"]

    async def are_there() -> bool:
        return all([(await client.get(each["location"])).status_code == 200 for each in told[1:]])

    await expect(are_there)
    assert (await client.get(f"/ServiceRequest/{id_}")).json()["priority"] == "asap"
