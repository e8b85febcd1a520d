"""What hospitals told us of stays and appointments."""

from datetime import tzinfo
from typing import Final

from services.timeline.read_models.sentences.description import (
    Description,
    after,
    corrected,
    in_words,
    said,
    when,
)
from shared.events.base import Coding, EventData
from shared.events.encounter import (
    AdmissionCancelled,
    AppointmentNotified,
    AppointmentStatus,
    DeathNotified,
    DischargeCancelled,
    DischargeNotified,
    EncounterClass,
    InpatientAdmissionNotified,
    ReversalUnmatched,
    TransferNotified,
)

HANDLES = (
    InpatientAdmissionNotified,
    TransferNotified,
    DischargeNotified,
    AdmissionCancelled,
    DischargeCancelled,
    ReversalUnmatched,
    DeathNotified,
    AppointmentNotified,
)

_APPOINTMENTS: Final[dict[AppointmentStatus, str]] = {
    "booked": "Appointment booked elsewhere",
    "rescheduled": "Appointment elsewhere moved",
    "modified": "Appointment elsewhere changed",
    "cancelled": "Appointment elsewhere cancelled",
    "noshow": "Appointment elsewhere missed",
}

_CLASSES: Final[dict[EncounterClass, str | None]] = {
    "IMP": "inpatient",
    "EMER": "emergency",
    "AMB": "outpatient",
    "OBSENC": "observation",
    "PRENC": "pre-admission",
    "HH": "home health",
    "UNK": None,
}


def describe(event: EventData, zone: tzinfo) -> Description:
    """Say what the hospital said."""
    match event:
        case InpatientAdmissionNotified():
            return said(
                f"Admitted to {event.facility}",
                event.admitted and f"on {when(event.admitted, zone)}",
                _CLASSES[event.encounter_class],
                after("visit", event.visit_number),
                _principal(event.diagnoses),
            )
        case TransferNotified(facility=facility):
            return said(
                f"Transferred within {facility}",
                after("to", event.location),
                _CLASSES[event.encounter_class],
                after("visit", event.visit_number),
            )
        case DischargeNotified():
            return _discharged(event, zone)
        case DeathNotified(facility=facility, died=died):
            return said("Died", died and f"on {when(died, zone)}", f"told by {facility}")
        case AppointmentNotified():
            return _appointment(event, zone)
        case _:
            return _taken_back(event)


def _appointment(event: AppointmentNotified, zone: tzinfo) -> Description:
    tell = corrected if event.status == "cancelled" else said
    return tell(
        _APPOINTMENTS[event.status],
        event.start and when(event.start, zone),
        event.location,
        event.reason,
        f"number {event.appointment.value} of {event.appointment.assigner}",
    )


def _discharged(event: DischargeNotified, zone: tzinfo) -> Description:
    return said(
        f"Discharged from {event.facility}",
        f"on {when(event.discharged, zone)}",
        event.admitted and f"admitted {when(event.admitted, zone)}",
        _CLASSES[event.encounter_class],
        after("disposition", event.disposition),
        after("visit", event.visit_number),
        _principal(event.diagnoses),
    )


def _taken_back(event: EventData) -> Description:
    match event:
        case AdmissionCancelled(facility=facility, visit_number=visit):
            return corrected(
                f"Admission cancelled by {facility}", f"the admission{_of(visit)} did not happen"
            )
        case DischargeCancelled(facility=facility, visit_number=visit):
            return corrected(
                f"Discharge cancelled by {facility}",
                f"the discharge{_of(visit)} did not happen: the person is still there",
            )
        case ReversalUnmatched(of=of, facility=facility, visit_number=visit):
            return corrected(
                f"Cancelled {of} not found",
                f"{facility} cancelled the {of}{_of(visit)}, which we do not know",
            )
        case _:
            raise TypeError(type(event))


def _of(visit: str | None) -> str:
    return f" of visit {visit}" if visit else ""


def _principal(diagnoses: tuple[Coding, ...]) -> str | None:
    return after("principal diagnosis", in_words(diagnoses[0]) if diagnoses else None)
