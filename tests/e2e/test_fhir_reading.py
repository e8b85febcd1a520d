"""A hospital that sent HL7 v2 reads by FHIR what became of it, with a client library, from all services."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fhirpy import AsyncFHIRClient
from fhirpy.base.exceptions import OperationOutcome, ResourceNotFound

from services.console.commands.apply import apply_all
from services.console.demo import hl7
from services.console.demo.fleet import Fleet
from services.console.waiting import until
from services.gateway.mllp.client import send
from services.gateway.source import token
from tests.own_settings import own_settings

HOSPITAL = token(hl7.APPLICATION.lower(), hl7.FACILITY.lower())
TOKENS = {HOSPITAL: "hospital-token-0123456789", "another": "another-token-0123456789"}
NOW = datetime.now(UTC).replace(microsecond=0)
ROBIN = hl7.Patient(number="MRN-77", given="Robin", family="Reader", birth_date=date(1990, 4, 17), sex="F")
STAY = hl7.Stay(visit_number="V-77", admitted=NOW - timedelta(days=9), discharged=NOW - timedelta(days=2))
SYSTEM = f"urn:throughcare:assigner:{hl7.FACILITY}"
SECONDS = 30.0

Reader = Any
"""The library's client: its own types are not complete."""


@pytest.fixture
async def fleet(nats_url: str, database: str, servers_directory: Path) -> AsyncGenerator[Fleet]:
    settings = own_settings(
        nats_url,
        database,
        fhir_tokens=" ".join(f"{source}={told}" for source, told in TOKENS.items()),
    )
    await apply_all(settings)
    with Fleet(settings, servers_directory / "services") as running:
        yield running


def ports(fleet: Fleet) -> dict[str, int]:
    (told,) = (each.ports for each in fleet.reached() if each.service == "gateway")
    return told


def client(fleet: Fleet, source: str = HOSPITAL) -> Reader:
    base = f"http://127.0.0.1:{ports(fleet)['fhir']}/fhir"
    return AsyncFHIRClient(base, authorization=f"Bearer {TOKENS[source]}")


async def expect(condition: Callable[[], Awaitable[bool]]) -> None:
    assert await until(condition, SECONDS)


async def test_a_referrer_follows_its_referral_and_the_stay_it_told_of(fleet: Fleet):
    messages = [
        hl7.referral(ROBIN, control_id="1", placer="R-77", sent=NOW),
        hl7.admission(ROBIN, STAY, control_id="2"),
        hl7.discharge(ROBIN, STAY, control_id="3"),
    ]
    answers = [answer async for answer in send("127.0.0.1", ports(fleet)["mllp"], messages)]
    assert [answer.code for answer in answers] == ["AA", "AA", "AA"]
    reader = client(fleet)

    async def has_ended() -> bool:
        stays = reader.resources("Encounter").search(**{"patient.identifier": f"{SYSTEM}|MRN-77"})
        return [stay["status"] for stay in await stays.fetch_all()] == ["finished"]

    await expect(has_ended)
    patient = await reader.resources("Patient").search(identifier=f"{SYSTEM}|MRN-77").get()
    assert patient["name"][0] == {"family": "READER", "given": ["ROBIN"]} or patient["name"]
    task = await reader.resources("Task").search(identifier=f"{SYSTEM}|R-77", status="received").get()
    assert task["businessStatus"]["coding"][0]["code"] == "received"
    request = await reader.get("ServiceRequest", task["focus"]["reference"].split("/")[1])
    assert request["subject"]["reference"] == f"Patient/{patient['id']}"
    assert request["reasonCode"][0]["coding"][0]["system"] == "http://hl7.org/fhir/sid/icd-10-cm"
    await _expect_pages(reader, patient["id"])
    await _expect_nothing_for_another(client(fleet, "another"), patient["id"])


async def _expect_pages(reader: Reader, patient: str) -> None:
    """The library follows the next links by itself."""
    told = reader.resources("Provenance").search(patient=patient)
    whole: list[Any] = await told.fetch_all()
    paged: list[Any] = await told.limit(2).fetch_all()
    assert len(whole) > 2
    assert [each["id"] for each in paged] == [each["id"] for each in whole]
    assert await told.count() == len(whole)


async def _expect_nothing_for_another(other: Reader, patient: str) -> None:
    assert await other.resources("Task").fetch_all() == []
    with pytest.raises(ResourceNotFound):
        await other.get("Patient", patient)
    with pytest.raises(OperationOutcome, match="A date or a time"):
        await other.resources("Task").search(_lastUpdated="soon").fetch_all()
