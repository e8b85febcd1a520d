"""Enrolment into a program."""

from datetime import date
from uuid import UUID

from shared.events.base import EventData


class Enrolled(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """The participant joins a program at a level of care."""

    enrolment: UUID
    program: str
    level: str  # ASAM level, "2.1"
    edition: str  # ASAM edition, "3" or "4"
    start: date
    track: str | None = None
    referral: UUID | None = None


class OrientationCompleted(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """The participant was shown how the program works."""

    enrolment: UUID


EnrolmentEvent = Enrolled | OrientationCompleted
