"""OBR and OBX: results, and among them the screening instruments that we know (v2.8 chapter 7)."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from services.gateway.hl7v2.coding import coding
from services.gateway.hl7v2.error import Condition, Hl7Error, Place, too_much
from services.gateway.hl7v2.message import Composite, Segment
from services.gateway.hl7v2.reading import Reading
from services.gateway.instruments import (
    DIFFICULTY_ANSWERS,
    PANEL_OF_DIFFICULTY,
    PANEL_OF_ITEM,
    PANEL_OF_TOTAL,
    Panel,
)
from shared.events.assessment import Instrument
from shared.events.base import Coding
from shared.events.moment import Moment

_LOINC: Final = {"LN", "LOINC", "LNC", ""}
_NUMBER: Final = re.compile(r"\+?(\d{1,3})(?:\.0*)?", re.ASCII)
_NOT_A_RESULT: Final = frozenset(
    {"D", "W", "X", "N", "O", "I"}
)  # HL7 table 0085: withdrawn, or not there yet
_CORRECTED: Final = "C"
_YES_OR_NO: Final = {"Y": 1, "YES": 1, "N": 0, "NO": 0}  # HL7 table 0136, and in words
_COMPARATORS: Final = frozenset({"<", ">", "<=", ">=", "<>"})  # of SN
_MOST_SITTINGS: Final = 50
_NO_ANSWER: Final = frozenset({"NULLFL", "HL70353"})  # systems whose codes say why there is no answer


class Answers(Struct, kw_only=True):
    """What one observation group says of one instrument."""

    instrument: Instrument
    items: dict[str, int]
    administered: Moment | None
    total: int | None = None
    difficulty: int | None = None

    def meets(self, other: "Answers") -> bool:
        """Tell whether both are of the same sitting: senders may order each question alone."""
        return (
            self.instrument == other.instrument
            and self.administered == other.administered
            and self.items.keys().isdisjoint(other.items)
            and (self.total is None or other.total is None)
        )

    def has(self, panel: Panel, code: str) -> bool:
        """Tell whether this question is answered here."""
        if code == panel.total:
            return self.total is not None
        if code == panel.difficulty:
            return self.difficulty is not None
        return panel.items[code] in self.items

    def repeats(self, other: "Answers") -> bool:
        """Tell whether it says only what the other of the same group says."""
        return (
            self.instrument == other.instrument
            and self.items.items() <= other.items.items()
            and self.total in {None, other.total}
            and self.difficulty in {None, other.difficulty}
        )

    def join(self, other: "Answers") -> None:
        """Take over what the other says."""
        self.items.update(other.items)
        self.total = other.total if self.total is None else self.total
        self.difficulty = other.difficulty if self.difficulty is None else self.difficulty


def answers(reading: Reading) -> tuple[Answers, ...]:
    """Read every instrument of ours, one for each sitting.

    A total without any item is none: nobody could check it. Raises Hl7Error, naming the OBX, for an answer
    that is neither a number nor a code of the question's answer list: leaving it out could hide a risk.
    """
    joined: list[Answers] = []
    for group in _groups(reading):
        for found in _of_group(reading, group):
            same = next((known for known in joined if known.meets(found)), None)
            if same is None:
                joined.append(found)
                _check_sittings(joined)
            else:
                same.join(found)
    for found in joined:
        if not found.items:
            reading.warn(f"A {found.instrument} score without any answer was not taken as an assessment.")
    return tuple(found for found in joined if found.items)


def _check_sittings(found: Sequence[Answers]) -> None:
    if len(found) > _MOST_SITTINGS:
        sentence = f"A message may tell of {_MOST_SITTINGS} assessments of a patient at most."
        raise too_much("OBR", 0, sentence)


def codes(reading: Reading) -> tuple[Coding, ...]:
    """Return what was observed: the orders' codes (OBR-4), else the results' (OBX-3)."""
    for name, field in (("OBR", 4), ("OBX", 3)):
        read = (coding(segment.field(field)) for segment in reading.message.segments(name))
        if found := tuple(dict.fromkeys(each for each in read if each)):
            return found
    return ()


def _groups(reading: Reading) -> Iterator[tuple[Segment | None, list[Segment]]]:
    """Give each OBR with its OBX; what comes before the first OBR belongs to none."""
    obr: Segment | None = None
    results: list[Segment] = []
    for segment in reading.message:
        if segment.name == "OBR":
            yield obr, results
            obr, results = segment, []
        elif segment.name == "OBX":
            results.append(segment)
    yield obr, results


def _of_group(reading: Reading, group: tuple[Segment | None, list[Segment]]) -> list[Answers]:
    """Read one group's sittings: a question that is answered a second time begins another.

    Taking the last of two answers for both could hide a risk. One that says that it corrects (C) replaces.
    """
    obr, results = group
    found: list[Answers] = []
    for obx in results:
        code = _loinc(obx.field(3))
        panel = PANEL_OF_ITEM.get(code) or PANEL_OF_TOTAL.get(code) or PANEL_OF_DIFFICULTY.get(code)
        value = _value(obx, panel, code) if panel and _is_result(obx) else None
        if panel is None or value is None:
            continue
        answered = next((each for each in reversed(found) if each.instrument == panel.instrument), None)
        if answered is None or (answered.has(panel, code) and not _corrects(obx)):
            administered = reading.moment(obr, 7) or reading.moment(obx, 14)
            answered = Answers(instrument=panel.instrument, items={}, administered=administered)
            found.append(answered)
            _check_sittings(found)
        _put(answered, panel, code, value)
    return [each for at, each in enumerate(found) if not any(each.repeats(other) for other in found[:at])]


def _corrects(obx: Segment) -> bool:
    return obx.text(11).strip().upper() == _CORRECTED


def _put(answered: Answers, panel: Panel, code: str, value: int) -> None:
    if code == panel.total:
        answered.total = value
    elif code == panel.difficulty:
        answered.difficulty = value
    else:
        answered.items[panel.items[code]] = value


def _loinc(observed: Composite) -> str:
    """Return the code of the coding that is LOINC's, the first or the alternate one."""
    for code, system in ((1, 3), (4, 6)):
        if observed.text(system).strip().upper() in _LOINC and (found := observed.text(code).strip()):
            return found
    return ""


def _is_result(obx: Segment) -> bool:
    return obx.text(11).strip().upper() not in _NOT_A_RESULT


def _value(obx: Segment, panel: Panel, code: str) -> int | None:
    """Read OBX-5; None where the question was not answered."""
    told = obx.field(5)
    if len(obx.repetitions(5)) > 1 or _is_range(obx):
        raise _unreadable(obx)
    parts = [told.text(part).strip() for part in (1, 4, 2, 5)]
    if not any(parts) or told.text(3).strip().upper() in _NO_ANSWER:
        return None
    known = DIFFICULTY_ANSWERS if code in PANEL_OF_DIFFICULTY else panel.answers
    value = _first(known.get(part) for part in parts)
    if value is None and panel.is_yes_or_no:
        value = _first(_YES_OR_NO.get(part.upper()) for part in parts)
    if value is None:
        value = _first(_number(part) for part in parts)
    if value is None:
        raise _unreadable(obx)
    return value


def _is_range(obx: Segment) -> bool:
    """SN: a comparator or a separator makes of one number many (v2.8 section 2.A.71)."""
    return obx.text(2) == "SN" and (obx.text(5, 1).strip() in _COMPARATORS or bool(obx.text(5, 3).strip()))


def _first(values: Iterable[int | None]) -> int | None:
    return next((value for value in values if value is not None), None)


def _number(text: str) -> int | None:
    match = _NUMBER.fullmatch(text)
    return int(match[1]) if match else None


def _unreadable(obx: Segment) -> Hl7Error:
    place = Place("OBX", 5, obx.occurrence)
    sentence = (
        f"{place} answers a screening question: a number or a code of its LOINC answer list was expected."
    )
    return Hl7Error(Condition.DATA_TYPE_ERROR, place, sentence)
