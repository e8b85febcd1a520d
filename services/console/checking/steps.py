"""What a check sends, and where each message is to be seen; the last ones take back the first."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

from msgspec import Struct

from services.console.checking.case import Case
from shared import fhir

Name = Literal[
    "referral",
    "amendment",
    "admission",
    "discharge",
    "discharge reversed",
    "appointment",
    "result",
    "appointment cancelled",
    "admission cancelled",
    "referral cancelled",
]
Resource = Mapping[str, Any]


class Sight(Struct, frozen=True, kw_only=True):
    """What shows that a message arrived: FHIR resources found by a search, one of which is as wanted."""

    kind: str
    search: Callable[[Case], Mapping[str, str]]
    wanted: str  # in words
    holds: Callable[[Resource], bool]
    status: str | None = None  # of the referral's, where its sender is told of one


class Step(Struct, frozen=True):
    """One message."""

    name: Name
    sight: Sight


def system(case: Case) -> str:
    """Return the Identifier.system of the sender's numbers."""
    return fhir.identifier_system(case.assigner)


def _by_placer(case: Case) -> Mapping[str, str]:
    return {"identifier": f"{system(case)}|{case.placer}"}


def _by_appointment(case: Case) -> Mapping[str, str]:
    return {"identifier": f"{system(case)}|{case.appointment}"}


def _by_patient(case: Case) -> Mapping[str, str]:
    return {"patient.identifier": f"{system(case)}|{case.number}"}


def _task(status: str) -> Sight:
    def holds(task: Resource) -> bool:
        codes = task.get("businessStatus", {}).get("coding", [])
        return any(each.get("code") == status for each in codes)

    wanted = f"Task.businessStatus {status}"
    return Sight(kind="Task", search=_by_placer, wanted=wanted, holds=holds, status=status)


def _resource(kind: str, search: Callable[[Case], Mapping[str, str]], element: str, value: str) -> Sight:
    return Sight(
        kind=kind,
        search=search,
        wanted=f"{kind}.{element} {value}",
        holds=lambda resource: resource.get(element) == value,
    )


def _stay(status: str) -> Sight:
    return _resource("Encounter", _by_patient, "status", status)


STEPS: Final[Sequence[Step]] = (
    Step("referral", _task("received")),
    Step("amendment", _resource("ServiceRequest", _by_placer, "priority", "asap")),
    Step("admission", _stay("in-progress")),
    Step("discharge", _stay("finished")),
    Step("discharge reversed", _stay("in-progress")),
    Step("appointment", _resource("Appointment", _by_appointment, "status", "booked")),
    Step("result", _resource("QuestionnaireResponse", _by_patient, "status", "completed")),
    Step("appointment cancelled", _resource("Appointment", _by_appointment, "status", "cancelled")),
    Step("admission cancelled", _stay("cancelled")),
    Step("referral cancelled", _task("cancel-requested")),
)
