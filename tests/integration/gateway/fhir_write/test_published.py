"""Resources that other people published, read where they lie: CONFORMANCE_DIR, else ../shared/conformance."""

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shared.events.inbound import Admission, AssessmentReport, Discharge, Referral, ResultReport
from tests.integration.gateway.fhir_write.conftest import Edge, outcome_of

_REPOSITORY = Path(__file__).resolve().parents[4]
FOLDER = Path(os.environ.get("CONFORMANCE_DIR") or _REPOSITORY.parent / "shared" / "conformance") / "fhir"
PATIENT = "uscore-patient-example.json"
PHQ9 = {"1": 2, "2": 2, "3": 2, "4": 2, "5": 1, "6": 1, "7": 2, "8": 0, "9": 0}

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"There is no conformance material in {FOLDER}; set CONFORMANCE_DIR."
)


def resource(name: str) -> dict[str, Any]:
    return msgspec.json.decode((FOLDER / name).read_bytes())


def transaction(*names: str) -> dict[str, Any]:
    """The resources as their server would send them together: with the Patient that they refer to."""
    entries = [
        {
            "fullUrl": f"http://hl7.org/fhir/us/core/{each['resourceType']}/{each['id']}",
            "resource": each,
            "request": {"method": "POST", "url": each["resourceType"]},
        }
        for each in map(resource, (*names, PATIENT))
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


async def test_an_admission_alert_of_davinci(edge: Edge):
    name = "davinci-admit-notification-message-bundle-01.json"
    answer = await edge.post("/fhir/$process-message", resource(name))
    assert answer.status_code == 200, answer.text
    [envelope] = await edge.stored()
    told = envelope.data
    assert isinstance(told, Admission)
    assert told.visit.visit_number == "Elden718Halvorson12420181021T2122150700"
    assert told.visit.encounter_class == "EMER"
    assert told.visit.facility == "HOLY FAMILY HOSPITAL"
    assert told.visit.discharged is None
    assert {each.type for each in told.person.identifiers} == {"MR", "SS", "DL"}
    assert told.original.trigger == "notification-admit"


async def test_a_discharge_alert_of_davinci(edge: Edge):
    name = "davinci-discharge-notification-message-bundle-01.json"
    answer = await edge.post("/fhir/$process-message", resource(name))
    assert answer.status_code == 200, answer.text
    [envelope] = await edge.stored()
    told = envelope.data
    assert isinstance(told, Discharge)
    assert told.occurred == "2018-10-23T22:22:15-07:00"
    assert told.visit.disposition == "1"
    assert told.visit.diagnoses


async def test_the_phq_9_of_us_core(edge: Edge):
    told = transaction("uscore-QuestionnaireResponse-phq-9-example.json")
    assert (await edge.post("/fhir", told)).status_code == 200
    [envelope] = await edge.stored()
    assert isinstance(envelope.data, AssessmentReport)
    assert (envelope.data.items, envelope.data.total, envelope.data.difficulty) == (PHQ9, 12, 1)


async def test_observations_that_repeat_a_response_beside_them_are_one_assessment(edge: Edge):
    told = transaction(
        "uscore-QuestionnaireResponse-phq-9-example.json",
        "uscore-Observation-PHQ9-panel-example-44249-1.json",
        "uscore-Observation-PHQ9-item-example-44260-8.json",
        "uscore-Observation-PHQ9-item-example-44261-6.json",
    )
    assert (await edge.post("/fhir", told)).status_code == 200
    [envelope] = await edge.stored()
    assert isinstance(envelope.data, AssessmentReport)
    assert envelope.data.items == PHQ9


async def test_panel_item_and_total_of_one_sitting_are_one_assessment(edge: Edge):
    told = transaction(
        "uscore-Observation-PHQ9-panel-example-44249-1.json",
        "uscore-Observation-PHQ9-item-example-44260-8.json",
        "uscore-Observation-PHQ9-item-example-44261-6.json",
    )
    assert (await edge.post("/fhir", told)).status_code == 200
    [envelope] = await edge.stored()
    assert isinstance(envelope.data, AssessmentReport)
    assert (envelope.data.items, envelope.data.total) == ({"9": 0}, 12)


@pytest.mark.parametrize(
    "name",
    [
        "uscore-Observation-PHQ9-panel-example-44249-1.json",
        "uscore-Observation-PHQ9-item-example-44261-6.json",
        "uscore-QuestionnaireResponse-AUDIT-C.json",
    ],
)
async def test_what_has_no_answer_to_an_instrument_of_ours_is_kept_and_nothing_follows(edge: Edge, name: str):
    assert (await edge.post("/fhir", transaction(name))).status_code == 200
    [envelope] = await edge.stored()
    assert isinstance(envelope.data, ResultReport)
    assert envelope.data.original.warnings


async def test_a_referral_for_something_else_is_still_received(edge: Edge):
    told = transaction("uscore-servicerequest-foodpantry-referral.json")
    assert (await edge.post("/fhir", told)).status_code == 200
    [envelope] = await edge.stored()
    assert isinstance(envelope.data, Referral)
    assert envelope.data.service_requested is not None
    assert envelope.data.service_requested.system == "snomed"
    assert envelope.data.person.demographics.family == "Baxter"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("uscore-QuestionnaireResponse-phq-9-example.json", "QuestionnaireResponse"),
        ("uscore-Observation-PHQ9-item-example-44260-8.json", "Observation"),
        ("uscore-servicerequest-foodpantry-referral.json", "ServiceRequest"),
    ],
)
async def test_alone_they_are_about_nobody_that_is_known(edge: Edge, name: str, kind: str):
    answer = await edge.post(f"/fhir/{kind}", resource(name))
    assert answer.status_code == 422
    assert outcome_of(answer)["expression"] == [f"{kind}.subject"]
    assert await edge.count() == 0
