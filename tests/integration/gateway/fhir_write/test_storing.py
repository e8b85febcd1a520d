"""What is answered is durable, and is found in INBOUND as a sender would expect it."""

import msgspec
import pytest

from shared.events.base import Identifier
from shared.events.inbound import (
    Admission,
    AssessmentReport,
    Cancellation,
    Discharge,
    Information,
    Referral,
    ResultReport,
)
from shared.identifiers import assessment_id, referral_id
from tests.integration.gateway.fhir_write.conftest import SECRET, Edge, outcome_of
from tests.unit.gateway.fhir_write.resources import (
    PLACER_SYSTEM,
    Resource,
    alert,
    bundle,
    contained_referral,
    entry,
    observation,
    patient,
    phq9,
    referral_transaction,
    service_request,
    task,
)

PLACER = Identifier("GENERALHOSPITAL-ORDERS", "R-1", "PLAC")


async def test_a_service_request_is_stored_as_a_referral_and_answered_with_where_it_will_be(edge: Edge):
    answer = await edge.post("/fhir/ServiceRequest", contained_referral())
    id_ = referral_id(PLACER, SECRET)
    assert answer.status_code == 201
    assert answer.headers["location"].endswith(f"/fhir/ServiceRequest/{id_}")
    assert answer.headers["etag"] == 'W/"1"'
    assert answer.json()["id"] == str(id_)
    [envelope] = await edge.stored()
    told = envelope.data
    assert isinstance(told, Referral)
    assert told.source == "general"
    assert told.placer == PLACER
    assert told.priority == "urgent"
    assert told.person.identifiers == (Identifier("GENERALHOSPITAL", "100200"),)
    assert told.person.demographics.family == "Sample"
    assert (told.original.format, told.original.trigger) == ("fhir-r4", "fhir:ServiceRequest")
    assert told.original.control_id == "R-1"


async def test_the_same_resource_again_is_stored_once_and_answered_alike(edge: Edge):
    first, second = [await edge.post("/fhir/ServiceRequest", contained_referral()) for _ in range(2)]
    assert first.headers["location"] == second.headers["location"]
    assert await edge.count() == 1


async def test_another_resource_with_the_same_number_is_the_same_referral(edge: Edge):
    first = await edge.post("/fhir/ServiceRequest", contained_referral())
    second = await edge.post("/fhir/ServiceRequest", contained_referral(priority="stat"))
    assert first.headers["location"] == second.headers["location"]


async def test_a_transaction_is_stored_together(edge: Edge):
    answer = await edge.post("/fhir", referral_transaction())
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["type"] == "transaction-response"
    statuses = [each["response"]["status"] for each in told["entry"]]
    assert statuses == ["202 Accepted", "201 Created", "202 Accepted", "201 Created", "201 Created"]
    referral, report = await edge.stored()
    assert isinstance(referral.data, Referral)
    assert referral.data.insurance[0].payer == "Sample Health"
    assert isinstance(report.data, AssessmentReport)
    assert told["entry"][4]["response"]["location"].endswith(f"/{assessment_id(report.id)}")


async def test_a_transaction_with_one_bad_entry_stores_nothing(edge: Edge):
    bad = bundle(
        "transaction",
        entry(patient()),
        entry(service_request()),
        entry(phq9([0] * 9, subject="Patient/unknown")),
    )
    answer = await edge.post("/fhir", bad)
    assert answer.status_code == 422
    assert outcome_of(answer)["expression"] == ["Bundle.entry[2].resource.subject"]
    assert await edge.count() == 0


async def test_a_transaction_sent_twice_is_stored_once(edge: Edge):
    for _ in range(2):
        answer = await edge.post("/fhir", referral_transaction())
        assert answer.status_code == 200
    assert await edge.count() == 2


async def test_a_batch_answers_each_entry_by_itself(edge: Edge):
    batch = bundle(
        "batch",
        entry(contained_referral("R-1")),
        entry({"resourceType": "ServiceRequest", "status": "active", "intent": "order"}),
        entry({"resourceType": "Medication"}),
    )
    answer = await edge.post("/fhir", batch)
    statuses = [each["response"]["status"] for each in answer.json()["entry"]]
    assert statuses == ["201 Created", "400", "422"]
    issue = answer.json()["entry"][1]["response"]["outcome"]["issue"][0]
    assert issue["expression"] == ["Bundle.entry[1].resource.subject"]
    assert await edge.count() == 1


async def test_an_alert_of_a_discharge_is_answered_by_a_message(edge: Edge):
    answer = await edge.post("/fhir/$process-message", alert())
    assert answer.status_code == 200, answer.text
    header = answer.json()["entry"][0]["resource"]
    assert header["response"] == {"identifier": "h1", "code": "ok"}
    [envelope] = await edge.stored()
    told = envelope.data
    assert isinstance(told, Discharge)
    assert (told.visit.visit_number, told.visit.disposition) == ("V-1", "01")
    assert told.visit.facility == "General Hospital"
    assert told.visit.diagnoses[0].code == "F33.1"
    assert told.occurred == "2026-11-20T12:00:00-05:00"


async def test_an_admission_that_is_under_way_has_no_discharge(edge: Edge):
    await edge.post("/fhir/$process-message", alert("notification-admit", status="in-progress"))
    [envelope] = await edge.stored()
    assert isinstance(envelope.data, Admission)
    assert envelope.data.visit.discharged is None


async def test_a_message_that_cannot_be_taken_is_answered_by_a_message_that_says_so(edge: Edge):
    answer = await edge.post("/fhir/$process-message", alert("notification-birth"))
    assert answer.status_code == 422
    header, details = (each["resource"] for each in answer.json()["entry"])
    assert header["response"]["code"] == "fatal-error"
    assert details["issue"][0]["severity"] == "error"
    assert await edge.count() == 0


async def test_a_cancelled_task_asks_to_cancel_the_referral_that_it_names(edge: Edge):
    told = task(
        "cancelled",
        focus={"identifier": {"system": PLACER_SYSTEM, "value": "R-1"}},
        statusReason={"text": "Admitted again"},
    )
    answer = await edge.post("/fhir/Task", told)
    assert answer.status_code == 200, answer.text
    assert answer.headers["location"].endswith(f"/Task/{referral_id(PLACER, SECRET)}")
    [envelope] = await edge.stored()
    assert isinstance(envelope.data, Cancellation)
    assert (envelope.data.placer, envelope.data.reason) == (PLACER, "Admitted again")


async def test_an_input_of_a_task_is_information(edge: Edge):
    focus = {"identifier": {"system": PLACER_SYSTEM, "value": "R-1"}}
    told = task(
        focus=focus,
        input=[{"type": {"text": "Insurance card"}, "valueString": "M-1"}],
        note=[{"text": "Hello"}],
    )
    assert (await edge.post("/fhir/Task", told)).status_code == 200
    [envelope] = await edge.stored()
    assert isinstance(envelope.data, Information)
    assert envelope.data.what == "Insurance card: M-1\nHello"


async def test_one_question_alone_is_an_incomplete_assessment_and_a_total_alone_is_none(edge: Edge):
    item = observation("44260-8", "#p1", contained=[patient()], valueInteger=2)
    total = observation("44261-6", "#p1", contained=[patient()], valueInteger=12)
    assert (await edge.post("/fhir/Observation", item)).status_code == 201
    answer = await edge.post("/fhir/Observation", total)
    assert answer.status_code == 202
    first, second = [envelope.data for envelope in await edge.stored()]
    assert isinstance(first, AssessmentReport)
    assert first.items == {"9": 2}
    assert isinstance(second, ResultReport)
    assert second.original.warnings


async def test_an_answer_that_cannot_be_read_is_refused(edge: Edge):
    item = observation("44260-8", "#p1", contained=[patient()], valueString="often")
    answer = await edge.post("/fhir/Observation", item)
    assert answer.status_code == 422
    assert outcome_of(answer)["expression"] == ["Observation.value"]
    assert "often" not in answer.text


async def test_nothing_is_taken_without_a_token(edge: Edge):
    answer = await edge.post("/fhir/ServiceRequest", contained_referral(), Authorization="Bearer nobody's")
    assert answer.status_code == 401
    assert await edge.count() == 0


async def test_when_the_log_is_away_the_sender_is_told_to_send_again(edge: Edge):
    await edge.nats.close()
    answer = await edge.post("/fhir/ServiceRequest", contained_referral())
    assert answer.status_code == 503
    assert outcome_of(answer)["code"] == "transient"
    assert answer.headers["retry-after"]


async def test_a_modifier_extension_anywhere_is_refused_by_name(edge: Edge):
    told = contained_referral()
    told["contained"][0]["modifierExtension"] = [{"url": "http://x.example/not"}]
    answer = await edge.post("/fhir/ServiceRequest", told)
    assert answer.status_code == 422
    assert outcome_of(answer)["expression"] == ["ServiceRequest.contained[0].modifierExtension"]


async def test_what_is_nested_too_deeply_is_refused(edge: Edge):
    body = b'{"resourceType":"ServiceRequest","x":' + b"[" * 5_000 + b"]" * 5_000 + b"}"
    answer = await edge.client.post(
        "/fhir/ServiceRequest", content=body, headers={"Content-Type": "application/fhir+json"}
    )
    assert answer.status_code == 400
    assert outcome_of(answer)["code"] == "too-costly"


async def test_prefer_minimal_and_operation_outcome(edge: Edge):
    minimal = await edge.post("/fhir/ServiceRequest", contained_referral("A"), Prefer="return=minimal")
    assert (minimal.status_code, minimal.content) == (201, b"")
    told = await edge.post("/fhir/ServiceRequest", contained_referral("B"), Prefer="return=OperationOutcome")
    assert outcome_of(told)["severity"] == "information"


async def test_a_subscription_is_kept_until_it_is_deleted(edge: Edge):
    told = {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "to know",
        "criteria": "Task?",
        "channel": {"type": "rest-hook", "endpoint": "https://hospital.example/hook"},
    }
    made = await edge.post("/fhir/Subscription", told)
    assert made.status_code == 201
    address = made.headers["location"]
    read = await edge.client.get(address)
    assert read.json() == made.json()
    assert (read.json()["status"], read.headers["etag"]) == ("requested", made.headers["etag"])
    assert read.headers["etag"] == f'W/"{read.json()["meta"]["versionId"]}"'
    known = {"If-None-Match": read.headers["etag"]}
    assert (await edge.client.get(address, headers=known)).status_code == 304
    await edge.post("/fhir/Subscription", told)
    again = await edge.client.get(address, headers=known)
    assert (again.status_code, again.headers["etag"] != read.headers["etag"]) == (200, True)
    assert (await edge.client.get("/fhir/Subscription")).json()["total"] == 1
    other = {"Authorization": "Bearer token-of-other"}
    assert (await edge.client.get(address, headers=other)).status_code == 404
    assert (await edge.client.delete(address)).status_code == 204
    assert (await edge.client.get(address)).status_code == 404
    assert (await edge.client.get("/fhir/Subscription")).json()["total"] == 0


async def test_subscriptions_are_searched_as_other_resources_are(edge: Edge):
    def told(number: int) -> Resource:
        channel = {"type": "rest-hook", "endpoint": f"https://hospital.example/hook/{number}"}
        head = {"resourceType": "Subscription", "status": "requested", "reason": "to know"}
        return {**head, "criteria": "Task", "channel": channel}

    ids = [(await edge.post("/fhir/Subscription", told(number))).json()["id"] for number in range(3)]
    for search, found in {
        f"_id={ids[1]}": [ids[1]],
        "status=requested": ids,
        "status=off,error": [],
        "_sort=-_lastUpdated": ids[::-1],
    }.items():
        answer = (await edge.client.get(f"/fhir/Subscription?{search}")).json()
        assert (answer["total"], [each["resource"]["id"] for each in answer.get("entry", [])]) == (
            len(found),
            found,
        )
    pages: list[str] = []
    address: str | None = "/fhir/Subscription?_count=2"
    while address:
        page = (await edge.client.get(address)).json()
        pages += [each["resource"]["id"] for each in page["entry"]]
        address = next((link["url"] for link in page["link"] if link["relation"] == "next"), None)
    assert pages == ids
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    posted = await edge.client.post("/fhir/Subscription/_search", content=f"_id={ids[2]}", headers=form)
    assert posted.json()["total"] == 1
    assert (await edge.client.get("/fhir/Subscription?criteria=Task")).status_code == 400


async def test_a_subscription_that_could_not_be_delivered_is_refused(edge: Edge):
    told = {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "to know",
        "criteria": "Task?",
        "channel": {"type": "rest-hook", "endpoint": "http://hospital.example/hook"},
    }
    answer = await edge.post("/fhir/Subscription", told)
    assert answer.status_code == 422
    assert outcome_of(answer)["expression"] == ["Subscription.channel.endpoint"]


@pytest.mark.parametrize(
    "criteria",
    [
        "Patient",
        "Task?patient=Patient/1",
        "Task?status:not=completed",
        "Task?status=canceled",
        "Task?business-status=nonsense",
        "Task?_id=1",
        "ServiceRequest?status=active",
    ],
)
async def test_criteria_that_would_not_hold_are_refused(edge: Edge, criteria: str):
    channel = {"type": "rest-hook", "endpoint": "https://hospital.example/hook", "payload": None}
    told = {"resourceType": "Subscription", "status": "requested", "reason": "to know", "channel": channel}
    answer = await edge.post("/fhir/Subscription", {**told, "criteria": criteria})
    assert answer.status_code == 422
    assert outcome_of(answer)["expression"] == ["Subscription.criteria"]
    system = "http://hl7.org/fhir/task-status"
    taken = await edge.post("/fhir/Subscription", {**told, "criteria": f"Task?status={system}|cancelled"})
    assert taken.status_code == 201
    assert "payload" not in taken.json()["channel"]


async def test_the_text_is_kept_as_it_came(edge: Edge):
    told = contained_referral()
    await edge.post("/fhir/ServiceRequest", told)
    [envelope] = await edge.stored()
    assert msgspec.json.decode(envelope.data.original.text) == told
