"""Reading over HTTP: one resource, what changed, who may see it, and every error as an OperationOutcome."""

from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest

from services.gateway.fhir.served import SERVED
from shared.events.participant import ParticipantsMerged, PriorRecordLinked
from tests.integration.gateway.fhir.reading import Edge, edge, project
from tests.integration.gateway.fhir.record import GENERAL, KIM, OTHER, ROBIN, kim, robin
from tests.unit.timeline.facts import APPOINTMENT, OTHER_REFERRAL, REFERRAL, id_of

NOBODY = id_of(0xFFFF)


@pytest.fixture
async def served(nats_url: str, database: str) -> AsyncGenerator[Edge]:
    await project(database, robin(), kim())
    async with edge(nats_url, database) as one:
        yield one


def issue(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/fhir+json")
    outcome = answer.json()
    assert outcome["resourceType"] == "OperationOutcome"
    return outcome["issue"][0]


async def test_a_resource_is_read_with_its_version(served: Edge):
    answer = await served.get(f"/Patient/{ROBIN}")
    patient = answer.json()
    assert (patient["resourceType"], patient["id"]) == ("Patient", str(ROBIN))
    assert answer.headers["etag"] == f'W/"{patient["meta"]["versionId"]}"'
    assert answer.headers["last-modified"] == "Mon, 02 Mar 2026 14:01:00 GMT"
    assert answer.headers["content-type"] == "application/fhir+json; charset=utf-8"


async def test_who_has_the_version_is_not_sent_it_again(served: Edge):
    tag = (await served.get(f"/Task/{REFERRAL}")).headers["etag"]
    async with served.client() as client:
        again = await client.get(f"/Task/{REFERRAL}", headers={"If-None-Match": f'W/"77", {tag}'})
        other = await client.get(f"/Task/{REFERRAL}", headers={"If-None-Match": 'W/"77"'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert other.status_code == 200


async def test_a_referral_is_a_task_with_the_harmonised_status(served: Edge):
    task = (await served.get(f"/Task/{REFERRAL}")).json()
    assert task["status"] == "accepted"
    assert task["businessStatus"]["coding"][0]["code"] == "scheduled"
    assert task["focus"] == {"reference": f"ServiceRequest/{REFERRAL}"}
    assert task["for"] == {"reference": f"Patient/{ROBIN}"}


async def test_a_source_sees_its_own_people_and_what_it_sent(served: Edge):
    assert (await served.get(f"/Patient/{ROBIN}", OTHER)).status_code == 200  # it referred Robin, too
    assert (await served.get(f"/Task/{OTHER_REFERRAL}", OTHER)).status_code == 200
    for path in (f"/Task/{REFERRAL}", f"/ServiceRequest/{REFERRAL}", f"/Appointment/{APPOINTMENT}"):
        assert (await served.get(path, GENERAL)).status_code == 200
        assert issue(await served.get(path, OTHER), 404) == issue(
            await served.get(f"/Task/{NOBODY}", OTHER), 404
        ) | {"expression": [path.split("/")[1]]}
    assert issue(await served.get(f"/Patient/{KIM}", GENERAL), 404)["code"] == "not-found"


async def test_nothing_of_other_peoples_is_found_by_any_search(served: Edge):
    for kind in SERVED:
        mine, theirs = await served.found(f"/{kind}", GENERAL), await served.found(f"/{kind}", OTHER)
        assert mine
        assert str(KIM) not in str(mine)
        assert f"message:{OTHER}" not in str(mine)
        assert f"message:{GENERAL}" not in str(theirs)
        assert str(REFERRAL) not in str(theirs)


async def test_without_a_known_token_nothing_is_said(served: Edge):
    for headers in ({}, {"Authorization": "Bearer guess"}, {"Authorization": "Basic Z3Vlc3M6"}):
        for path in (f"/Patient/{ROBIN}", "/Patient", "/Task?status=accepted"):
            answer = await served.get(path, None, **headers)
            assert issue(answer, 401)["code"] == "login"
            assert answer.headers["www-authenticate"].startswith("Bearer")
    assert (await served.get("/metadata", None)).status_code == 200


async def test_every_error_is_an_operation_outcome(served: Edge):
    async with served.client() as client:
        assert issue(await client.get("/Medication/1"), 404)["code"] == "not-found"
        assert issue(await client.get("/Patient/not-an-id"), 404)["expression"] == ["Patient"]
        assert issue(await client.delete("/Patient/1"), 405)["code"] == "not-supported"
        assert issue(await client.get("/Patient?_format=xml"), 406)["expression"] == ["http._format"]
        wrong = await client.get("/Patient", headers={"Accept": "application/fhir+xml"})
        assert issue(wrong, 406)["expression"] == ["http.Accept"]
        assert issue(await client.post("/Task/_search", json={}), 415)["expression"] == ["http.Content-Type"]
        assert issue(await client.get("/Task?_lastUpdated=soon"), 400)["expression"] == ["http._lastUpdated"]
        assert issue(await client.get("/Task?_count=few"), 400)["expression"] == ["http._count"]
        assert issue(await client.get("/Task?status:not=accepted"), 400)["expression"] == ["http.status"]
        assert issue(await client.get("/Task?_cursor=guess"), 400)["expression"] == ["http._cursor"]


async def test_json_is_spoken_under_both_names(served: Edge):
    async with served.client() as client:
        for accept, media in (
            ("application/json", "application/json"),
            ("text/html, application/xhtml+xml, */*;q=0.8", "application/fhir+json"),
            ("application/fhir+json; fhirVersion=4.0", "application/fhir+json"),
            ("application/fhir+xml;q=1.0, application/json;q=0.5", "application/json"),
        ):
            answer = await client.get(f"/Patient/{ROBIN}", headers={"Accept": accept})
            assert answer.headers["content-type"] == f"{media}; charset=utf-8", accept
        told = await client.get(f"/Patient/{ROBIN}?_format=json", headers={"Accept": "text/xml"})
        assert told.status_code == 200


async def test_without_postgres_the_answer_is_to_ask_later(nats_url: str, database: str):
    nowhere = "postgresql://127.0.0.1:1/nowhere"
    async with edge(nats_url, nowhere) as one:
        for path in (f"/Patient/{ROBIN}", "/Task?status=accepted"):
            answer = await one.get(path)
            assert issue(answer, 503)["code"] == "transient"
            assert answer.headers["retry-after"]
        assert (await one.get("/metadata", None)).status_code == 200


async def test_a_merged_record_points_to_the_survivor(nats_url: str, database: str):
    merged = kim().tell(ParticipantsMerged(survivor=ROBIN, prior=KIM))
    await project(database, robin().tell(PriorRecordLinked(prior=KIM)), merged)
    async with edge(nats_url, database) as one:
        prior = (await one.get(f"/Patient/{KIM}", OTHER)).json()
        assert prior["active"] is False
        assert prior["link"] == [{"other": {"reference": f"Patient/{ROBIN}"}, "type": "replaced-by"}]
        survivor = (await one.get(f"/Patient/{ROBIN}", OTHER)).json()
        assert survivor["link"] == [{"other": {"reference": f"Patient/{KIM}"}, "type": "replaces"}]
        stays = await one.found(f"/Encounter?patient={ROBIN}", OTHER)
        assert {stay["subject"]["reference"] for stay in stays} >= {f"Patient/{KIM}"}
