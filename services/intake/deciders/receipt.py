"""What a referral asks of us: received once, sent again as a duplicate, amended by whoever sent it."""

from typing import TypeVar

from msgspec.structs import replace

from services.intake.deciders.retold import latest
from shared.commands.decision import Decision, refused
from shared.commands.intake import AmendReferral, ReceiveReferral
from shared.events.referral import ReferralAmended, ReferralDuplicateDetected, ReferralReceived

T = TypeVar("T")


def first(command: ReceiveReferral) -> ReferralReceived:
    """Return the referral as it was sent."""
    return ReferralReceived(
        referral=command.referral,
        placer=command.placer,
        source=command.source,
        priority=command.priority,
        referrer=command.referrer,
        service_requested=command.service_requested,
        reasons=command.reasons,
        documents=command.documents,
        insurance=command.insurance,
        requested_on=command.requested_on,
        message=command.message,
    )


def again(command: ReceiveReferral, asked: ReferralReceived) -> Decision:
    """Another message with the same placer id is a duplicate, whatever else it says: to amend is an I13's."""
    placer = (asked.placer.assigner, asked.placer.value)
    if (command.placer.assigner, command.placer.value) != placer:
        return refused("placer-differs", "This referral was sent under another placer number.", "placer")
    return [ReferralDuplicateDetected(referral=command.referral, message=command.message)]


def amendment(command: AmendReferral, asked: ReferralReceived) -> Decision:
    """Take over only what differs from what is asked now."""
    nothing = ReferralAmended(referral=command.referral, message=command.message)
    amended = replace(
        nothing,
        priority=_news(command.priority, asked.priority),
        referrer=_news(command.referrer, asked.referrer),
        service_requested=_news(command.service_requested, asked.service_requested),
        reasons=_news(command.reasons, asked.reasons),
        insurance=_news(command.insurance, asked.insurance),
    )
    return [] if amended == nothing else [amended]


def as_amended(asked: ReferralReceived, by: ReferralAmended) -> ReferralReceived:
    """Return what is asked now."""
    return replace(
        asked,
        priority=latest(asked.priority, by.priority),
        referrer=latest(asked.referrer, by.referrer),
        service_requested=latest(asked.service_requested, by.service_requested),
        reasons=latest(asked.reasons, by.reasons),
        insurance=latest(asked.insurance, by.insurance),
    )


def _news(told: T | None, held: T | None) -> T | None:
    return None if told == held else told
