"""The screening instruments in LOINC, to read and to write: panel, questions, total, codes of answers."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from shared.events.assessment import Instrument

HOW_OFTEN: Final = ("LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9")  # answer list LL358-3: 0 to 3
HOW_DIFFICULT: Final = ("LA6572-7", "LA6573-5", "LA6575-0", "LA6574-3")  # answer list LL359-1: 0 to 3
NO_YES: Final = ("LA32-8", "LA33-6")


class InstrumentCodes(Struct, frozen=True, kw_only=True):
    """One instrument; `answers` are the codes of 0, 1, …"""

    panel: str
    questions: Mapping[str, str]  # item as in AssessmentCompleted -> LOINC
    answers: tuple[str, ...]
    total: str | None = None
    difficulty: str | None = None
    derived: frozenset[str] = frozenset()  # what follows from the answers: written by some, read by nobody


def _numbered(*codes: str) -> Mapping[str, str]:
    return {str(number): code for number, code in enumerate(codes, 1)}


INSTRUMENTS: Final[Mapping[Instrument, InstrumentCodes]] = {
    "PHQ-9": InstrumentCodes(
        panel="44249-1",
        questions=_numbered(
            "44250-9",
            "44255-8",
            "44259-0",
            "44254-1",
            "44251-7",
            "44258-2",
            "44252-5",
            "44253-3",
            "44260-8",
        ),
        answers=HOW_OFTEN,
        total="44261-6",
        difficulty="69722-7",
    ),
    "GAD-7": InstrumentCodes(
        panel="69737-5",
        questions=_numbered("69725-0", "68509-9", "69733-4", "69734-2", "69735-9", "69689-8", "69736-7"),
        answers=HOW_OFTEN,
        total="70274-6",
    ),
    "C-SSRS": InstrumentCodes(
        panel="93373-9",
        questions={
            **_numbered("93246-7", "93247-5", "93248-3", "93249-1", "93250-9", "93267-3"),
            "6-recent": "93269-9",
        },
        answers=NO_YES,
        derived=frozenset({"93374-7"}),
    ),
}
