"""Makes commands of what a sender's message tells of a participant: stays, appointments, answers, a death."""

from datetime import datetime
from typing import Final
from uuid import UUID

from services.intake.inbound import context_of, reference_of
from shared.commands.decision import derived
from shared.commands.intake import (
    CancelAdmission,
    CancelDischarge,
    CorrectDemographics,
    NotifyAdmission,
    NotifyAppointment,
    NotifyDeath,
    NotifyDischarge,
    NotifyTransfer,
    ParticipantCommand,
    RecordAssessment,
)
from shared.events.inbound import (
    Admission,
    AdmissionCancellation,
    AppointmentNotice,
    AssessmentReport,
    DemographicsUpdate,
    Discharge,
    DischargeCancellation,
    InboundEnvelope,
    InboundMessage,
    Transfer,
    Visit,
)
from shared.identifiers import assessment_id

_DIED: Final = frozenset({"20", "40", "41", "42"})  # HL7 table 0112: expired, and where
_DIED_IN_WORDS: Final = ("expired", "deceased", "died")

Told = (
    Admission
    | Transfer
    | Discharge
    | AdmissionCancellation
    | DischargeCancellation
    | DemographicsUpdate
    | AppointmentNotice
    | AssessmentReport
)
"""What is told to the participant's record."""


def notices(
    envelope: InboundEnvelope, message: Told, participant: UUID, now: datetime
) -> list[ParticipantCommand]:
    """Return the commands that tell the participant's record what a message says.

    Who left by dying is told of first: there is no step-down, and no follow-up, to be taken back again.
    """
    notice = _notice(envelope, message, participant, now)
    death = [_death(envelope, participant, now)] if _tells_death(message) else []
    return [*death, notice] if isinstance(message, Discharge) else [notice, *death]


def _notice(envelope: InboundEnvelope, message: Told, participant: UUID, now: datetime) -> ParticipantCommand:
    match message:
        case DemographicsUpdate():
            return CorrectDemographics(
                id=derived(envelope.id, "notice"),
                participant=participant,
                demographics=message.person.demographics,
                emptied=message.person.emptied,
                message=reference_of(envelope),
                **context_of(envelope, now),
            )
        case AssessmentReport():
            return _answers(envelope, message, participant, now)
        case AppointmentNotice():
            return _appointment(envelope, message, participant, now)
        case AdmissionCancellation() | DischargeCancellation():
            return _reversal(envelope, message, participant, now)
        case _:
            return _stay(envelope, message, participant, now)


def _stay(
    envelope: InboundEnvelope, message: Admission | Transfer | Discharge, participant: UUID, now: datetime
) -> ParticipantCommand:
    common = context_of(envelope, now)
    reference = reference_of(envelope)
    id_ = derived(envelope.id, "notice")
    match message:
        case Admission(visit=visit):
            return NotifyAdmission(
                id=id_,
                participant=participant,
                admission=derived(envelope.id, "admission"),
                facility=visit.facility,
                visit_number=visit.visit_number,
                admitted=visit.admitted,
                encounter_class=visit.encounter_class,
                diagnoses=visit.diagnoses,
                message=reference,
                **common,
            )
        case Discharge(visit=visit):
            return NotifyDischarge(
                id=id_,
                participant=participant,
                discharge=derived(envelope.id, "discharge"),
                facility=visit.facility,
                discharged=visit.discharged or message.occurred,
                visit_number=visit.visit_number,
                admitted=visit.admitted,
                disposition=visit.disposition,
                encounter_class=visit.encounter_class,
                diagnoses=visit.diagnoses,
                message=reference,
                **common,
            )
        case Transfer(visit=visit, location=location):
            return NotifyTransfer(
                id=id_,
                participant=participant,
                facility=visit.facility,
                visit_number=visit.visit_number,
                location=location,
                encounter_class=visit.encounter_class,
                message=reference,
                **common,
            )


def _reversal(
    envelope: InboundEnvelope,
    message: AdmissionCancellation | DischargeCancellation,
    participant: UUID,
    now: datetime,
) -> CancelAdmission | CancelDischarge:
    cancel = CancelAdmission if isinstance(message, AdmissionCancellation) else CancelDischarge
    return cancel(
        id=derived(envelope.id, "notice"),
        participant=participant,
        facility=message.visit.facility,
        visit_number=message.visit.visit_number,
        message=reference_of(envelope),
        **context_of(envelope, now),
    )


def _appointment(
    envelope: InboundEnvelope, message: AppointmentNotice, participant: UUID, now: datetime
) -> NotifyAppointment:
    return NotifyAppointment(
        id=derived(envelope.id, "notice"),
        participant=participant,
        appointment=message.appointment,
        status=message.status,
        start=message.start,
        end=message.end,
        reason=message.reason,
        location=message.location,
        message=reference_of(envelope),
        **context_of(envelope, now),
    )


def _answers(
    envelope: InboundEnvelope, message: AssessmentReport, participant: UUID, now: datetime
) -> RecordAssessment:
    return RecordAssessment(
        id=derived(envelope.id, "notice"),
        participant=participant,
        assessment=assessment_id(envelope.id),
        instrument=message.instrument,
        items=message.items,
        administered_at=message.administered_at,
        total=message.total,
        difficulty=message.difficulty,
        message=reference_of(envelope),
        **context_of(envelope, now),
    )


def _tells_death(message: InboundMessage) -> bool:
    if message.person.deceased:
        return True
    if not isinstance(message, Discharge) or message.visit.disposition is None:
        return False
    disposition = message.visit.disposition.strip().casefold()
    return disposition in _DIED or any(word in disposition for word in _DIED_IN_WORDS)


def _death(envelope: InboundEnvelope, participant: UUID, now: datetime) -> NotifyDeath:
    message = envelope.data
    visit = getattr(message, "visit", None)
    facility = visit.facility if isinstance(visit, Visit) else message.source
    return NotifyDeath(
        id=derived(envelope.id, "death"),
        participant=participant,
        facility=facility,
        died=message.person.died,
        message=reference_of(envelope),
        **context_of(envelope, now),
    )
