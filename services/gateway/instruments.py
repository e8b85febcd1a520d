"""The screening instruments as they are read: what a LOINC code is a part of, what a coded answer counts."""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from shared.events.assessment import Instrument
from shared.loinc import HOW_DIFFICULT, INSTRUMENTS, NO_YES, InstrumentCodes


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
        return set(self.answers) == set(NO_YES)


def _counted(codes: Iterable[str]) -> Mapping[str, int]:
    return {code: value for value, code in enumerate(codes)}


def _panel(instrument: Instrument, codes: InstrumentCodes) -> Panel:
    return Panel(
        instrument=instrument,
        panel=codes.panel,
        items={code: item for item, code in codes.questions.items()},
        answers=_counted(codes.answers),
        total=codes.total,
        difficulty=codes.difficulty,
        derived=codes.derived,
    )


PANELS: Final = tuple(_panel(instrument, codes) for instrument, codes in INSTRUMENTS.items())

PANEL_OF_ITEM: Final = {code: panel for panel in PANELS for code in panel.items}
"""The instrument that an item's LOINC code belongs to; no item is of two."""

PANEL_OF_TOTAL: Final = {panel.total: panel for panel in PANELS if panel.total}
PANEL_OF_DIFFICULTY: Final = {panel.difficulty: panel for panel in PANELS if panel.difficulty}

DIFFICULTY_ANSWERS: Final[Mapping[str, int]] = _counted(HOW_DIFFICULT)
