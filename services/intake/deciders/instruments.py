"""The screening instruments: their items, ranges, bands, and what in their answers is a risk of suicide.

Bands as published with each instrument (LOINC panels: PHQ-9 44249-1, GAD-7 69737-5, C-SSRS screener 93373-9).
An answer that is missing is never imputed: without it there is no total and no severity. What the answers
given already establish about the risk of suicide is still said.
"""

from collections.abc import Mapping
from typing import NamedTuple

from msgspec import Struct

from shared.commands.decision import Refused, refused
from shared.events.assessment import Instrument, RiskLevel

Answers = Mapping[str, int]


class Scale(NamedTuple):
    """What may be answered; `bands` are the lowest total of each, empty where nothing is summed."""

    items: tuple[str, ...]
    highest: int
    bands: tuple[tuple[int, str], ...] = ()
    highest_difficulty: int | None = (
        None  # of the question how difficult it all made life, which is not summed
    )


class Risk(NamedTuple):
    """A risk of suicide, and the answers that it is read from."""

    level: RiskLevel
    basis: str


class Score(Struct, frozen=True, kw_only=True):
    """What the answers say."""

    complete: bool
    total: int | None = None
    severity: str | None = None
    risk: Risk | None = None

    @property
    def flags(self) -> tuple[str, ...]:
        """What a reader must not miss."""
        return () if self.risk is None else ("suicide-risk",)


SCALES: dict[Instrument, Scale] = {
    "PHQ-9": Scale(
        items=tuple("123456789"),
        highest=3,
        bands=((20, "severe"), (15, "moderately severe"), (10, "moderate"), (5, "mild"), (0, "minimal")),
        highest_difficulty=3,
    ),
    "GAD-7": Scale(
        items=tuple("1234567"),
        highest=3,
        bands=((15, "severe"), (10, "moderate"), (5, "mild"), (0, "minimal")),
    ),
    "C-SSRS": Scale(items=(*"123456", "6-recent"), highest=1),
}

_C_SSRS_LEVELS: tuple[tuple[RiskLevel, tuple[str, ...]], ...] = (
    ("high", ("4", "5", "6-recent")),
    ("moderate", ("3", "6")),
    ("low", ("1", "2")),
)


def problem(
    instrument: Instrument, answers: Answers, total: int | None, difficulty: int | None
) -> Refused | None:
    """Refuse what the instrument cannot have been answered with, naming the field."""
    scale = SCALES[instrument]
    return (
        _bad_items(instrument, scale, answers)
        or _bad_difficulty(instrument, scale, difficulty)
        or _bad_total(instrument, scale, answers, total)
    )


def score(instrument: Instrument, answers: Answers) -> Score:
    """Score answers that have no problem."""
    scale = SCALES[instrument]
    complete = not missing(instrument, answers)
    if instrument == "C-SSRS":
        level = c_ssrs_level(answers)
        return Score(complete=complete, severity=(level or "none") if complete else None, risk=_risk(level))
    total = sum(answers.values()) if complete else None
    severity = None if total is None else next(name for least, name in scale.bands if total >= least)
    risk = phq_9_risk(answers) if instrument == "PHQ-9" else None
    return Score(complete=complete, total=total, severity=severity, risk=risk)


def missing(instrument: Instrument, answers: Answers) -> tuple[str, ...]:
    """Return the items that should have been answered.

    The C-SSRS screener skips questions 3 to 5 after a no to question 2, and asks whether it was within the
    last 3 months only after a yes to question 6: what the form skips is not missing.
    """
    skipped: set[str] = set()
    if instrument == "C-SSRS":
        skipped |= {"3", "4", "5"} if answers.get("2") == 0 else set()
        skipped |= {"6-recent"} if answers.get("6") == 0 else set()
    return tuple(item for item in SCALES[instrument].items if item not in answers and item not in skipped)


def c_ssrs_level(answers: Answers) -> RiskLevel | None:
    """Return the highest level that a yes establishes; None without any yes."""
    return next((level for level, items in _C_SSRS_LEVELS if any(answers.get(item) for item in items)), None)


def phq_9_risk(answers: Answers) -> Risk | None:
    """Read item 9, thoughts of being better off dead or of hurting oneself: any of it is a risk.

    The item has no validated level: it asks how often, not for a plan, an intent or an attempt. Flagged as
    moderate whatever its frequency: low would not call for a clinician the same day, which is what the
    program owes; high would claim what was not asked. The clinician's C-SSRS then says the level.
    """
    item_9 = answers.get("9", 0)
    return Risk("moderate", f"PHQ-9 item 9 = {item_9}") if item_9 >= 1 else None


def _risk(level: RiskLevel | None) -> Risk | None:
    """Flag C-SSRS moderate and high at their own level; low is a severity, not a flag (domain, policies)."""
    return Risk(level, f"C-SSRS {level}") if level in ("moderate", "high") else None


def _bad_items(instrument: Instrument, scale: Scale, answers: Answers) -> Refused | None:
    if not answers:
        return refused("items-missing", f"A {instrument} needs at least one answer.", "items")
    for item, answer in answers.items():
        if item not in scale.items:
            return refused("item-unknown", f"The {instrument} has no item {item}.", f"items.{item}")
        if not 0 <= answer <= scale.highest:
            sentence = (
                f"Item {item} of the {instrument} is answered with 0 to {scale.highest}, not with {answer}."
            )
            return refused("item-out-of-range", sentence, f"items.{item}")
    return None


def _bad_difficulty(instrument: Instrument, scale: Scale, difficulty: int | None) -> Refused | None:
    if difficulty is None:
        return None
    if scale.highest_difficulty is None:
        return refused("item-unknown", f"The {instrument} has no question about difficulty.", "difficulty")
    if 0 <= difficulty <= scale.highest_difficulty:
        return None
    sentence = f"Difficulty is answered with 0 to {scale.highest_difficulty}, not with {difficulty}."
    return refused("item-out-of-range", sentence, "difficulty")


def _bad_total(instrument: Instrument, scale: Scale, answers: Answers, total: int | None) -> Refused | None:
    if total is None:
        return None
    if not scale.bands:
        return refused("total-unknown", f"The {instrument} has no total.", "total")
    added = sum(answers.values())
    if total == added:
        return None
    return refused(
        "total-not-sum", f"The total {total} is not the sum of the items, which is {added}.", "total"
    )
