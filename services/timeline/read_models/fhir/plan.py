"""CarePlan and Goal. A participant has one plan, as events tie goals to the person and not to an episode.

What was agreed against relapse is told by its action steps; whom to call and the warning signs stay here.
"""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from services.timeline.read_models.fhir.appointment import Appointment
from services.timeline.read_models.fhir.drawing import Drawn, Held, Topic
from services.timeline.read_models.fhir.elements import (
    Annotation,
    CodeableConcept,
    Element,
    Period,
    Reference,
    Resource,
    coded,
    derived,
    patient,
    reference,
    text,
)
from shared.events.envelope import Recorded
from shared.events.episode import CareClosedOnDeath, EpisodeCompleted, EpisodeEndedEarly, EpisodeOpened
from shared.events.plan import (
    GoalAbandoned,
    GoalAchieved,
    GoalProgressRecorded,
    GoalSet,
    RelapsePreventionPlanAgreed,
)

_ACHIEVEMENT: Final = "http://terminology.hl7.org/CodeSystem/goal-achievement"
_Goal = GoalSet | GoalProgressRecorded | GoalAchieved | GoalAbandoned


class Target(Element, frozen=True, kw_only=True):
    due_date: str


class Goal(Resource, frozen=True, kw_only=True, tag="Goal"):
    """http://hl7.org/fhir/R4/goal.html"""

    lifecycle_status: str
    description: CodeableConcept
    subject: Reference
    achievement_status: CodeableConcept | None = None
    start_date: str | None = None
    target: tuple[Target, ...] = ()
    status_reason: str | None = None
    note: tuple[Annotation, ...] = ()


class Detail(Element, frozen=True, kw_only=True):
    status: str
    description: str


class Activity(Element, frozen=True, kw_only=True):
    detail: Detail


class CarePlan(Resource, frozen=True, kw_only=True, tag="CarePlan"):
    """http://hl7.org/fhir/R4/careplan.html"""

    status: str
    intent: str
    subject: Reference
    period: Period | None = None
    goal: tuple[Reference, ...] = ()
    activity: tuple[Activity, ...] = ()


def _draw(held: Held, at: Recorded) -> Iterable[Drawn]:
    event = at.event.data
    if isinstance(event, CareClosedOnDeath):
        return _closed(held)
    if isinstance(event, _Goal):
        return _goal(held, at, event)
    return _plan(held, at)


def _plan_id(at: Recorded) -> UUID:
    return derived(at.event.subject, "care-plan")


def _plan(held: Held, at: Recorded) -> Iterable[Drawn]:
    had = held.get(CarePlan, _plan_id(at))
    match at.event.data:
        case EpisodeOpened(start=start):
            plan = had or _new_plan(at)
            yield Drawn(replace(plan, status="active", period=Period(start=start.isoformat())))
        case EpisodeCompleted() if had:
            yield Drawn(replace(had, status="completed"))
        case EpisodeEndedEarly() if had:
            yield Drawn(replace(had, status="revoked"))
        case RelapsePreventionPlanAgreed(action_steps=steps):
            told = tuple(
                Activity(detail=Detail(status="in-progress", description=step)) for step in steps if step
            )
            yield Drawn(replace(had or _new_plan(at), activity=told))
        case _:
            return


def _new_plan(at: Recorded) -> CarePlan:
    return CarePlan(id=_plan_id(at), status="active", intent="plan", subject=patient(at.event.subject))


def _goal(held: Held, at: Recorded, event: _Goal) -> Iterable[Drawn]:
    had = held.get(Goal, event.goal)
    match event:
        case GoalSet():
            yield Drawn(_set(at, event))
            plan = held.get(CarePlan, _plan_id(at)) or _new_plan(at)
            others = (other for other in plan.goal if other != reference("Goal", event.goal))
            yield Drawn(replace(plan, goal=(*others, reference("Goal", event.goal))))
        case GoalProgressRecorded(achievement=achievement, note=note) if had:
            added = (Annotation(text=note, time=at.event.time.isoformat()),) if note else ()
            status = coded(_ACHIEVEMENT, achievement)
            yield Drawn(replace(had, achievement_status=status, note=(*had.note, *added)))
        case GoalAchieved() if had:
            reached = coded(_ACHIEVEMENT, "achieved")
            yield Drawn(replace(had, lifecycle_status="completed", achievement_status=reached))
        case GoalAbandoned(reason=reason) if had:
            yield Drawn(replace(had, lifecycle_status="cancelled", status_reason=reason or None))
        case _:
            return


def _set(at: Recorded, event: GoalSet) -> Goal:
    return Goal(
        id=event.goal,
        lifecycle_status="active",
        description=CodeableConcept(text=event.description),
        subject=patient(at.event.subject),
        achievement_status=coded(_ACHIEVEMENT, "in-progress"),
        start_date=at.event.happened[:10],
        target=(Target(due_date=event.target.isoformat()),) if event.target else (),
    )


def _closed(held: Held) -> Iterable[Drawn]:
    """Nothing is planned any more."""
    for plan in held.all(CarePlan):
        yield Drawn(replace(plan, status="revoked") if plan.status == "active" else plan)
    for goal in held.all(Goal):
        yield Drawn(
            replace(goal, lifecycle_status="cancelled") if goal.lifecycle_status == "active" else goal
        )
    for booked in held.all(Appointment):
        if booked.status in {"booked", "proposed"}:
            yield Drawn(replace(booked, status="cancelled", cancelation_reason=text("deceased")))


TOPIC = Topic(
    handles=(
        EpisodeOpened,
        EpisodeCompleted,
        EpisodeEndedEarly,
        CareClosedOnDeath,
        GoalSet,
        GoalProgressRecorded,
        GoalAchieved,
        GoalAbandoned,
        RelapsePreventionPlanAgreed,
    ),
    draw=_draw,
)
