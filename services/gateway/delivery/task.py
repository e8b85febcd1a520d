"""A status as the FHIR Task of its referral (http://hl7.org/fhir/R4/task.html)."""

from typing import Any

import msgspec

from services.gateway.delivery.owed import Owed
from services.gateway.fhir.disclosed import REDUCED, RESTRICTED
from shared import fhir
from shared.events.outbound import ReferralStatus

_WITH_REASON = frozenset({"rejected", "awaiting-information", "appointment-cancelled", "waitlisted"})


def task_of(owed: Owed, status: ReferralStatus) -> bytes:
    """Return the Task as it stood after the change; GET /fhir/Task/<id> has all of it, as it stands now."""
    request = {"reference": f"ServiceRequest/{status.referral}"}
    resource: dict[str, Any] = {
        "resourceType": "Task",
        "id": str(status.referral),
        "meta": {"lastUpdated": owed.recorded_at.isoformat(), **_labels(status)},
        "identifier": [
            {"system": fhir.identifier_system(status.placer.assigner), "value": status.placer.value}
        ],
        "basedOn": [request],
        "status": fhir.TASK_STATUS[status.status],
        "businessStatus": {
            "coding": [{"system": fhir.REFERRAL_STATUS_SYSTEM, "code": status.status}],
        },
        "intent": "order",
        "code": {"coding": [{"system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "fulfill"}]},
        "focus": request,
        "for": {"reference": f"Patient/{status.participant}"},
        "lastModified": status.at.isoformat(),
        **_said(status),
    }
    return msgspec.json.encode(resource)


def _labels(status: ReferralStatus) -> dict[str, Any]:
    """Say that words were left out, or that those which are there may not be passed on."""
    if status.withheld:
        return {"tag": [REDUCED]}
    return {"security": RESTRICTED} if status.notice else {}


def _said(status: ReferralStatus) -> dict[str, Any]:
    if not status.reason:
        return {}
    if status.status in _WITH_REASON:
        return {"statusReason": {"text": status.reason}}
    return {"note": [{"text": status.reason}]}
