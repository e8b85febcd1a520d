"""The individual plan: goals and relapse prevention (FHIR CarePlan, Goal)."""

from datetime import date
from typing import Literal
from uuid import UUID

from shared.events.base import EventData

Achievement = Literal[
    "in-progress", "improving", "worsening", "no-change", "sustaining", "not-achieved", "not-attainable"
]  # FHIR goal-achievement, but for achieved, which is an event of its own


class GoalSet(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """What the participant wants to reach, in their words."""

    goal: UUID
    description: str
    target: date | None = None


class GoalProgressRecorded(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """How it goes."""

    goal: UUID
    achievement: Achievement
    note: str | None = None


class GoalAchieved(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """Reached."""

    goal: UUID


class GoalAbandoned(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """Given up, and why."""

    goal: UUID
    reason: str


class RelapsePreventionPlanAgreed(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """Warning signs, what to do, whom to call. A later one replaces it."""

    warning_signs: tuple[str, ...]
    action_steps: tuple[str, ...]
    contacts: tuple[str, ...] = ()


PlanEvent = GoalSet | GoalProgressRecorded | GoalAchieved | GoalAbandoned | RelapsePreventionPlanAgreed
