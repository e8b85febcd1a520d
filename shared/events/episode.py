"""The episode of care and the level-of-care intervals inside it (FHIR EpisodeOfCare)."""

from datetime import date
from typing import Literal
from uuid import UUID

from shared.events.base import Coding, EventData
from shared.events.moment import Moment

EarlyEnd = Literal[
    "attendance",
    "own-decision",
    "lost-contact",
    "financial",
    "lack-of-progress",
    "medical",
    "military",
    "moved",
    "incarcerated",
    "died",
    "agency-closed",
]


class EpisodeOpened(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """Care begins; a level-of-care interval starts with it."""

    episode: UUID
    program: str
    start: date
    track: str | None = None


class LevelOfCareStarted(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """The first interval of the episode."""

    episode: UUID
    level: str
    edition: str
    at: Moment


class SteppedUp(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """To a more intensive level: closes the open interval and opens the next."""

    episode: UUID
    from_level: str
    to_level: str
    edition: str
    at: Moment
    reason: str | None = None


class SteppedDown(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """To a less intensive level, from the open interval or, with a discharge, from the hospital."""

    episode: UUID
    from_level: str
    to_level: str
    edition: str
    at: Moment
    discharge: UUID | None = None  # the hospital's discharge that it follows
    from_organisation: str | None = None
    visit_number: str | None = None
    discharged: Moment | None = None
    disposition: str | None = None
    principal_diagnosis: Coding | None = None
    emergency: bool = False  # an emergency visit: its follow-up windows count the day of the visit


class StepDownPending(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """A discharge calls for a step-down, but no episode is open: a person's task, and follow-ups are owed."""

    discharge: UUID
    discharged: Moment
    from_organisation: str | None = None
    visit_number: str | None = None
    disposition: str | None = None
    principal_diagnosis: Coding | None = None
    emergency: bool = False


class StepDownReversed(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """The discharge behind a step-down, done or pending, was cancelled."""

    discharge: UUID
    cause: str  # "A13"
    visit_number: str | None = None


class EpisodePaused(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """On hold: no session is expected."""

    episode: UUID
    reason: str


class EpisodeResumed(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """Active again."""

    episode: UUID


class EpisodeCompleted(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """Finished as planned."""

    episode: UUID
    on: date


class EpisodeEndedEarly(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """Ended before completion, and why."""

    episode: UUID
    on: date
    reason: EarlyEnd


class CareClosedOnDeath(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """The participant died: nothing follows but administrative closure."""

    died: Moment | None = None


EpisodeEvent = (
    EpisodeOpened
    | LevelOfCareStarted
    | SteppedUp
    | SteppedDown
    | StepDownPending
    | StepDownReversed
    | EpisodePaused
    | EpisodeResumed
    | EpisodeCompleted
    | EpisodeEndedEarly
    | CareClosedOnDeath
)
