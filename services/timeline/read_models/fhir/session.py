"""Sessions of the program: an Appointment, and an Encounter once the participant took part."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from msgspec.structs import replace

from services.timeline.read_models.fhir.appointment import Appointment, Participant, with_patient
from services.timeline.read_models.fhir.drawing import Drawn, Held, Topic
from services.timeline.read_models.fhir.elements import (
    CodeableConcept,
    Coding,
    Quantity,
    Reference,
    patient,
    period,
    reference,
    text,
)
from services.timeline.read_models.fhir.encounter import Encounter, EncounterParticipant
from shared.events.envelope import Recorded
from shared.events.session import SessionAttended, SessionCancelled, SessionMissed, SessionScheduled

_CLASS = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_UCUM = "http://unitsofmeasure.org"
_TELEHEALTH = "telehealth"

_Session = SessionScheduled | SessionAttended | SessionMissed | SessionCancelled


def _draw(held: Held, at: Recorded) -> Iterable[Drawn]:
    event = cast("_Session", at.event.data)
    had = held.get(Appointment, event.session)
    match event:
        case SessionScheduled():
            yield Drawn(_planned(at, event))
        case SessionAttended():
            if had:
                yield Drawn(replace(had, status="fulfilled", cancelation_reason=None))
            yield Drawn(_attended(had, at, event))
        case SessionMissed() if had:
            yield Drawn(replace(had, status="noshow"))
        case SessionCancelled(by=by) if had:
            yield Drawn(replace(had, status="cancelled", cancelation_reason=text(f"by the {by}")))
        case _:
            return


def _planned(at: Recorded, event: SessionScheduled) -> Appointment:
    kinds = filter(None, (event.type, event.modality, event.delivery))
    lead = Participant(actor=Reference(display=event.lead), status="accepted")
    return Appointment(
        id=event.session,
        status="booked",
        participant=with_patient(at.event.subject, lead),
        service_type=tuple(CodeableConcept(text=kind) for kind in kinds),
        start=event.start.isoformat(),
        end=max(event.start, event.end).isoformat(),
    )


def _attended(had: Appointment | None, at: Recorded, event: SessionAttended) -> Encounter:
    kinds = had.service_type if had else ()
    remote = any(kind.text == _TELEHEALTH for kind in kinds)
    start = datetime.fromisoformat(had.start) if had and had.start else None
    return Encounter(
        id=event.session,
        status="finished",
        class_=Coding(system=_CLASS, code="VR" if remote else "AMB"),
        subject=patient(at.event.subject),
        type=kinds[:1],
        participant=(EncounterParticipant(individual=Reference(display=event.lead)),),
        appointment=(_appointment(event.session),) if had else (),
        period=start and period(start.isoformat(), (start + timedelta(minutes=event.minutes)).isoformat()),
        length=Quantity(value=event.minutes, unit="min", system=_UCUM, code="min"),
    )


def _appointment(session: UUID) -> Reference:
    return reference("Appointment", session)


TOPIC = Topic(
    handles=(SessionScheduled, SessionAttended, SessionMissed, SessionCancelled),
    draw=_draw,
)
