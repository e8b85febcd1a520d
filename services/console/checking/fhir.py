"""The messages of a check as FHIR R4 requests; an appointment has no way in by FHIR."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import Struct

from services.console.checking.case import ANSWERS, BORN, DIAGNOSIS, GIVEN, PROGRAM, Case
from services.console.checking.steps import Name, system
from shared.fhir import code_system
from shared.loinc import INSTRUMENTS

_Object = dict[str, Any]
_ALERTS: Final = "http://hl7.org/fhir/us/davinci-alerts/CodeSystem/notification-event"
_TRIGGERS: Final = "http://terminology.hl7.org/CodeSystem/v2-0003"
_IDENTIFIER_TYPE: Final = "http://terminology.hl7.org/CodeSystem/v2-0203"
_ACT: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_PANEL: Final = INSTRUMENTS["PHQ-9"]
_REASON: Final = {"text": "A check of the connection"}


class Request(Struct, frozen=True):
    """What is posted; `path` is below the FHIR base, empty for the base itself."""

    path: str
    body: _Object


def request(case: Case, name: Name) -> Request | None:
    """Return the request of a step; None where FHIR has no way in for it."""
    write = _REQUESTS.get(name)
    return write(case) if write else None


def _referral(case: Case) -> Request:
    entries = [_entry(_patient(case), "POST"), _entry(_service_request(case, "routine"), "POST")]
    return Request("", {"resourceType": "Bundle", "type": "transaction", "entry": entries})


def _amendment(case: Case) -> Request:
    return _message(case, _TRIGGERS, "I13", _service_request(case, "asap"))


def _cancelled_referral(case: Case) -> Request:
    focus = {"identifier": {"system": system(case), "value": case.placer}}
    told = {"status": "cancelled", "statusReason": _REASON, "intent": "order", "focus": focus}
    return Request("Task", {"resourceType": "Task", **told})


def _stay(event: str, status: str) -> Callable[[Case], Request]:
    return lambda case: _message(case, _ALERTS, event, _encounter(case, status))


def _result(case: Case) -> Request:
    answers = zip(_PANEL.questions.values(), ANSWERS, strict=True)
    items = [{"linkId": f"/{code}", "answer": [{"valueInteger": value}]} for code, value in answers]
    told = {
        "resourceType": "QuestionnaireResponse",
        "contained": [_patient(case)],
        "questionnaire": f"http://loinc.org/q/{_PANEL.panel}",
        "status": "completed",
        "subject": {"reference": "#p"},
        "authored": case.now.isoformat(),
        "item": items,
    }
    return Request("QuestionnaireResponse", told)


def _message(case: Case, codes: str, event: str, about: _Object) -> Request:
    header = {
        "resourceType": "MessageHeader",
        "id": "h",
        "eventCoding": {"system": codes, "code": event},
        "source": {"name": case.facility, "endpoint": f"urn:throughcare:check:{case.run.lower()}"},
        "focus": [{"reference": f"{about['resourceType']}/{about['id']}"}],
    }
    return Request(
        "$process-message",
        {
            "resourceType": "Bundle",
            "type": "message",
            "timestamp": case.now.isoformat(),
            "entry": [_entry(header), _entry(about), _entry(_patient(case))],
        },
    )


def _entry(resource: _Object, method: str | None = None) -> _Object:
    kind = resource["resourceType"]
    address = {"fullUrl": f"https://hospital.example/fhir/{kind}/{resource['id']}", "resource": resource}
    return {**address, "request": {"method": method, "url": kind}} if method else address


def _patient(case: Case) -> _Object:
    return {
        "resourceType": "Patient",
        "id": "p",
        "identifier": [{"system": system(case), "value": case.number}],
        "name": [{"family": case.family, "given": [GIVEN]}],
        "gender": "female",
        "birthDate": BORN.isoformat(),
    }


def _service_request(case: Case, priority: str) -> _Object:
    return {
        "resourceType": "ServiceRequest",
        "id": "s",
        "identifier": [
            {
                "type": {"coding": [{"system": _IDENTIFIER_TYPE, "code": "PLAC"}]},
                "system": system(case),
                "value": case.placer,
            }
        ],
        "status": "active",
        "intent": "order",
        "priority": priority,
        "code": {"coding": [{"code": PROGRAM[0], "display": PROGRAM[1]}]},
        "subject": {"reference": "Patient/p"},
        "authoredOn": case.now.isoformat(),
        "requester": {"display": "Robin Example"},
        "reasonCode": [_diagnosis()],
    }


def _encounter(case: Case, status: str) -> _Object:
    over = {"end": case.now.isoformat()} if status == "finished" else {}
    return {
        "resourceType": "Encounter",
        "id": "e",
        "identifier": [{"system": system(case), "value": case.visit}],
        "status": status,
        "class": {"system": _ACT, "code": "IMP"},
        "subject": {"reference": "Patient/p"},
        "period": {"start": case.admitted.isoformat(), **over},
        "reasonCode": [_diagnosis()],
        "serviceProvider": {"display": case.facility},
    }


def _diagnosis() -> _Object:
    code, display = DIAGNOSIS
    return {"coding": [{"system": code_system("icd-10-cm"), "code": code, "display": display}]}


_REQUESTS: Final[Mapping[Name, Callable[[Case], Request]]] = {
    "referral": _referral,
    "amendment": _amendment,
    "admission": _stay("notification-admit", "in-progress"),
    "discharge": _stay("notification-discharge", "finished"),
    "discharge reversed": _stay("notification-discharge", "entered-in-error"),
    "result": _result,
    "admission cancelled": _stay("notification-admit", "cancelled"),
    "referral cancelled": _cancelled_referral,
}
