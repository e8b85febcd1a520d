"""What care_plan can be asked."""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.commands.base import Command
from shared.events.base import Coding
from shared.events.episode import EarlyEnd
from shared.events.moment import Moment
from shared.events.plan import Achievement
from shared.events.session import Delivery, SessionType


class CareCommand(Command, frozen=True, kw_only=True, omit_defaults=True):
    """What is asked of a participant's care: episode, sessions and plan are one entity."""

    category: ClassVar[str] = "episode"


class OpenEpisode(CareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Open an episode at a level; a pending step-down becomes one."""

    episode: UUID
    program: str
    level: str
    edition: str
    start: date
    track: str | None = None


class StepUp(CareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """To a more intensive level; `at` (or now) is when."""

    to_level: str
    reason: str | None = None


class StepDown(CareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """To a less intensive level within the episode; `at` (or now) is when."""

    to_level: str


class StepDownAfterDischarge(CareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """A hospital discharged the participant: step down into the program, or keep it pending."""

    discharge: UUID
    discharged: Moment
    from_organisation: str | None = None
    visit_number: str | None = None
    disposition: str | None = None
    principal_diagnosis: Coding | None = None
    emergency: bool = False


class ReverseStepDown(CareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """The discharge was cancelled."""

    discharge: UUID
    cause: str = "A13"


class PauseEpisode(CareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Put on hold."""

    reason: str


class ResumeEpisode(CareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Make active again."""


class CompleteEpisode(CareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Finish as planned: needs a relapse-prevention plan."""

    on: date


class EndEpisodeEarly(CareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """End before completion."""

    on: date
    reason: EarlyEnd


class CloseCareOnDeath(CareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """The participant died: the episode ends, nothing but administrative closure follows."""

    on: date
    died: Moment | None = None


class ScheduleSession(CareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Plan a session: its lead needs the credential that its type asks for."""

    session: UUID
    type: SessionType
    start: datetime
    end: datetime
    lead: str
    credential: str
    modality: str | None = None
    delivery: Delivery = "in-person"
    group: str | None = None


class RecordSessionAttended(CareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """The participant took part."""

    session: UUID
    minutes: int


class RecordSessionMissed(CareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """The participant did not come."""

    session: UUID
    excused: bool = False


class CancelSession(CareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """It will not take place."""

    session: UUID
    by: Literal["program", "participant"] = "program"


class InvolveFamilyMember(CareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """A family member took part: needs the participant's consent."""

    session: UUID
    relationship: str
    consent: str | None = None


class SetGoal(CareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """What the participant wants to reach."""

    goal: UUID
    description: str
    target: date | None = None


class RecordGoalProgress(CareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """How it goes."""

    goal: UUID
    achievement: Achievement
    note: str | None = None


class AchieveGoal(CareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Reached."""

    goal: UUID


class AbandonGoal(CareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Given up."""

    goal: UUID
    reason: str


class AgreeRelapsePreventionPlan(CareCommand, frozen=True, kw_only=True, omit_defaults=True):
    """At least one warning sign and one action step."""

    warning_signs: tuple[str, ...]
    action_steps: tuple[str, ...]
    contacts: tuple[str, ...] = ()
