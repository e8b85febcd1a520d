"""The messages of a check as CloudEvents, as short as they may be: the subject says who sends."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from msgspec import Struct

from services.console.checking.case import ANSWERS, BORN, DIAGNOSIS, GIVEN, PROGRAM, Case
from services.console.checking.steps import Name
from shared.events.inbound import (
    TYPE_PREFIX,
    Admission,
    AdmissionCancellation,
    Amendment,
    AppointmentNotice,
    AssessmentReport,
    Cancellation,
    Discharge,
    DischargeCancellation,
    InboundMessage,
    Kind,
    Referral,
)

_Object = dict[str, Any]
_LASTS: Final = timedelta(minutes=45)


class Publication(Struct, frozen=True):
    """The last token of the subject, and the CloudEvent."""

    kind: Kind
    event: _Object


def publication(case: Case, name: Name) -> Publication:
    """Return what is published for a step; its id is made of the run and the step."""
    cls, data = _EVENTS[name]
    event = {
        "specversion": "1.0",
        "id": f"{case.run}-{list(_EVENTS).index(name) + 1}",
        "source": "urn:throughcare:check",
        "type": TYPE_PREFIX + cls.__name__,
        "time": case.now.isoformat(),
        "data": {"person": _person(case), **data(case)},
    }
    return Publication(cls.kind, event)


def _person(case: Case) -> _Object:
    return {
        "identifiers": [{"assigner": case.assigner, "value": case.number}],
        "demographics": {"family": case.family, "given": [GIVEN], "birth_date": BORN.isoformat()},
    }


def _placer(case: Case) -> _Object:
    return {"assigner": case.assigner, "value": case.placer, "type": "PLAC"}


def _referral(case: Case) -> _Object:
    return {
        "placer": _placer(case),
        "service_requested": {"system": "local", "code": PROGRAM[0], "display": PROGRAM[1]},
        "reasons": [_diagnosis()],
        "requested_on": case.now.isoformat(),
    }


def _stay(case: Case) -> _Object:
    visit = {"facility": case.facility, "visit_number": case.visit, "encounter_class": "IMP"}
    return {"visit": {**visit, "admitted": case.admitted.isoformat(), "diagnoses": [_diagnosis()]}}


def _discharge(case: Case) -> _Object:
    return {"visit": {**_stay(case)["visit"], "discharged": case.now.isoformat(), "disposition": "01"}}


def _appointment(status: str) -> Callable[[Case], _Object]:
    return lambda case: {
        "appointment": {"assigner": case.assigner, "value": case.appointment, "type": "FILL"},
        "status": status,
        "start": case.booked.isoformat(),
        "end": (case.booked + _LASTS).isoformat(),
    }


def _result(case: Case) -> _Object:
    items = {str(number): value for number, value in enumerate(ANSWERS, 1)}
    return {"instrument": "PHQ-9", "items": items, "administered_at": case.now.isoformat()}


def _diagnosis() -> _Object:
    return {"system": "icd-10-cm", "code": DIAGNOSIS[0], "display": DIAGNOSIS[1]}


_EVENTS: Final[Mapping[Name, tuple[type[InboundMessage], Callable[[Case], _Object]]]] = {
    "referral": (Referral, _referral),
    "amendment": (Amendment, lambda case: {"placer": _placer(case), "priority": "asap"}),
    "admission": (Admission, _stay),
    "discharge": (Discharge, _discharge),
    "discharge reversed": (DischargeCancellation, _stay),
    "appointment": (AppointmentNotice, _appointment("booked")),
    "result": (AssessmentReport, _result),
    "appointment cancelled": (AppointmentNotice, _appointment("cancelled")),
    "admission cancelled": (AdmissionCancellation, _stay),
    "referral cancelled": (
        Cancellation,
        lambda case: {"placer": _placer(case), "reason": "A check of the connection"},
    ),
}
