"""Which HL7 v2 message says the same as what came by FHIR or as an event: profiles name types of HL7 v2."""

from collections.abc import Mapping
from typing import Final

from shared.events.inbound import (
    Admission,
    AdmissionCancellation,
    Amendment,
    AppointmentNotice,
    AssessmentReport,
    Cancellation,
    DemographicsUpdate,
    Discharge,
    DischargeCancellation,
    InboundMessage,
    Information,
    Merge,
    Referral,
    ResultReport,
    Transfer,
)

_CHANGE: Final = ("REF", "I13")
_APPOINTMENTS: Final = {
    "booked": "S12",
    "rescheduled": "S13",
    "modified": "S14",
    "cancelled": "S15",
    "noshow": "S26",
}
_TYPES: Final[Mapping[type, tuple[str, str]]] = {
    Referral: ("REF", "I12"),
    Amendment: _CHANGE,
    Information: _CHANGE,
    Cancellation: ("REF", "I14"),
    Admission: ("ADT", "A01"),
    Transfer: ("ADT", "A02"),
    Discharge: ("ADT", "A03"),
    DemographicsUpdate: ("ADT", "A08"),
    AdmissionCancellation: ("ADT", "A11"),
    DischargeCancellation: ("ADT", "A13"),
    Merge: ("ADT", "A40"),
    AssessmentReport: ("ORU", "R01"),
    ResultReport: ("ORU", "R01"),
}


def type_of(message: InboundMessage) -> tuple[str, str]:
    """Return code and trigger (MSH-9); what else is said of a participant counts as a changed referral."""
    if isinstance(message, AppointmentNotice):
        return "SIU", _APPOINTMENTS[message.status]
    return _TYPES.get(type(message), _CHANGE)
