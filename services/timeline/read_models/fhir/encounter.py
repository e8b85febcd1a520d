"""Encounter: stays elsewhere, as their hospital told them, in whatever order its messages come.

A stay is known by facility and visit number; without a number nothing tells two visits apart, and the one
Encounter of the facility is its latest.
"""

from collections.abc import Iterable
from typing import cast
from uuid import UUID

from msgspec import field
from msgspec.structs import replace

from services.timeline.read_models.fhir.drawing import Drawn, Held, Topic, sender_of
from services.timeline.read_models.fhir.elements import (
    CodeableConcept,
    Coding,
    Element,
    Identifier,
    Period,
    Quantity,
    Reference,
    Resource,
    coded,
    derived,
    patient,
    period,
    text,
    told,
)
from shared import fhir
from shared.events.encounter import (
    AdmissionCancelled,
    DischargeCancelled,
    DischargeNotified,
    EncounterClass,
    InpatientAdmissionNotified,
    TransferNotified,
)
from shared.events.envelope import Recorded

_CLASS = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_UNKNOWN = Coding(system="http://terminology.hl7.org/CodeSystem/v3-NullFlavor", code="UNK")
_IDENTIFIER_TYPE = "http://terminology.hl7.org/CodeSystem/v2-0203"

_Told = (
    InpatientAdmissionNotified
    | TransferNotified
    | DischargeNotified
    | AdmissionCancelled
    | DischargeCancelled
)


class Hospitalization(Element, frozen=True, kw_only=True):
    discharge_disposition: CodeableConcept


class Location(Element, frozen=True, kw_only=True):
    location: Reference


class EncounterParticipant(Element, frozen=True, kw_only=True):
    individual: Reference


class Encounter(Resource, frozen=True, kw_only=True, tag="Encounter"):
    """http://hl7.org/fhir/R4/encounter.html"""

    status: str
    class_: Coding = field(name="class")
    subject: Reference
    identifier: tuple[Identifier, ...] = ()
    type: tuple[CodeableConcept, ...] = ()
    participant: tuple[EncounterParticipant, ...] = ()
    appointment: tuple[Reference, ...] = ()
    period: Period | None = None
    length: Quantity | None = None
    reason_code: tuple[CodeableConcept, ...] = ()
    hospitalization: Hospitalization | None = None
    location: tuple[Location, ...] = ()
    service_provider: Reference | None = None


def class_of(told: EncounterClass) -> Coding:
    """Return the class as FHIR codes it."""
    return _UNKNOWN if told == "UNK" else Coding(system=_CLASS, code=told)


def _id(at: Recorded) -> UUID:
    event = cast("_Told", at.event.data)
    return derived(at.event.subject, "stay", event.facility, event.visit_number)


def _draw(held: Held, at: Recorded) -> Iterable[Drawn]:
    event = cast("_Told", at.event.data)
    had = held.get(Encounter, _id(at))
    drawn = _evolve(had, at, event)
    if drawn is not None:
        yield Drawn(drawn, sender_of(event))


def _evolve(had: Encounter | None, at: Recorded, event: _Told) -> Encounter | None:
    match event:
        case InpatientAdmissionNotified():
            return _admitted(had, at, event)
        case DischargeNotified():
            return _discharged(had or _stay(at, event), event)
        case TransferNotified() if had:
            return _moved(had, event)
        case AdmissionCancelled() if had:
            return replace(had, status="cancelled")
        case DischargeCancelled() if had:
            start = had.period and had.period.start
            return replace(had, status="in-progress", period=period(start), hospitalization=None)
        case _:
            return None


def _admitted(had: Encounter | None, at: Recorded, event: InpatientAdmissionNotified) -> Encounter:
    """An admission told again adds to what is known of the stay; after its discharge it does not open it."""
    begun = _stay(at, event)
    if had is None or event.visit_number is None or had.status == "cancelled":
        stay = begun
    else:
        stay = had if had.status == "finished" else replace(had, status=begun.status)
    start = event.admitted or (stay.period and stay.period.start)
    return replace(
        stay,
        class_=class_of(event.encounter_class) if event.encounter_class != "UNK" else stay.class_,
        period=period(start, stay.period and stay.period.end),
        reason_code=tuple(map(told, event.diagnoses)) or stay.reason_code,
    )


def _stay(at: Recorded, event: InpatientAdmissionNotified | DischargeNotified) -> Encounter:
    return Encounter(
        id=_id(at),
        status="planned" if event.encounter_class == "PRENC" else "in-progress",
        class_=class_of(event.encounter_class),
        subject=patient(at.event.subject),
        identifier=_visit(event.facility, event.visit_number),
        service_provider=Reference(display=event.facility),
    )


def _visit(facility: str, number: str | None) -> tuple[Identifier, ...]:
    if number is None:
        return ()
    return (
        Identifier(
            type=coded(_IDENTIFIER_TYPE, "VN"),
            system=fhir.identifier_system(facility),
            value=number,
            assigner=Reference(display=facility),
        ),
    )


def _discharged(stay: Encounter, event: DischargeNotified) -> Encounter:
    start = event.admitted or (stay.period and stay.period.start)
    left = text(event.disposition)
    return replace(
        stay,
        status="finished",
        class_=class_of(event.encounter_class) if event.encounter_class != "UNK" else stay.class_,
        period=period(start, event.discharged) if start else Period(end=event.discharged),
        reason_code=tuple(map(told, event.diagnoses)) or stay.reason_code,
        hospitalization=Hospitalization(discharge_disposition=left) if left else None,
    )


def _moved(stay: Encounter, event: TransferNotified) -> Encounter:
    if stay.status == "finished":
        return stay
    place = (Location(location=Reference(display=event.location)),) if event.location else ()
    known = event.encounter_class != "UNK"
    return replace(
        stay,
        class_=class_of(event.encounter_class) if known else stay.class_,
        location=place or stay.location,
    )


TOPIC = Topic(
    handles=(
        InpatientAdmissionNotified,
        TransferNotified,
        DischargeNotified,
        AdmissionCancelled,
        DischargeCancelled,
    ),
    draw=_draw,
)
