"""What aftercare can be asked."""

from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

from shared.commands.base import Command
from shared.events.aftercare import Channel, OutreachResult
from shared.events.moment import Moment


class AftercareCommand(Command, frozen=True, kw_only=True, omit_defaults=True):
    """What is asked of a participant's aftercare."""

    category: ClassVar[str] = "aftercare"


class PlanAftercare(AftercareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Say what the participant needs after the program."""

    needs: tuple[str, ...]


class ScheduleFollowUps(AftercareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Owe the 7 and the 30 day follow-up after a discharge; an earlier discharge's are superseded.

    `index_discharge` is the day in the site's zone. After an emergency visit its own day counts.
    """

    discharge: UUID
    index_discharge: date
    provider_type: str = "mental-health"
    visit_number: str | None = None
    emergency: bool = False


class ScheduleCheckIns(AftercareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """After the end of a program: follow-ups at 7 and 30 days, check-ins at 1, 3, 6 and 12 months."""

    origin: UUID  # the event that ended or stepped down the care: the follow-ups' ids derive from it
    ended_on: date


class BookFollowUp(AftercareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Give it an appointment, the first or another."""

    follow_up: UUID
    appointment: Moment


class RecordFollowUpAttended(AftercareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """It was kept on that day."""

    follow_up: UUID
    on: date


class CreditSession(AftercareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """A program session counts as every follow-up in whose window it falls."""

    session: UUID
    on: date


class RecordFollowUpMissed(AftercareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """The participant did not come to the appointment."""

    follow_up: UUID


class CloseFollowUpWindow(AftercareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """The timer after the window's last day: missed, unless it was kept, missed or closed before."""

    follow_up: UUID
    today: date


class CancelFollowUp(AftercareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Nobody owes it any more."""

    follow_up: UUID
    reason: str


class AttemptOutreach(AftercareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Try to reach the participant after a missed follow-up, each time on another day and channel."""

    follow_up: UUID
    channel: Channel
    on: date
    result: OutreachResult


class SupersedeFollowUps(AftercareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """A discharge was cancelled: nothing is owed after it."""

    discharge: UUID
    cause: Literal["discharge-cancelled"] = "discharge-cancelled"


class NoteReadmission(AftercareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """A readmission within 30 days of a discharge: that discharge's follow-ups are superseded.

    A later discharge that stands in another of the person's records tells of one, too, under its own id.
    """

    admission: UUID
    admitted_on: date
    same_day: bool = False  # it counts on the day of the discharge, too: it is known to be another


class CancelReadmission(AftercareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """The admission did not happen: what it superseded is owed again."""

    admission: UUID


class CloseAftercare(AftercareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Nothing is owed any more."""

    reason: Literal["died", "completed", "own-decision", "lost-contact", "moved"]
