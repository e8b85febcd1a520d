"""The screening instruments as LOINC names them: panels, items, totals, and answers with their value."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from shared.events.assessment import Instrument

# Answer lists LL358-3 (how often), LL359-1 (how difficult) and yes/no.
_HOW_OFTEN: Final = {"LA6568-5": 0, "LA6569-3": 1, "LA6570-1": 2, "LA6571-9": 3}
_HOW_DIFFICULT: Final = {"LA6572-7": 0, "LA6573-5": 1, "LA6575-0": 2, "LA6574-3": 3}
_YES_NO: Final = {"LA32-8": 0, "LA33-6": 1}


class Panel(Struct, frozen=True, kw_only=True):
    """One instrument: LOINC codes of its parts, and what its coded answers count."""

    instrument: Instrument
    panel: str
    items: Mapping[str, str]  # LOINC -> item number, as in AssessmentCompleted
    answers: Mapping[str, int]
    total: str | None = None
    difficulty: str | None = None
    derived: frozenset[str] = frozenset()  # what follows from the answers and is not read

    @property
    def is_yes_or_no(self) -> bool:
        """Tell whether its questions are answered with yes or no."""
        return self.answers is _YES_NO


PANELS: Final = (
    Panel(
        instrument="PHQ-9",
        panel="44249-1",
        items={
            "44250-9": "1",
            "44255-8": "2",
            "44259-0": "3",
            "44254-1": "4",
            "44251-7": "5",
            "44258-2": "6",
            "44252-5": "7",
            "44253-3": "8",
            "44260-8": "9",
        },
        answers=_HOW_OFTEN,
        total="44261-6",
        difficulty="69722-7",
    ),
    Panel(
        instrument="GAD-7",
        panel="69737-5",
        items={
            "69725-0": "1",
            "68509-9": "2",
            "69733-4": "3",
            "69734-2": "4",
            "69735-9": "5",
            "69689-8": "6",
            "69736-7": "7",
        },
        answers=_HOW_OFTEN,
        total="70274-6",
    ),
    Panel(
        instrument="C-SSRS",
        panel="93373-9",
        items={
            "93246-7": "1",
            "93247-5": "2",
            "93248-3": "3",
            "93249-1": "4",
            "93250-9": "5",
            "93267-3": "6",
            "93269-9": "6-recent",
        },
        answers=_YES_NO,
        derived=frozenset({"93374-7"}),
    ),
)

PANEL_OF_ITEM: Final = {code: panel for panel in PANELS for code in panel.items}
"""The instrument that an item's LOINC code belongs to; no item is of two."""

PANEL_OF_TOTAL: Final = {panel.total: panel for panel in PANELS if panel.total}
PANEL_OF_DIFFICULTY: Final = {panel.difficulty: panel for panel in PANELS if panel.difficulty}

DIFFICULTY_ANSWERS: Final[Mapping[str, int]] = _HOW_DIFFICULT
