"""Screening instruments and what they say (FHIR QuestionnaireResponse, Observation; ASAM criteria)."""

from typing import Literal
from uuid import UUID

from msgspec import Struct

from shared.events.base import EventData, MessageReference
from shared.events.moment import Moment

Instrument = Literal["PHQ-9", "GAD-7", "C-SSRS"]
AssessmentMode = Literal["in-person", "telehealth", "self", "phone"]
RiskLevel = Literal["low", "moderate", "high"]
AsamEdition = Literal["3", "4"]


class AssessmentCompleted(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """An instrument's answers as given; with an item missing there is no total and no severity."""

    assessment: UUID
    instrument: Instrument
    items: dict[str, int]  # item number -> answer; yes is 1, no is 0; "6-recent" for C-SSRS within 3 months
    administered_at: Moment
    mode: AssessmentMode
    edition: str = "1"
    complete: bool = True
    total: int | None = None
    severity: str | None = None
    flags: tuple[str, ...] = ()
    difficulty: int | None = None  # PHQ-9's tenth question (69722-7), not part of the total
    message: MessageReference | None = None


class AssessmentDeclined(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """The participant did not want to answer."""

    instrument: Instrument
    reason: str | None = None


class AssessmentCorrected(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """The answers of an earlier assessment were recorded wrongly: these replace them."""

    assessment: UUID
    instrument: Instrument
    items: dict[str, int]
    reason: str
    complete: bool = True
    total: int | None = None
    severity: str | None = None
    flags: tuple[str, ...] = ()
    difficulty: int | None = None


class SuicideRiskFlagged(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """A clinician must look today: PHQ-9 item 9 above 0, or C-SSRS moderate or high."""

    level: RiskLevel
    basis: str  # "PHQ-9 item 9 = 2", "C-SSRS high"
    assessment: UUID


class SuicideRiskResolved(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """A clinician looked and says how it was met."""

    assessment: UUID
    clinician: str
    action: str


class AsamDimension(Struct, frozen=True, kw_only=True):
    """One of the six dimensions with its severity, 0 (none) to 4 (very severe)."""

    number: int
    severity: int


class LevelOfCareRecommended(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """The level that the dimensions call for, and the one chosen where a clinician overrides it."""

    edition: AsamEdition
    dimensions: tuple[AsamDimension, ...]
    level: str
    overridden_by: str | None = None
    reason: str | None = None


AssessmentEvent = (
    AssessmentCompleted
    | AssessmentDeclined
    | AssessmentCorrected
    | SuicideRiskFlagged
    | SuicideRiskResolved
    | LevelOfCareRecommended
)
