"""ASAM levels of care, and the level that this program's rule calls for."""

from collections.abc import Sequence
from typing import NamedTuple

from shared.commands.decision import Refused, refused
from shared.events.assessment import AsamDimension, AsamEdition

LEVELS: dict[AsamEdition, tuple[str, ...]] = {
    "3": (
        "0.5",
        "1",
        "2.1",
        "2.5",
        "3.1",
        "3.3",
        "3.5",
        "3.7",
        "4",
        # withdrawal management
        "1-WM",
        "2-WM",
        "3.2-WM",
        "3.7-WM",
        "4-WM",
    ),
    "4": ("1.0", "1.5", "1.7", "2.1", "2.5", "2.7", "3.1", "3.5", "3.7", "4"),
}

DIMENSIONS = range(1, 7)
SEVERITIES = range(5)  # 0 none, 1 mild, 2 moderate, 3 severe, 4 very severe


def unknown_level(edition: AsamEdition, level: str) -> Refused:
    """Refuse a level that the edition does not have, naming those that it has."""
    has = ", ".join(LEVELS[edition])
    return refused("level-unknown", f"ASAM edition {edition} has no level {level}; it has {has}.", "level")


class Rule(NamedTuple):
    """So many of these dimensions at this severity or above call for this level."""

    dimensions: frozenset[int]
    severity: int
    how_many: int
    level: dict[AsamEdition, str]


_CLINICAL = frozenset(
    {1, 2, 3}
)  # withdrawal, biomedical, emotional or psychiatric: they ask for care at hand
_OTHER = frozenset({4, 5, 6})  # readiness, relapse, environment; 4th edition: use, environment, preferences
_ANY = _CLINICAL | _OTHER

RULES = (
    Rule(_CLINICAL, 4, 1, {"3": "4", "4": "4"}),
    Rule(_CLINICAL, 3, 2, {"3": "3.7", "4": "3.7"}),
    Rule(_OTHER, 4, 1, {"3": "3.5", "4": "3.5"}),
    Rule(_CLINICAL, 3, 1, {"3": "2.5", "4": "2.7"}),
    Rule(_OTHER, 3, 2, {"3": "2.5", "4": "2.5"}),
    Rule(_ANY, 3, 1, {"3": "2.1", "4": "2.1"}),
    Rule(_ANY, 2, 2, {"3": "2.1", "4": "2.1"}),
    Rule(_ANY, 1, 1, {"3": "1", "4": "1.5"}),
    Rule(_ANY, 0, 0, {"3": "0.5", "4": "1.0"}),
)

_NOT_COUNTED: dict[AsamEdition, frozenset[int]] = {
    "3": frozenset(),
    "4": frozenset({6}),  # what the person wants and can take up: it shapes the plan, not the level
}


def level_called_for(edition: AsamEdition, dimensions: Sequence[AsamDimension]) -> str:
    """Return the level that the severities call for: the first rule that applies.

    The rules are the program's own aid, not the criteria's text; a clinician overrides them with a reason.
    They go from the highest level down, so that a higher severity never calls for a lower level.
    """
    counted = [one for one in dimensions if one.number not in _NOT_COUNTED[edition]]
    return next(rule.level[edition] for rule in RULES if _applies(rule, counted))


def _applies(rule: Rule, dimensions: Sequence[AsamDimension]) -> bool:
    reach = [one for one in dimensions if one.number in rule.dimensions and one.severity >= rule.severity]
    return len(reach) >= rule.how_many
