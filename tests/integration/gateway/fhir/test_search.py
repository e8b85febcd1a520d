"""Searching over HTTP: parameters, pages, totals, and identifiers that need not stand in an address."""

from collections.abc import AsyncGenerator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from shared.events.referral import ReferralCompleted, ReferralOutcomeSent
from shared.projections.postgres import connect
from tests.integration.gateway.fhir.reading import Edge, edge, project
from tests.integration.gateway.fhir.record import GENERAL, OTHER, ROBIN, kim, robin, zoe
from tests.unit.timeline.facts import REFERRAL, id_of

MRN = "urn:throughcare:assigner:general-hospital|MRN-1"


@pytest.fixture
async def served(nats_url: str, database: str) -> AsyncGenerator[Edge]:
    await project(database, robin(), kim(), zoe())
    async with edge(nats_url, database) as one:
        yield one


def links(answer: httpx.Response) -> dict[str, str]:
    return {link["relation"]: link["url"] for link in answer.json()["link"]}


# What is asked, and how many there are.
SEARCHES = {
    f"/Patient?identifier={MRN}": 1,
    "/Patient?identifier=mrn-1": 1,
    "/Patient?identifier=urn:throughcare:assigner:other-hospital|MRN-1": 0,
    "/Patient?identifier=|MRN-1": 0,
    f"/Patient?_id={ROBIN}": 1,
    "/Patient?_id=nonsense": 0,
    "/Patient?family=Pérez": 1,
    "/Patient?family=pere": 1,
    "/Patient?family=PE%CC%81REZ-B": 1,
    "/Patient?family=Brown": 0,
    "/Patient?family:contains=brown": 1,
    "/Patient?family:exact=perez-brown": 0,
    "/Patient?family:exact=Pérez-Brown": 1,
    "/Patient?family=%CC%81": 0,
    "/Patient?family=%": 0,
    "/Patient?given=zo": 1,
    "/Patient?given=İ": 1,
    "/Patient?given=Zoe,Ivy&family=per": 1,
    "/Patient?given=per": 0,
    "/Patient?name=per&name=ivy": 1,
    "/Patient?name=per,nobody": 1,
    "/Patient?name=nobody": 0,
    "/Patient?name=Pérez\\,nobody": 0,
    "/Patient?birthdate=1988-02-29&gender=female": 1,
    "/Patient?birthdate=1988-02-29&gender=male": 0,
    "/Patient?birthdate=1988-02": 1,
    "/Patient?birthdate=1988-02-29T00:00:00Z": 0,
    "/Patient?birthdate=ge1988-02-29&birthdate=le1988-02-29": 1,
    "/Patient?birthdate=gt1988-02-29": 1,
    "/Patient?birthdate=lt1988-02-29": 0,
    "/Patient?birthdate=lt1988-03-01&birthdate=gt1988-02-28": 1,
    "/Patient?birthdate=ne1988-02-29": 1,
    "/Patient?birthdate=sa1988-02-28&birthdate=eb1988-03": 1,
    f"/Task?patient={ROBIN}": 1,
    f"/Task?patient=Patient/{ROBIN}&status=accepted,completed": 1,
    f"/Task?patient:Patient={ROBIN}&status=http://hl7.org/fhir/task-status|accepted": 1,
    f"/Task?patient={ROBIN}&status=completed": 0,
    f"/Task?patient={id_of(0xABC)}": 0,
    f"/Task?patient.identifier={MRN}": 1,
    "/Task?identifier=RF-960": 0,
    f"/Task?patient:Patient.identifier={MRN}": 1,
    f"/Task?subject=Patient/{ROBIN}": 1,
    f"/Task?subject:Patient.identifier={MRN}&business-status=accepted": 0,
    f"/Task?subject.identifier={MRN}&business-status=received,scheduled": 1,
    f"/Task?focus=ServiceRequest/{REFERRAL}": 1,
    f"/Task?focus={id_of(0xABC)}": 0,
    f"/Goal?patient={ROBIN}&lifecycle-status=completed": 1,
    "/Task?_lastUpdated=2026-03-02": 1,
    "/Task?_lastUpdated=ge2026-03-02T00:00:00Z&_lastUpdated=lt2026-03-03": 1,
    "/Task?_lastUpdated=gt2026-03-02": 0,
    "/Task?_lastUpdated=le2026-03-02T14:04:00%2B00:00": 1,
    "/Task?_lastUpdated=lt2026-03-02T14:04:00.000Z": 0,
    "/Task?_lastUpdated=ne2026": 0,
    "/Task?_lastUpdated=sa2026-02&_lastUpdated=eb2026-04": 1,
}


async def test_what_is_asked_is_found(served: Edge):
    for search, count in SEARCHES.items():
        answer = await served.get(search)
        assert answer.status_code == 200, answer.text
        bundle = answer.json()
        assert (bundle["type"], bundle["total"]) == ("searchset", count), search
        assert len(bundle.get("entry", [])) == count


async def test_a_referral_is_found_by_the_number_that_its_sender_gave(served: Edge):
    (identifier,) = (await served.get(f"/Task/{REFERRAL}")).json()["identifier"]
    token = f"{identifier['system']}|{identifier['value']}"
    for kind in ("Task", "ServiceRequest"):
        (found,) = await served.found(f"/{kind}?identifier={token}")
        assert found["id"] == str(REFERRAL)


async def test_pages_hold_everything_once_although_something_comes_between(served: Edge, database: str):
    whole = [each["id"] for each in await served.found("/Provenance")]
    assert len(whole) > 9
    seen: list[str] = []
    url: str | None = "/Provenance?_count=3"
    async with served.client() as client:
        while url:
            answer = await client.get(url)
            assert answer.json()["total"] >= len(whole)
            seen += [entry["resource"]["id"] for entry in answer.json()["entry"]]
            url = links(answer).get("next")
            await _add_later(database, number=len(seen))
    assert seen[: len(whole)] == whole
    assert len(seen) == len(set(seen))


async def _add_later(database: str, number: int) -> None:
    """A resource that is newer than all: it comes last, whatever page is being read."""
    if number > 9:
        return
    connection = await connect(database)
    await connection.execute(
        "insert into read_1.fhir_resource select type, $1::uuid, participant, version,"
        " (select max(last_updated) from read_1.fhir_resource) + interval '1 second', status, identifiers,"
        " sender, protection, seen_by, replaced_by, memo,"
        " replace(resource::text, id::text, $1::uuid::text)::json, k, seq"
        " from read_1.fhir_resource where type = 'Provenance' order by id limit 1",
        id_of(0x9000 + number),
    )
    await connection.close()


async def test_the_links_of_a_page_say_what_was_asked(served: Edge):
    answer = await served.get(f"/Provenance?patient={ROBIN}&_count=2")
    told = links(answer)
    assert told["self"] == f"{served.base}/Provenance?patient={ROBIN}&_count=2"
    asked = parse_qs(urlsplit(told["next"]).query)
    assert (asked["patient"], asked["_count"]) == ([str(ROBIN)], ["2"])
    for entry in answer.json()["entry"]:
        assert entry["fullUrl"] == f"{served.base}/Provenance/{entry['resource']['id']}"
        assert entry["search"] == {"mode": "match"}


async def test_only_the_number_of_what_there_is_can_be_asked(served: Edge):
    for search in ("/Provenance?_summary=count", "/Provenance?_count=0"):
        bundle = (await served.get(search)).json()
        assert bundle["total"] > 9
        assert "entry" not in bundle


async def test_an_unknown_parameter_is_refused_or_ignored_with_a_warning_if_wished(served: Edge):
    """Ignored it would show everybody: more people than were asked for, and each recorded as disclosed."""
    search = f"/Patient?favourite-colour=blue&_id={ROBIN}"
    for wish in ({}, {"Prefer": "handling=strict"}):
        refused = await served.get(search, **wish)
        assert (refused.status_code, refused.json()["issue"][0]["severity"]) == (400, "error")
    answer = await served.get(search, Prefer="return=minimal; handling=lenient")
    match, outcome = answer.json()["entry"]
    assert (match["resource"]["id"], outcome["search"]["mode"]) == (str(ROBIN), "outcome")
    (issue,) = outcome["resource"]["issue"]
    assert (issue["severity"], issue["expression"]) == ("warning", ["http.favourite-colour"])
    assert answer.json()["total"] == 1
    assert "colour" not in links(answer)["self"]


async def test_how_it_is_shown_may_be_asked_otherwise_than_it_can_be(served: Edge):
    """As clients ask by themselves: it finds the same."""
    answer = await served.get("/Patient?_totalMethod=count&_elements=id&_sort=name")
    assert answer.json()["total"] == len(await served.found("/Patient"))
    assert len(answer.json()["entry"][-1]["resource"]["issue"]) == 3


async def test_nobody_is_found_by_name_whom_the_source_may_not_see(served: Edge):
    for search in (
        "/Patient?family=perez",
        "/Patient?birthdate=1988-02-29",
        "/Patient?name:contains=e&gender=female",
    ):
        assert "Pérez" not in (await served.get(search, OTHER)).text


async def test_the_newest_first_and_its_pages(served: Edge):
    oldest = [each["id"] for each in await served.found("/Provenance")]
    newest = [each["id"] for each in await served.found("/Provenance?_sort=-_lastUpdated&_count=2")]
    assert newest == oldest[::-1]


async def test_a_search_by_post_keeps_names_out_of_every_address(served: Edge):
    form = {"family": "perez", "given:contains": "oe", "birthdate": "1988", "_count": "1"}
    answer = await served.post("/Patient/_search", form)
    assert answer.json()["total"] == 1
    assert not any(told in url for url in links(answer).values() for told in ("perez", "oe", "1988", "birth"))
    nobody = await served.post("/Patient/_search", {**form, "birthdate": "1989"})
    assert nobody.json()["total"] == 0
    unknown = await served.post("/Patient/_search", {"surname": "perez"})
    assert unknown.status_code == 400


async def test_a_search_by_post_keeps_identifiers_out_of_every_address(served: Edge):
    answer = await served.post("/Patient/_search", {"identifier": MRN})
    assert [entry["resource"]["id"] for entry in answer.json()["entry"]] == [str(ROBIN)]
    tasks = await served.post("/Provenance/_search", {"patient.identifier": "MRN-1", "_count": "2"})
    assert tasks.json()["total"] > 2
    for each in (answer, tasks):
        assert all("MRN" not in url.upper() for url in links(each).values())
    following = await served.get(links(tasks)["next"])
    assert (following.status_code, following.json()["total"]) == (200, tasks.json()["total"])
    nobody = await served.post("/Patient/_search", {"identifier": "MRN-unknown"})
    assert nobody.json()["total"] == 0


async def test_a_sender_that_asks_what_changed_sees_the_change(nats_url: str, database: str):
    done = robin().tell(
        ReferralOutcomeSent(referral=REFERRAL, outcome="Completed the program"),
        ReferralCompleted(referral=REFERRAL),
    )
    await project(database, done)
    async with edge(nats_url, database) as one:
        since = done.events[-2].recorded_at.isoformat().replace("+", "%2B")
        (task,) = await one.found(f"/Task?_lastUpdated=ge{since}", GENERAL)
        assert (task["id"], task["status"]) == (str(REFERRAL), "completed")
        assert task["output"][0]["valueString"] == "Completed the program"


async def test_no_identifier_that_was_asked_for_is_logged(served: Edge, caplog: pytest.LogCaptureFixture):
    with caplog.at_level("DEBUG", logger=""):
        await served.get("/Patient?identifier=MRN-SECRET&favourite=MRN-SECRET")
        await served.get("/Patient?_lastUpdated=MRN-SECRET")
        await served.get("/MRN-SECRET/1")
    ours = [record for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    assert all("SECRET" not in record.getMessage() for record in ours)
