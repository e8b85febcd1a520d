"""FHIR resources as a hospital would send them, written for these tests."""

from typing import Any

Resource = dict[str, Any]

MRN = "urn:throughcare:assigner:GENERALHOSPITAL"
PLACER_SYSTEM = "urn:throughcare:assigner:GENERALHOSPITAL-ORDERS"
LOINC = "http://loinc.org"


def patient(number: str = "100200", **more: Any) -> Resource:  # noqa: ANN401
    return {
        "resourceType": "Patient",
        "id": "p1",
        "identifier": [{"system": MRN, "value": number}],
        "name": [
            {"use": "old", "family": "Former", "given": ["Ada"]},
            {"use": "official", "family": "Sample", "given": ["Ada", "Maria"]},
        ],
        "gender": "female",
        "birthDate": "1990-02-03",
        "telecom": [
            {"system": "email", "value": "ada@example.org"},
            {"system": "phone", "value": "(555) 555-0100"},
        ],
        "address": [{"line": ["1 Main St"], "city": "Springfield", "state": "MA", "postalCode": "01101"}],
        "communication": [{"language": {"coding": [{"code": "es"}]}, "preferred": True}],
        **more,
    }


def service_request(placer: str = "R-1", subject: str = "Patient/p1", **more: Any) -> Resource:  # noqa: ANN401
    return {
        "resourceType": "ServiceRequest",
        "id": "s1",
        "identifier": [{"system": PLACER_SYSTEM, "value": placer}],
        "status": "active",
        "intent": "order",
        "priority": "urgent",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "385786002", "display": "IOP"}]},
        "subject": {"reference": subject},
        "authoredOn": "2026-11-20T10:00:00-05:00",
        "requester": {"display": "Robin Example"},
        "reasonCode": [
            {
                "coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "F33.1"}],
                "text": "Depression",
            }
        ],
        **more,
    }


def contained_referral(placer: str = "R-1", number: str = "100200", **more: Any) -> Resource:  # noqa: ANN401
    """A ServiceRequest with its Patient inside."""
    return service_request(placer, "#p1", contained=[patient(number)], **more)


def entry(resource: Resource, method: str = "POST", url: str | None = None, **request: Any) -> Resource:  # noqa: ANN401
    return {
        "fullUrl": f"http://hospital.example/fhir/{resource['resourceType']}/{resource.get('id', 'x')}",
        "resource": resource,
        "request": {"method": method, "url": url or resource["resourceType"], **request},
    }


def bundle(kind: str, *entries: Resource, **more: Any) -> Resource:  # noqa: ANN401
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries), **more}


def referral_transaction(placer: str = "R-1", number: str = "100200") -> Resource:
    return bundle(
        "transaction",
        entry(patient(number)),
        entry(service_request(placer, insurance=[{"reference": "Coverage/c1"}])),
        entry(
            {
                "resourceType": "Coverage",
                "id": "c1",
                "status": "active",
                "beneficiary": {"reference": "Patient/p1"},
                "payor": [{"display": "Sample Health"}],
                "subscriberId": "M-1",
            }
        ),
        entry(task(focus={"reference": "ServiceRequest/s1"})),
        entry(phq9([1, 1, 1, 1, 1, 1, 1, 1, 0])),
    )


def task(status: str = "requested", **more: Any) -> Resource:  # noqa: ANN401
    return {
        "resourceType": "Task",
        "id": "t1",
        "status": status,
        "intent": "order",
        "for": {"reference": "Patient/p1"},
        **more,
    }


PHQ9_ITEMS = (
    "44250-9",
    "44255-8",
    "44259-0",
    "44254-1",
    "44251-7",
    "44258-2",
    "44252-5",
    "44253-3",
    "44260-8",
)
HOW_OFTEN = ("LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9")


def phq9(answers: list[int], subject: str = "Patient/p1", **more: Any) -> Resource:  # noqa: ANN401
    return {
        "resourceType": "QuestionnaireResponse",
        "id": "q1",
        "status": "completed",
        "questionnaire": "http://hospital.example/fhir/Questionnaire/phq-9",
        "subject": {"reference": subject},
        "authored": "2026-11-20T09:00:00-05:00",
        "item": [
            {"linkId": f"/{code}", "answer": [{"valueCoding": {"system": LOINC, "code": HOW_OFTEN[answer]}}]}
            for code, answer in zip(PHQ9_ITEMS, answers, strict=True)
        ],
        **more,
    }


def observation(code: str, subject: str = "Patient/p1", **more: Any) -> Resource:  # noqa: ANN401
    return {
        "resourceType": "Observation",
        "id": f"o-{code}",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"reference": subject},
        "effectiveDateTime": "2026-11-20T09:00:00-05:00",
        **more,
    }


def alert(event: str = "notification-discharge", number: str = "100200", **encounter: Any) -> Resource:  # noqa: ANN401
    header = {
        "resourceType": "MessageHeader",
        "id": "h1",
        "eventCoding": {
            "system": "http://hl7.org/fhir/us/davinci-alerts/CodeSystem/notification-event",
            "code": event,
        },
        "source": {"endpoint": "http://hospital.example/out"},
        "focus": [{"reference": "Encounter/e1"}],
    }
    stay = {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "finished",
        "class": {"code": "IMP"},
        "identifier": [{"value": "V-1"}],
        "subject": {"reference": "Patient/p1"},
        "period": {"start": "2026-11-10T08:00:00-05:00", "end": "2026-11-20T12:00:00-05:00"},
        "serviceProvider": {"display": "General Hospital"},
        "hospitalization": {"dischargeDisposition": {"coding": [{"code": "01"}]}},
        **encounter,
    }
    condition = {
        "resourceType": "Condition",
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "F33.1"}]},
        "subject": {"reference": "Patient/p1"},
    }
    return message(header, stay, patient(number), condition)


def message(*resources: Resource, **more: Any) -> Resource:  # noqa: ANN401
    entries = [
        {
            "fullUrl": f"http://hospital.example/fhir/{each['resourceType']}/{each.get('id', 'x')}",
            "resource": each,
        }
        for each in resources
    ]
    return bundle("message", *entries, timestamp="2026-11-20T12:05:00-05:00", **more)
