"""A participant's registration and demographics (FHIR Patient)."""

from shared.events.base import Demographics, EventData, Identifier, MessageReference


class ParticipantRegistered(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """We met this person; the identifiers that they were claimed by follow as IdentifierLinked."""

    demographics: Demographics
    message: MessageReference | None = None


class IdentifierLinked(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """The claimed identifier now names this participant."""

    identifier: Identifier


class DemographicsCorrected(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """What was told differs from what we held: `demographics` is the whole after the correction."""

    demographics: Demographics
    message: MessageReference | None = None


ParticipantEvent = ParticipantRegistered | IdentifierLinked | DemographicsCorrected
