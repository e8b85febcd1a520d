"""What enrolment, assessments, sessions and the plan ask of a coordinator."""

from datetime import date, timedelta
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from services.timeline.read_models.tasks.desk import IN_CARE, Desk, Kind
from services.timeline.read_models.tasks.referrals import close_before_care
from shared.events.assessment import (
    AssessmentCompleted,
    AssessmentDeclined,
    Instrument,
    LevelOfCareRecommended,
    SuicideRiskFlagged,
    SuicideRiskResolved,
)
from shared.events.base import EventData
from shared.events.enrolment import Enrolled, OrientationCompleted
from shared.events.episode import (
    EpisodeCompleted,
    EpisodeEndedEarly,
    EpisodeOpened,
    EpisodePaused,
    EpisodeResumed,
    SteppedDown,
    SteppedUp,
)
from shared.events.plan import (
    GoalAbandoned,
    GoalAchieved,
    GoalProgressRecorded,
    GoalSet,
    RelapsePreventionPlanAgreed,
)
from shared.events.session import SessionAttended, SessionMissed

HANDLES = (
    SuicideRiskFlagged,
    SuicideRiskResolved,
    AssessmentCompleted,
    AssessmentDeclined,
    LevelOfCareRecommended,
    Enrolled,
    OrientationCompleted,
    EpisodeOpened,
    EpisodePaused,
    EpisodeResumed,
    EpisodeCompleted,
    EpisodeEndedEarly,
    SteppedUp,
    SteppedDown,
    SessionAttended,
    SessionMissed,
    GoalSet,
    GoalProgressRecorded,
    GoalAchieved,
    GoalAbandoned,
    RelapsePreventionPlanAgreed,
)

REPEATED: Final[tuple[Instrument, ...]] = ("PHQ-9", "GAD-7")
REPEATED_AFTER: Final = timedelta(weeks=2)
FIRST_WEEK: Final = timedelta(days=7)

_ENROLMENT: Final = "enrolment"  # what assessments are held for while the participant is not in care
_RESUMPTION: Final = "resumption"
_OF_THE_PROGRAM: Final[tuple[Kind, ...]] = ("orientation", "first-week-plan", "missed-session", "plan-review")


def apply(desk: Desk, event: EventData) -> None:
    """Open what care needs next, close what was done."""
    match event:
        case SuicideRiskFlagged() | SuicideRiskResolved():
            _risk(desk, event)
        case AssessmentCompleted() | AssessmentDeclined() | LevelOfCareRecommended():
            _assessed(desk, event)
        case Enrolled():
            _enrolled(desk, event)
        case OrientationCompleted(enrolment=id):
            desk.close(f"orientation:{id}")
        case EpisodeOpened(start=start):
            _begin(desk, start)
        case EpisodeCompleted() | EpisodeEndedEarly():
            _end(desk)
        case SessionMissed(session=id, excused=excused):
            _missed(desk, id, excused=excused)
        case SessionAttended():
            desk.close("missed-session")
        case SteppedDown(discharge=UUID()):
            pass  # a hospital's discharge reviews no plan
        case _:
            _planned(desk, event)


def _planned(desk: Desk, event: EventData) -> None:
    """Whoever changes the plan or the level has reviewed it."""
    desk.close("plan-review")
    match event:
        case GoalSet():
            desk.close_kinds("first-week-plan")
        case EpisodePaused():
            desk.close("missed-session")
            desk.hold([row for row in desk.rows.all() if row.kind == "assessment"], _RESUMPTION)
        case EpisodeResumed():
            desk.release(_RESUMPTION)
        case _:
            pass


def _risk(desk: Desk, event: SuicideRiskFlagged | SuicideRiskResolved) -> None:
    task = f"risk:{event.assessment}"
    if isinstance(event, SuicideRiskResolved):
        desk.close(task)
        return
    desk.open(
        task,
        "suicide-risk",
        "Suicide risk: a clinician must look today",
        due=desk.today,
        detail=f"{event.level.capitalize()} risk: {event.basis}",
        priority="safety",
        about=(event.assessment,),
    )


def _assessed(desk: Desk, event: AssessmentCompleted | AssessmentDeclined | LevelOfCareRecommended) -> None:
    match event:
        case LevelOfCareRecommended():
            _recommended(desk, event)
        case AssessmentCompleted(instrument=instrument, complete=True) if instrument in REPEATED:
            _repeat(desk, instrument, desk.site.day_of(event.administered_at) + REPEATED_AFTER)
        case AssessmentDeclined(instrument=instrument) if instrument in REPEATED:
            _repeat(desk, instrument, desk.today + REPEATED_AFTER)
        case _:
            pass  # an incomplete one has no score: it stays due


def _repeat(desk: Desk, instrument: Instrument, due: date) -> None:
    task = f"assessment:{instrument}"
    held = desk.get(task)
    if held is not None:  # one told late does not bring the next one forward
        desk.rows.put(replace(held, due=due if held.due is None else max(due, held.due)))
        return
    _open_assessment(desk, instrument, due, None if desk.remembers(IN_CARE) else _ENROLMENT)


def _open_assessment(desk: Desk, instrument: Instrument, due: date, held_for: str | None) -> None:
    title = f"Repeat the {instrument}"
    task = f"assessment:{instrument}"
    desk.open(task, "assessment", title, due=due, about=(instrument,), held_for=held_for)


def _recommended(desk: Desk, event: LevelOfCareRecommended) -> None:
    desk.close_kinds("assess")
    if desk.remembers(IN_CARE):
        return
    detail = f"ASAM level {event.level} (edition {event.edition}) is recommended."
    due = desk.in_business_days(2)
    desk.open("enrolment", "decide-enrolment", "Enrol or decline", due=due, detail=detail)


def _enrolled(desk: Desk, event: Enrolled) -> None:
    close_before_care(desk, event.referral)
    _begin(desk, event.start)
    due = event.start if event.start > desk.today else desk.in_business_days(1)
    id, detail = event.enrolment, f"{event.program}, from {event.start}"
    desk.open(f"orientation:{id}", "orientation", "Give the orientation", due=due, detail=detail, about=(id,))
    plan_due = max(event.start, desk.today) + FIRST_WEEK
    title = "Agree the plan of the first week"
    desk.open(f"first-week-plan:{id}", "first-week-plan", title, due=plan_due, detail=detail, about=(id,))


def _begin(desk: Desk, start: date) -> None:
    """Care begins with the enrolment or the episode, whichever is told first."""
    desk.close("enrolment")
    if desk.remembers(IN_CARE):
        return
    desk.remember(IN_CARE)
    for instrument in REPEATED:
        earlier = desk.get(f"assessment:{instrument}")
        due = start if earlier is None or earlier.due is None else max(start, earlier.due)
        _open_assessment(desk, instrument, due, None)


def _end(desk: Desk) -> None:
    desk.close(IN_CARE)
    desk.close_kinds(*_OF_THE_PROGRAM)
    for row in list(desk.rows.all()):
        if row.kind == "assessment":
            desk.rows.put(replace(row, held_for=_ENROLMENT))


def _missed(desk: Desk, session: UUID, *, excused: bool) -> None:
    """One outreach for all sessions missed since the last one attended; the second asks for a review."""
    before = desk.get("missed-session")
    missed = (*(before.about if before else ()), str(session))
    due = desk.in_business_days(1)
    detail = f"{len(missed)} sessions missed in a row" if before else "A session was missed"
    title = "Reach out after the missed session"
    excuse = ", this one excused." if excused else "."
    desk.open("missed-session", "missed-session", title, due=due, detail=detail + excuse, about=missed)
    if before:
        desk.open("plan-review", "plan-review", "Review the plan", due=due, detail=detail + ".", about=missed)
