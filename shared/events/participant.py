"""A participant's registration and demographics, and which records are one person (FHIR Patient)."""

from uuid import UUID

from msgspec import Struct

from shared.events.base import Demographics, EventData, Identifier, MessageReference


class MatchCandidate(Struct, frozen=True):
    """Somebody who may be the same person, by demographics; the score runs from 0 to 1."""

    participant: UUID
    score: float


class ParticipantRegistered(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """We met this person, by identifiers that were claimed for them; later ones follow as IdentifierLinked.

    Logs of before 2026-11-22 hold every identifier as IdentifierLinked.
    """

    demographics: Demographics
    message: MessageReference | None = None
    identifiers: tuple[Identifier, ...] = ()


class IdentifierLinked(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """A claimed identifier now names this participant, too."""

    identifier: Identifier


class DemographicsCorrected(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """What was told differs from what we held: `demographics` is the whole after the correction."""

    demographics: Demographics
    message: MessageReference | None = None


class MatchReviewQueued(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """The person may have a record already: somebody looks. Demographics alone never merge."""

    candidates: tuple[MatchCandidate, ...]  # the likeliest first
    message: MessageReference | None = None  # of a sender that asks to merge what another one told us of


class MatchResolved(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody looked: the candidate who is the same person, or none of them."""

    same_as: UUID | None = None
    reason: str | None = None


class ParticipantsMerged(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """In the prior's own record: it is the survivor's from now on, as an alias (Patient.link replaced-by)."""

    survivor: UUID
    prior: UUID
    reason: str | None = None
    message: MessageReference | None = None


class ParticipantsUnmerged(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """In the prior's own record: the merge was wrong, and it stands for itself again."""

    survivor: UUID
    prior: UUID
    reason: str | None = None


class PriorRecordLinked(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """In the survivor's record: another record is theirs, too (Patient.link replaces)."""

    prior: UUID


class PriorRecordUnlinked(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """In the survivor's record: that record is somebody else's after all."""

    prior: UUID


ParticipantEvent = (
    ParticipantRegistered
    | IdentifierLinked
    | DemographicsCorrected
    | MatchReviewQueued
    | MatchResolved
    | ParticipantsMerged
    | ParticipantsUnmerged
    | PriorRecordLinked
    | PriorRecordUnlinked
)
