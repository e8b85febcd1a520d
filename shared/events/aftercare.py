"""Follow-ups owed after a discharge or the end of an episode, until each is kept, reached or closed."""

from datetime import date
from typing import Literal
from uuid import UUID

from shared.events.base import EventData
from shared.events.moment import Moment

FollowUpKind = Literal["follow-up-7-day", "follow-up-30-day", "check-in"]
Channel = Literal["phone", "text", "email", "letter", "visit", "video"]
OutreachResult = Literal["reached", "no-answer", "left-message", "wrong-contact", "declined"]


class AftercarePlanned(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """What the participant needs after the program."""

    needs: tuple[str, ...]


class AftercareScheduled(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """A follow-up is owed between two days, both included; without an appointment it is planned only."""

    follow_up: UUID
    kind: FollowUpKind
    provider_type: str  # "mental-health", "substance-use", "program"
    index_discharge: date  # the discharge, or the end of the episode, that it is counted from
    window_opens: date
    due: date  # last day of the window: 7 or 30 calendar days after the index
    discharge: UUID | None = None  # the hospital's discharge that it is owed after
    visit_number: str | None = None
    appointment: Moment | None = None


class AftercareRescheduled(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """The follow-up has a (new) appointment."""

    follow_up: UUID
    appointment: Moment


class AftercareAttended(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """The follow-up was kept: with its own visit, or by a program session in its window."""

    follow_up: UUID
    on: date
    within_window: bool
    session: UUID | None = None


class AftercareMissed(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """The appointment was missed, or the window closed without one."""

    follow_up: UUID
    cause: Literal["no-show", "window-closed"]


class AftercareCancelled(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """No longer owed, by somebody's decision."""

    follow_up: UUID
    reason: str


class FollowUpSuperseded(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """No longer owed: its discharge was cancelled, or a readmission counts instead."""

    follow_up: UUID
    cause: Literal["discharge-cancelled", "readmission", "later-discharge"]
    admission: UUID | None = None  # the readmission, so that its cancellation can be met


class FollowUpReinstated(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """Owed again: the readmission that superseded it was cancelled (A11)."""

    follow_up: UUID
    admission: UUID


class OutreachAttempted(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """We tried to reach the participant after a missed follow-up; reached closes it."""

    follow_up: UUID
    attempt: int  # 1, 2, 3
    channel: Channel
    on: date
    result: OutreachResult


class OutreachExhausted(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """Three attempts without reaching anybody."""

    follow_up: UUID
    attempts: int


class FollowUpEscalated(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody else takes it on."""

    follow_up: UUID
    to: str


class AftercareClosed(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """Nothing is owed any more: every open follow-up is closed with it."""

    reason: Literal["died", "completed", "own-decision", "lost-contact", "moved"]


AftercareEvent = (
    AftercarePlanned
    | AftercareScheduled
    | AftercareRescheduled
    | AftercareAttended
    | AftercareMissed
    | AftercareCancelled
    | FollowUpSuperseded
    | FollowUpReinstated
    | OutreachAttempted
    | OutreachExhausted
    | FollowUpEscalated
    | AftercareClosed
)
