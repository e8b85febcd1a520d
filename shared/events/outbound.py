"""What is owed to a sender after a change of its referral: CloudEvents on `outbound.<source>.status`."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from shared.events.base import Identifier

STATUS_TYPE = "throughcare.outbound.ReferralStatus"


class ReferralStatus(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the sender may know: its own number, where the referral is, and since what."""

    referral: UUID
    participant: UUID  # opaque: whose referral it is here
    placer: Identifier
    status: str  # of the harmonised state table, or one of our extensions
    because: str  # the CloudEvents type of the event
    at: datetime
    reason: str | None = (
        None  # what was said with it: why it was declined, what is missing, a note, the outcome
    )


class OutboundEnvelope(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The CloudEvent around it; `id` derives from the event, so that one told twice is known."""

    specversion: Literal["1.0"]
    id: UUID
    source: str
    type: str
    time: datetime
    datacontenttype: Literal["application/json"]
    data: ReferralStatus
