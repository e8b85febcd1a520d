"""Screening, risk and the recommended level of care."""

from datetime import tzinfo

from services.timeline.read_models.sentences.description import Description, after, corrected, said
from shared.events.assessment import (
    AssessmentCompleted,
    AssessmentCorrected,
    AssessmentDeclined,
    LevelOfCareRecommended,
    SuicideRiskFlagged,
    SuicideRiskResolved,
)
from shared.events.base import EventData

HANDLES = (
    AssessmentCompleted,
    AssessmentDeclined,
    AssessmentCorrected,
    SuicideRiskFlagged,
    SuicideRiskResolved,
    LevelOfCareRecommended,
)


def describe(event: EventData, _zone: tzinfo) -> Description:
    """Say what the instrument says."""
    match event:
        case AssessmentCompleted(instrument=instrument, mode=mode):
            return said(f"{instrument} completed", *_score(event), mode)
        case AssessmentCorrected(instrument=instrument, reason=reason):
            return corrected(f"{instrument} corrected", "now " + ", ".join(_score(event)), reason)
        case AssessmentDeclined(instrument=instrument, reason=reason):
            return said(f"{instrument} declined", reason)
        case SuicideRiskFlagged(level=level, basis=basis):
            return said(f"Suicide risk: {level}", basis, "a clinician must look today")
        case SuicideRiskResolved(clinician=clinician, action=action):
            return said("Suicide risk met", f"by {clinician}", action)
        case LevelOfCareRecommended():
            return _recommended(event)
        case _:
            raise TypeError(type(event))


def _score(event: AssessmentCompleted | AssessmentCorrected) -> tuple[str, ...]:
    total = "" if event.total is None else f"total {event.total}"
    told = (total, event.severity or "", *event.flags, "" if event.complete else "incomplete: no score")
    return tuple(filter(None, told))


def _recommended(event: LevelOfCareRecommended) -> Description:
    return said(
        f"Level of care {event.level} recommended",
        f"ASAM edition {event.edition}",
        "dimensions " + " ".join(f"{it.number}:{it.severity}" for it in event.dimensions),
        after("overridden by", event.overridden_by),
        event.reason,
    )
