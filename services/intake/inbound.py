"""Makes commands of what a sender's message says of a person and of a referral; of stays, see `notices`."""

from datetime import datetime
from typing import TypedDict
from uuid import UUID

from shared.commands.decision import derived
from shared.commands.intake import (
    AmendReferral,
    LinkPriorRecord,
    MergeParticipants,
    QueueMatchReview,
    ReceiveInformation,
    ReceiveReferral,
    ReferralCommand,
    RegisterParticipant,
    RequestReferralCancellation,
)
from shared.events.base import Identifier, MessageReference
from shared.events.inbound import (
    Amendment,
    Cancellation,
    InboundEnvelope,
    Information,
    Referral,
)
from shared.events.moment import Moment
from shared.events.participant import MatchCandidate

AboutReferral = Amendment | Cancellation | Information


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


def reference_of(envelope: InboundEnvelope, sequence: int | None = None) -> MessageReference:
    """Return how events name the message that told them; `sequence` where it has to be found again."""
    original = envelope.data.original
    return MessageReference(
        source=envelope.data.source,
        control_id=original.control_id,
        trigger=original.trigger,
        inbound_id=str(envelope.id),
        inbound_seq=sequence,
        sent_at=original.sent_at,
    )


def registration(
    envelope: InboundEnvelope,
    participant: UUID,
    identifiers: tuple[Identifier, ...],
    now: datetime,
    *,
    name: str = "register",
) -> RegisterParticipant:
    """Return the command that registers the message's person, or links what is new.

    A message that does so in two records needs a `name` for each.
    """
    return RegisterParticipant(
        id=derived(envelope.id, name),
        participant=participant,
        demographics=envelope.data.person.demographics,
        identifiers=identifiers,
        message=reference_of(envelope),
        **context_of(envelope, now),
    )


def receipt(
    envelope: InboundEnvelope,
    message: Referral,
    participant: UUID,
    referral: UUID,
    now: datetime,
    *,
    sequence: int,
) -> ReceiveReferral:
    """Return the command that receives the referral; its message is at `sequence` of INBOUND."""
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
        message=reference_of(envelope, sequence),
        **context_of(envelope, now),
    )


def about_referral(
    envelope: InboundEnvelope, message: AboutReferral, participant: UUID, referral: UUID, now: datetime
) -> ReferralCommand:
    """Return the command that asks of a referral what its initiator asks."""
    common = context_of(envelope, now)
    reference = reference_of(envelope)
    id_ = derived(envelope.id, "about-referral")
    match message:
        case Amendment():
            return AmendReferral(
                id=id_,
                participant=participant,
                referral=referral,
                priority=message.priority,
                referrer=message.referrer,
                service_requested=message.service_requested,
                reasons=message.reasons,
                insurance=message.insurance,
                message=reference,
                **common,
            )
        case Cancellation(reason=reason):
            return RequestReferralCancellation(
                id=id_,
                participant=participant,
                referral=referral,
                reason=reason,
                message=reference,
                **common,
            )
        case Information(what=what):
            return ReceiveInformation(
                id=id_,
                participant=participant,
                referral=referral,
                what=what,
                message=reference,
                **common,
            )


def merge(envelope: InboundEnvelope, prior: UUID, survivor: UUID, now: datetime) -> MergeParticipants:
    """Return the command that makes the prior's record the survivor's."""
    return MergeParticipants(
        id=derived(envelope.id, "merge"),
        participant=prior,
        survivor=survivor,
        message=reference_of(envelope),
        **context_of(envelope, now),
    )


def review(envelope: InboundEnvelope, prior: UUID, survivor: UUID, now: datetime) -> QueueMatchReview:
    """Return the command that puts before a person what the sender may not merge itself."""
    return QueueMatchReview(
        id=derived(envelope.id, "merge-review"),
        participant=prior,
        candidates=(MatchCandidate(survivor, 1.0),),
        message=reference_of(envelope),
        **context_of(envelope, now),
    )


def prior_link(envelope: InboundEnvelope, prior: UUID, survivor: UUID, now: datetime) -> LinkPriorRecord:
    """Return the command that notes the merge in the survivor's record."""
    return LinkPriorRecord(
        id=derived(envelope.id, "prior-link"),
        participant=survivor,
        prior=prior,
        **context_of(envelope, now),
    )
