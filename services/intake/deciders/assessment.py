"""What a participant was screened with, what came of it, and which level of care was recommended.

A refusal to answer and a recommendation have no ids of their own: the last of its kind tells a new one from a
command repeated. Declined twice in a row for the same reason, or recommended twice in a row with the same
ratings, is recorded once.
"""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from services.intake.deciders import asam, instruments
from services.intake.deciders.instruments import Score
from shared.commands.decision import Decision, Refused, refused
from shared.commands.intake import (
    CorrectAssessment,
    DeclineAssessment,
    RecommendLevelOfCare,
    RecordAssessment,
    ResolveSuicideRisk,
)
from shared.events.assessment import (
    AsamDimension,
    AssessmentCompleted,
    AssessmentCorrected,
    AssessmentDeclined,
    Instrument,
    LevelOfCareRecommended,
    RiskLevel,
    SuicideRiskFlagged,
    SuicideRiskResolved,
)
from shared.events.base import EventData

AssessmentCommand = (
    RecordAssessment | CorrectAssessment | DeclineAssessment | ResolveSuicideRisk | RecommendLevelOfCare
)

Answered = tuple[dict[str, int], int | None]  # items, difficulty


class Recorded(Struct, frozen=True, kw_only=True):
    """The answers of an assessment as they stand; `at_first` are those before any correction."""

    instrument: Instrument
    answers: Answered
    at_first: Answered


class Flag(Struct, frozen=True, kw_only=True):
    """A risk of suicide: open until a clinician says how it was met."""

    level: RiskLevel
    resolved: SuicideRiskResolved | None = None


class State(Struct, frozen=True, kw_only=True):
    """Assessments and flags, by assessment."""

    recorded: dict[UUID, Recorded] = {}
    flags: dict[UUID, Flag] = {}
    declined: dict[Instrument, AssessmentDeclined] = {}  # since the instrument was last answered
    recommended: LevelOfCareRecommended | None = None


def evolve(state: State, event: EventData) -> State:
    """Keep the answers as they stand, and which flags are open."""
    match event:
        case AssessmentCompleted(instrument=instrument):
            declined = {other: why for other, why in state.declined.items() if other != instrument}
            return replace(_recorded(state, event), declined=declined)
        case AssessmentCorrected():
            return _recorded(state, event)
        case AssessmentDeclined(instrument=instrument):
            return replace(state, declined={**state.declined, instrument: event})
        case SuicideRiskFlagged(assessment=assessment, level=level):
            return replace(state, flags={**state.flags, assessment: Flag(level=level)})
        case SuicideRiskResolved(assessment=assessment) if assessment in state.flags:
            flag = replace(state.flags[assessment], resolved=event)
            return replace(state, flags={**state.flags, assessment: flag})
        case LevelOfCareRecommended():
            return replace(state, recommended=event)
        case _:
            return state


def _recorded(state: State, event: AssessmentCompleted | AssessmentCorrected) -> State:
    before = state.recorded.get(event.assessment)
    answers = (event.items, event.difficulty)
    at_first = answers if before is None else before.at_first
    recorded = Recorded(instrument=event.instrument, answers=answers, at_first=at_first)
    return replace(state, recorded={**state.recorded, event.assessment: recorded})


def decide(command: AssessmentCommand, state: State) -> Decision:
    """Score what was answered, flag what a clinician must see, recommend a level."""
    match command:
        case RecordAssessment():
            return _record(command, state)
        case CorrectAssessment():
            return _correct(command, state)
        case DeclineAssessment(instrument=instrument, reason=reason):
            declined = AssessmentDeclined(instrument=instrument, reason=reason)
            return [] if state.declined.get(instrument) == declined else [declined]
        case ResolveSuicideRisk():
            return _resolve(command, state)
        case RecommendLevelOfCare():
            return _bad_recommendation(command) or _recommend(command, state)


def _record(command: RecordAssessment, state: State) -> Decision:
    held = state.recorded.get(command.assessment)
    if held is not None:
        return _again(command, held)
    problem = instruments.problem(command.instrument, command.items, command.total, command.difficulty)
    if problem is not None:
        return problem
    score = instruments.score(command.instrument, command.items)
    completed = AssessmentCompleted(
        assessment=command.assessment,
        instrument=command.instrument,
        items=command.items,
        administered_at=command.administered_at,
        mode=command.mode,
        complete=score.complete,
        total=score.total,
        severity=score.severity,
        flags=score.flags,
        difficulty=command.difficulty,
        message=command.message,
    )
    return [completed, *_flagged(command.assessment, score, state)]


def _again(command: RecordAssessment, held: Recorded) -> Decision:
    is_same = (command.items, command.difficulty) in (held.answers, held.at_first)
    if is_same and command.instrument == held.instrument:
        return []
    sentence = "This assessment is recorded with other answers: correct it instead."
    return refused("assessment-recorded", sentence, "assessment")


def _correct(command: CorrectAssessment, state: State) -> Decision:
    held = state.recorded.get(command.assessment)
    if held is None:
        return refused("assessment-unknown", "The participant has no such assessment.", "assessment")
    problem = instruments.problem(held.instrument, command.items, command.total, command.difficulty)
    if problem is not None:
        return problem
    if (command.items, command.difficulty) == held.answers:
        return []
    score = instruments.score(held.instrument, command.items)
    corrected = AssessmentCorrected(
        assessment=command.assessment,
        instrument=held.instrument,
        items=command.items,
        reason=command.reason,
        complete=score.complete,
        total=score.total,
        severity=score.severity,
        flags=score.flags,
        difficulty=command.difficulty,
    )
    return [corrected, *_flagged(command.assessment, score, state)]


def _flagged(assessment: UUID, score: Score, state: State) -> list[SuicideRiskFlagged]:
    """Flag an assessment once; again only where a correction raises the level that a clinician was shown.

    A correction that takes the risk away closes no flag: a clinician does.
    """
    flag = state.flags.get(assessment)
    if score.risk is None or (flag is not None and flag.level in {"high", score.risk.level}):
        return []
    level, basis = score.risk
    return [SuicideRiskFlagged(level=level, basis=basis, assessment=assessment)]


def _resolve(command: ResolveSuicideRisk, state: State) -> Decision:
    resolved = SuicideRiskResolved(
        assessment=command.assessment, clinician=command.clinician, action=command.action
    )
    flag = state.flags.get(command.assessment)
    if flag is None:
        return refused("risk-not-flagged", "This assessment raised no risk of suicide.", "assessment")
    if flag.resolved is None:
        return [resolved]
    if flag.resolved == resolved:
        return []
    sentence = f"{flag.resolved.clinician} has already said how this risk was met."
    return refused("risk-already-resolved", sentence, "assessment")


def _bad_recommendation(command: RecommendLevelOfCare) -> Refused | None:
    return _bad_dimensions(command.dimensions) or _bad_override(command)


def _bad_dimensions(dimensions: Sequence[AsamDimension]) -> Refused | None:
    times = Counter(dimension.number for dimension in dimensions)
    for number in times:
        if number not in asam.DIMENSIONS:
            return refused("dimension-unknown", f"There is no dimension {number}.", f"dimensions.{number}")
    for number in asam.DIMENSIONS:
        if times[number] != 1:
            sentence = f"Dimension {number} is rated {times[number]} times: each of 1 to 6 is rated once."
            return refused("dimension-not-once", sentence, f"dimensions.{number}")
    for dimension in dimensions:
        if dimension.severity not in asam.SEVERITIES:
            sentence = f"The severity of dimension {dimension.number} is 0 to 4, not {dimension.severity}."
            return refused("severity-out-of-range", sentence, f"dimensions.{dimension.number}")
    return None


def _bad_override(command: RecommendLevelOfCare) -> Refused | None:
    match command:
        case RecommendLevelOfCare(level=None, overridden_by=None, reason=None):
            return None
        case RecommendLevelOfCare(level=None):
            return refused("override-incomplete", "An override needs the level that was chosen.", "level")
        case RecommendLevelOfCare(level=str() as level, edition=edition) if level not in asam.LEVELS[edition]:
            return asam.unknown_level(edition, level)
        case RecommendLevelOfCare(overridden_by=by) if not by:
            return refused("override-incomplete", "An override needs who decided it.", "overridden_by")
        case RecommendLevelOfCare(reason=reason) if not reason:
            return refused("override-incomplete", "An override needs its reason.", "reason")
        case _:
            return None


def _recommend(command: RecommendLevelOfCare, state: State) -> Decision:
    recommended = LevelOfCareRecommended(
        edition=command.edition,
        dimensions=tuple(sorted(command.dimensions, key=lambda dimension: dimension.number)),
        level=command.level or asam.level_called_for(command.edition, command.dimensions),
        overridden_by=command.overridden_by,
        reason=command.reason,
    )
    return [] if recommended == state.recommended else [recommended]
