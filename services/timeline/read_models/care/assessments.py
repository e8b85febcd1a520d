"""Last scores and open suicide-risk flags."""

from msgspec.structs import replace

from services.timeline.read_models.care.state import CareState, Score
from shared.events.assessment import (
    AssessmentCompleted,
    AssessmentCorrected,
    Instrument,
    RiskLevel,
    SuicideRiskFlagged,
    SuicideRiskResolved,
)
from shared.events.base import EventData
from shared.events.moment import before

HANDLES = (AssessmentCompleted, AssessmentCorrected, SuicideRiskFlagged, SuicideRiskResolved)

_RISING: tuple[RiskLevel, ...] = ("low", "moderate", "high")


def evolve(state: CareState, event: EventData) -> CareState:
    """Keep the latest score of each instrument, and the flags that nobody has resolved."""
    match event:
        case AssessmentCompleted():
            return _scored(state, event)
        case AssessmentCorrected():
            return _corrected(state, event)
        case SuicideRiskFlagged(assessment=id, level=level):
            return _at_risk(state, {**state.risks, str(id): level})
        case SuicideRiskResolved(assessment=id):
            return _at_risk(state, {flag: level for flag, level in state.risks.items() if flag != str(id)})
        case _:
            return state


def _scored(state: CareState, event: AssessmentCompleted) -> CareState:
    held = _held(state, event.instrument)
    if held is not None and before(event.administered_at, held.at):
        return state  # told late: a newer one stands
    score = Score(
        assessment=event.assessment, at=event.administered_at, total=event.total, severity=event.severity
    )
    return _with(state, event.instrument, score)


def _corrected(state: CareState, event: AssessmentCorrected) -> CareState:
    held = _held(state, event.instrument)
    if held is None or held.assessment != event.assessment:
        return state
    return _with(state, event.instrument, replace(held, total=event.total, severity=event.severity))


def _held(state: CareState, instrument: Instrument) -> Score | None:
    match instrument:
        case "PHQ-9":
            return state.phq9
        case "GAD-7":
            return state.gad7
        case "C-SSRS":
            return state.cssrs


def _with(state: CareState, instrument: Instrument, score: Score) -> CareState:
    match instrument:
        case "PHQ-9":
            return replace(state, phq9=score)
        case "GAD-7":
            return replace(state, gad7=score)
        case "C-SSRS":
            return replace(state, cssrs=score)


def _at_risk(state: CareState, risks: dict[str, RiskLevel]) -> CareState:
    return replace(state, risks=risks, risk_level=max(risks.values(), key=_RISING.index, default=None))
