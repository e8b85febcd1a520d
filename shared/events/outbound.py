"""What is owed to a sender after a change of its referral: CloudEvents on `outbound.<source>.status`.

A sender with credentials hears them there as they come, and asks `status.<source>.next` for what it missed:
the sequence of the last that it has is its cursor.
"""

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from msgspec import Meta, Struct

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
    notice: str | None = None  # what its reader has to know of passing the reason on
    withheld: bool = False  # something was said with it that needs the participant's consent


class OutboundEnvelope(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The CloudEvent around it; `id` derives from the event, so that one told twice is known."""

    specversion: Literal["1.0"]
    id: UUID
    source: str
    type: str
    time: datetime
    datacontenttype: Literal["application/json"]
    inboundsequence: int | None = None  # of the message in INBOUND that told of the referral
    data: ReferralStatus


MOST_ENTRIES: Final = 100


class StatusRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Asks for the statuses behind a cursor, or since a time; the oldest that is kept is behind 0."""

    since: Annotated[datetime, Meta(tz=True)] | None = None  # recorded then or later; RFC 3339 with an offset
    after: Annotated[int, Meta(ge=0, description="Sequence of the last status that the sender has.")] = 0
    most: Annotated[int, Meta(ge=1, le=MOST_ENTRIES)] = MOST_ENTRIES


class StatusEntry(Struct, frozen=True, kw_only=True):
    """One status: its sequence, from 1 and with gaps, is the cursor once the sender has it."""

    sequence: int
    recorded: datetime
    event: OutboundEnvelope


class StatusPage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The next statuses, oldest first; none where the sender has all. `error` says what was wrong."""

    entries: tuple[StatusEntry, ...]
    error: str | None = None
