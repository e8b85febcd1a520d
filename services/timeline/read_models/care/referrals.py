"""How far each referral has come, as far as it says where the participant is."""

from typing import cast

from msgspec.structs import replace

from services.timeline.read_models.care.state import CareState, ReferralStage, ReferralStanding
from shared.events.base import EventData
from shared.events.referral import (
    ReferralAccepted,
    ReferralCancellationConfirmed,
    ReferralCompleted,
    ReferralDeclined,
    ReferralReceived,
    Waitlisted,
    WaitlistRemoved,
)

_Moving = (
    ReferralReceived
    | ReferralAccepted
    | ReferralDeclined
    | ReferralCancellationConfirmed
    | ReferralCompleted
    | Waitlisted
    | WaitlistRemoved
)

_STAGES: dict[type[EventData], ReferralStage] = {
    ReferralReceived: "referred",
    ReferralAccepted: "accepted",
    ReferralDeclined: "declined",
    ReferralCancellationConfirmed: "cancelled",
    ReferralCompleted: "referral-completed",
    Waitlisted: "waitlisted",
    WaitlistRemoved: "accepted",
}
HANDLES = tuple(_STAGES)


def evolve(state: CareState, event: EventData) -> CareState:
    """Keep the referral's stage, the one that moved last at the end."""
    moved = ReferralStanding(str(cast("_Moving", event).referral), _STAGES[type(event)])
    others = (standing for standing in state.referrals if standing.referral != moved.referral)
    return replace(state, referrals=[*others, moved])
