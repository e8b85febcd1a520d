"""A body for each address that takes one: it is stored as it stands. Nobody in it exists."""

from collections.abc import Mapping
from typing import Any, Final

from shared.fhir import RECIPIENT_SOURCE

_Resource = Mapping[str, Any]

_ORDERS: Final = "urn:oid:2.999.1.1"
_RECORDS: Final = "urn:oid:2.999.1.2"
_LOINC: Final = "http://loinc.org"
_PERSON: Final[_Resource] = {
    "resourceType": "Patient",
    "id": "p",
    "identifier": [{"system": _RECORDS, "value": "40071"}],
    "name": [{"family": "Example", "given": ["Noor"]}],
    "gender": "female",
    "birthDate": "1991-04-12",
    "telecom": [{"system": "phone", "value": "+1 555 555 0100"}],
}
_ABOUT: Final = {"contained": [_PERSON], "subject": {"reference": "#p"}}
_REFERRAL: Final[_Resource] = {
    "resourceType": "ServiceRequest",
    "identifier": [{"system": _ORDERS, "value": "R-5501"}],
    "status": "active",
    "intent": "order",
    "priority": "urgent",
    "code": {"text": "Intensive outpatient program"},
    "authoredOn": "2026-11-20T10:00:00-05:00",
    "requester": {"display": "Dr Miriam Example"},
    "reasonCode": [{"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "F33.1"}]}],
}
_STAY: Final[_Resource] = {
    "resourceType": "Encounter",
    "id": "e",
    "identifier": [{"system": "urn:oid:2.999.1.3", "value": "V-778"}],
    "status": "finished",
    "class": {"code": "IMP"},
    "subject": {"reference": "Patient/p"},
    "period": {"start": "2026-11-10T08:00:00-05:00", "end": "2026-11-20T12:00:00-05:00"},
}
_ALERT: Final[_Resource] = {
    "resourceType": "MessageHeader",
    "id": "h",
    "eventCoding": {
        "system": "http://hl7.org/fhir/us/davinci-alerts/CodeSystem/notification-event",
        "code": "notification-discharge",
    },
    "source": {"endpoint": "https://hospital.example/fhir"},
    "focus": [{"reference": "Encounter/e"}],
}


def _entry(resource: _Resource, **request: str) -> _Resource:
    address = f"https://hospital.example/fhir/{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": address, "resource": resource, **({"request": request} if request else {})}


MESSAGE: Final[_Resource] = {
    "resourceType": "Bundle",
    "type": "message",
    "timestamp": "2026-11-20T12:05:00-05:00",
    "entry": [_entry(_ALERT), _entry(_STAY), _entry(_PERSON)],
}
TRANSACTION: Final[_Resource] = {
    "resourceType": "Bundle",
    "type": "transaction",
    "entry": [
        _entry(_PERSON, method="POST", url="Patient"),
        _entry(
            {**_REFERRAL, "id": "s", "subject": {"reference": "Patient/p"}},
            method="POST",
            url="ServiceRequest",
        ),
    ],
}
OF_KIND: Final[Mapping[str, _Resource]] = {
    "ServiceRequest": {**_REFERRAL, **_ABOUT},
    "Task": {
        "resourceType": "Task",
        "status": "cancelled",
        "statusReason": {"text": "Admitted again"},
        "intent": "order",
        "focus": {"identifier": {"system": _ORDERS, "value": "R-5501"}},
    },
    "QuestionnaireResponse": {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "authored": "2026-11-20T09:00:00-05:00",
        "item": [{"linkId": "/44250-9", "answer": [{"valueInteger": 2}]}],
        **_ABOUT,
    },
    "Observation": {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": _LOINC, "code": "44260-8"}]},
        "effectiveDateTime": "2026-11-20T09:00:00-05:00",
        "valueInteger": 1,
        **_ABOUT,
    },
    "Consent": {
        "resourceType": "Consent",
        "identifier": [{"system": "urn:oid:2.999.1.4", "value": "FORM-1"}],
        "status": "active",
        "scope": {"coding": [{"code": "patient-privacy"}]},
        "contained": [_PERSON],
        "patient": {"reference": "#p"},
        "dateTime": "2026-11-20T09:00:00-05:00",
        "provision": {
            "type": "permit",
            "actor": [
                {
                    "role": {"coding": [{"code": "IRCP"}]},
                    "reference": {"identifier": {"system": RECIPIENT_SOURCE, "value": "hospital"}},
                }
            ],
        },
    },
    "Subscription": {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "To know what becomes of our referrals",
        "criteria": "Task",
        "channel": {
            "type": "rest-hook",
            "endpoint": "https://hospital.example/told",
            "payload": "application/fhir+json",
        },
    },
}
