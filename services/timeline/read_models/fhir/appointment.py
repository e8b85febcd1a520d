"""Appointment: what the program has booked, and appointments elsewhere that a sender told of."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from services.timeline.read_models.fhir.drawing import Drawn, Held, Topic, sender_of
from services.timeline.read_models.fhir.elements import (
    CodeableConcept,
    Element,
    Identifier,
    Reference,
    Resource,
    derived,
    display,
    named,
    patient,
    text,
)
from shared.events.encounter import AppointmentNotified, AppointmentStatus
from shared.events.envelope import Recorded
from shared.events.moment import Moment, before, is_day

_STATUSES: dict[AppointmentStatus, str] = {
    "booked": "booked",
    "rescheduled": "booked",
    "modified": "booked",
    "cancelled": "cancelled",
    "noshow": "noshow",
}


class Participant(Element, frozen=True, kw_only=True):
    status: str
    actor: Reference


class Appointment(Resource, frozen=True, kw_only=True, tag="Appointment"):
    """http://hl7.org/fhir/R4/appointment.html"""

    status: str
    participant: tuple[Participant, ...]
    identifier: tuple[Identifier, ...] = ()
    cancelation_reason: CodeableConcept | None = None
    service_type: tuple[CodeableConcept, ...] = ()
    appointment_type: CodeableConcept | None = None
    reason_code: tuple[CodeableConcept, ...] = ()
    start: str | None = None  # FHIR instant
    end: str | None = None
    based_on: tuple[Reference, ...] = ()


def with_patient(participant: UUID, *others: Participant) -> tuple[Participant, ...]:
    """Return who takes part: the participant first."""
    return (Participant(actor=patient(participant), status="accepted"), *others)


def _id(at: Recorded) -> UUID:
    event = at.event.data
    if not isinstance(event, AppointmentNotified):
        raise TypeError("Only a notice names an appointment elsewhere.")
    return derived(at.event.subject, "appointment", event.appointment.assigner, event.appointment.value)


def _draw(held: Held, at: Recorded) -> Iterable[Drawn]:
    match at.event.data:
        case AppointmentNotified() as event if not _is_late(held, at):
            had = held.get(Appointment, _id(at))
            when = at.event.time.isoformat()
            yield Drawn(_told(had, at, event), sender_of(event), memo=(when,))
        case _:
            return


def _is_late(held: Held, at: Recorded) -> bool:
    """Tell whether a later step of the appointment is known: a booking told after its cancellation (SIU)."""
    return any(at.event.time < datetime.fromisoformat(told) for told in held.memo(Appointment, _id(at)))


def _told(had: Appointment | None, at: Recorded, event: AppointmentNotified) -> Appointment:
    place = display(event.location)
    others = (Participant(actor=place, status="accepted"),) if place else ()
    start = _instant(event.start) or (had and had.start)
    end = _instant(event.end) or (had and had.end)
    both = (start, end) if start and end and not before(end, start) else (None, None)
    status = _STATUSES[event.status]
    return Appointment(
        id=_id(at),
        # An appointment without a time may only be proposed, cancelled or waitlisted (invariant app-3).
        status=status if all(both) or status == "cancelled" else "proposed",
        participant=with_patient(at.event.subject, *others),
        identifier=(named(event.appointment),),
        cancelation_reason=text(event.reason) if status == "cancelled" else None,
        reason_code=(CodeableConcept(text=event.reason),) if event.reason and status != "cancelled" else (),
        start=both[0],
        end=both[1],
    )


def _instant(told: Moment | None) -> str | None:
    """A start known to the day only is no instant, and is not told."""
    return None if told is None or is_day(told) else told


TOPIC = Topic(handles=(AppointmentNotified,), draw=_draw)
