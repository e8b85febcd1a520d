"""Consents as a hospital would send them, written for these tests."""

from typing import Any

from shared.fhir import RECIPIENT_CLASS, RECIPIENT_SOURCE, RESOURCE_TYPES
from tests.unit.gateway.fhir_write.resources import MRN, Resource

ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"


def actor(name: str, system: str = RECIPIENT_SOURCE, role: str = "IRCP") -> Resource:
    return {
        "role": {"coding": [{"system": PARTICIPATION, "code": role}]},
        "reference": {"type": "Organization", "identifier": {"system": system, "value": name}},
    }


def permit(*actors: Resource, **more: Any) -> Resource:  # noqa: ANN401
    return {"type": "permit", "actor": list(actors or (actor("general"),)), **more}


def consent(status: str = "active", number: str | None = "C-1", **more: Any) -> Resource:  # noqa: ANN401
    told: Resource = {
        "resourceType": "Consent",
        "status": status,
        "scope": {"coding": [{"code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"identifier": {"system": MRN, "value": "100200"}},
        "dateTime": "2026-11-20T10:00:00-05:00",
        "policyRule": {"coding": [{"system": ACT_CODE, "code": "42CFRPart2"}]},
        "provision": permit(),
        **more,
    }
    if number:
        told["identifier"] = [{"system": "urn:throughcare:assigner:GENERALHOSPITAL-FORMS", "value": number}]
    return told


def whole() -> Resource:
    """One that says all that is taken."""
    return consent(
        provision=permit(
            actor("general"),
            actor("treating-provider", RECIPIENT_CLASS, "PRCP"),
            actor("the-lawyer", role="CST"),
            period={"start": "2026-11-20", "end": "2027-11-20"},
            purpose=[{"system": REASON, "code": "TREAT"}, {"system": REASON, "code": "HPAYMT"}],
            securityLabel=[{"system": ACT_CODE, "code": "SUD"}],
            **{"class": [{"system": RESOURCE_TYPES, "code": "CarePlan"}]},
        )
    )
