"""Makes commands of what a sender's message says."""

from datetime import datetime
from typing import TypedDict
from uuid import UUID

from shared.commands.decision import derived
from shared.commands.intake import (
    CancelAdmission,
    CancelDischarge,
    CorrectDemographics,
    NotifyAdmission,
    NotifyDeath,
    NotifyDischarge,
    ParticipantCommand,
    ReceiveReferral,
    RegisterParticipant,
)
from shared.events.base import Identifier, MessageReference
from shared.events.inbound import (
    Admission,
    AdmissionCancellation,
    DemographicsUpdate,
    Discharge,
    DischargeCancellation,
    InboundEnvelope,
    InboundMessage,
    Referral,
)
from shared.events.moment import Moment

_DIED = frozenset({"20", "40", "41", "42"})  # HL7 table 0112: expired, and where
_DIED_IN_WORDS = ("expired", "deceased", "died")


class Context(TypedDict):
    """What every command of one message carries."""

    actor: str
    now: datetime
    at: Moment
    correlation: UUID
    causation: UUID


def context_of(envelope: InboundEnvelope, now: datetime) -> Context:
    """Return what the message's commands have in common."""
    return Context(
        actor=f"source:{envelope.data.source}",
        now=now,
        at=envelope.data.occurred,
        correlation=envelope.id,
        causation=envelope.id,
    )


def reference_of(envelope: InboundEnvelope) -> MessageReference:
    """Return how events name the message that told them."""
    original = envelope.data.original
    return MessageReference(
        source=envelope.data.source,
        control_id=original.control_id,
        trigger=original.trigger,
        inbound_id=str(envelope.id),
        sent_at=original.sent_at,
    )


def registration(
    envelope: InboundEnvelope, participant: UUID, identifiers: tuple[Identifier, ...], now: datetime
) -> RegisterParticipant:
    """Return the command that registers the message's person, or links what is new."""
    return RegisterParticipant(
        id=derived(envelope.id, "register"),
        participant=participant,
        demographics=envelope.data.person.demographics,
        identifiers=identifiers,
        message=reference_of(envelope),
        **context_of(envelope, now),
    )


def receipt(
    envelope: InboundEnvelope, message: Referral, participant: UUID, referral: UUID, now: datetime
) -> ReceiveReferral:
    """Return the command that receives the referral."""
    return ReceiveReferral(
        id=derived(envelope.id, "receive"),
        participant=participant,
        referral=referral,
        placer=message.placer,
        source=message.referral_source,
        priority=message.priority,
        referrer=message.referrer,
        service_requested=message.service_requested,
        reasons=message.reasons,
        documents=message.documents,
        insurance=message.insurance,
        requested_on=message.requested_on,
        message=reference_of(envelope),
        **context_of(envelope, now),
    )


def notices(envelope: InboundEnvelope, participant: UUID, now: datetime) -> list[ParticipantCommand]:
    """Return the commands that tell the participant's record what an ADT message says."""
    notice = _notice(envelope, envelope.data, participant, now)
    death = [_death(envelope, participant, now)] if _tells_death(envelope.data) else []
    return [notice, *death]


def _notice(
    envelope: InboundEnvelope, message: InboundMessage, participant: UUID, now: datetime
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
        case AdmissionCancellation(visit=visit):
            return CancelAdmission(
                id=id_,
                participant=participant,
                facility=visit.facility,
                visit_number=visit.visit_number,
                message=reference,
                **common,
            )
        case DischargeCancellation(visit=visit):
            return CancelDischarge(
                id=id_,
                participant=participant,
                facility=visit.facility,
                visit_number=visit.visit_number,
                message=reference,
                **common,
            )
        case DemographicsUpdate() | Referral():
            return CorrectDemographics(
                id=id_,
                participant=participant,
                demographics=message.person.demographics,
                message=reference,
                **common,
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
    facility = (
        message.source if isinstance(message, Referral | DemographicsUpdate) else message.visit.facility
    )
    return NotifyDeath(
        id=derived(envelope.id, "death"),
        participant=participant,
        facility=facility,
        died=message.person.died,
        message=reference_of(envelope),
        **context_of(envelope, now),
    )
