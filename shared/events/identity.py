"""Claims of uniqueness: one entity an identifier, so that the first to append owns it."""

from uuid import UUID

from shared.events.base import EventData, Identifier


class IdentifierClaimed(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """The identifier belongs to this participant; for a placer's number, to this referral of theirs."""

    identifier: Identifier
    participant: UUID
    referral: UUID | None = None
    source: str | None = None  # whose message claimed it: a merge is taken from whoever told of the number


IdentityEvent = IdentifierClaimed
