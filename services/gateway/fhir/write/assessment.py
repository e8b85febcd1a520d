"""QuestionnaireResponse and Observation: the answers to a screening instrument that we know.

An Observation of one question alone is an assessment with one answer: incomplete, so without a total, but
an answer about suicide is never left lying. A total without any answer is none: nobody could check it.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from services.gateway.fhir.outcome import FhirError, refused
from services.gateway.fhir.write.codes import codings
from services.gateway.fhir.write.elements import CodeableConcept, Coding
from services.gateway.fhir.write.person import subject
from services.gateway.fhir.write.reading import decode
from services.gateway.fhir.write.resources import Item, Observation, QuestionnaireResponse, Value
from services.gateway.fhir.write.scope import Entry
from services.gateway.fhir.write.submission import Submission
from services.gateway.fhir.write.times import moment
from services.gateway.hl7v2.result import Answers
from services.gateway.instruments import (
    DIFFICULTY_ANSWERS,
    PANEL_OF_DIFFICULTY,
    PANEL_OF_ITEM,
    PANEL_OF_TOTAL,
    Panel,
)
from shared.events.assessment import Instrument
from shared.events.base import Coding as Coded
from shared.events.inbound import AssessmentReport, Person, ResultReport
from shared.events.moment import Moment

_LOINC: Final = "http://loinc.org"
_LOINC_CODE: Final = re.compile(r"(?<!\d)\d{4,5}-\d(?!\d)")
_WEIGHTS: Final = frozenset(
    {
        "http://hl7.org/fhir/StructureDefinition/ordinalValue",
        "http://hl7.org/fhir/StructureDefinition/itemWeight",
        "http://hl7.org/fhir/StructureDefinition/questionnaire-ordinalValue",
        "http://hl7.org/fhir/StructureDefinition/iso21090-CO-value",
    }
)
_NUMBER: Final = re.compile(r"\+?(\d{1,3})(?:\.0*)?", re.ASCII)
_GREATEST: Final = 999
_YES_OR_NO: Final = {"y": 1, "yes": 1, "n": 0, "no": 0}
_RESULTS: Final = frozenset({"preliminary", "final", "amended", "corrected"})


class Question(Struct, frozen=True):
    """A question, an answer, and where it stands."""

    code: str
    value: Value
    at: str


def of_response(
    submission: Submission, raw: QuestionnaireResponse, at: str
) -> list[AssessmentReport | ResultReport]:
    """Read a QuestionnaireResponse; raises FhirError."""
    if raw.status in ("entered-in-error", "in-progress"):
        sentence = (
            "Answers are taken when they are complete or stopped; an error is corrected by people here."
        )
        raise refused(422, "business-rule", sentence, f"{at}.status")
    whom = subject(submission, raw.subject, raw.contained, at)
    when = moment(raw.authored, f"{at}.authored") or submission.occurred
    found = _answers(_questions(raw.item, at), when)
    return _reports(submission, whom, found.values(), when) or [
        _nothing(submission, whom, when, _questionnaire(raw.questionnaire))
    ]


def of_observations(submission: Submission, told: Sequence[Entry]) -> list[AssessmentReport | ResultReport]:
    """Read Observations, those of one sitting together; raises FhirError."""
    read = [(entry, decode(entry.raw, Observation, entry.at)) for entry in told]
    reports: list[AssessmentReport | ResultReport] = []
    for group in _by_subject(read):
        reports += _of_one(submission, group)
    return reports


def _of_one(
    submission: Submission, group: Sequence[tuple[Entry, Observation]]
) -> list[AssessmentReport | ResultReport]:
    """Read the Observations of one person."""
    first, known = group[0]
    whom = subject(submission, known.subject, known.contained, first.at)
    joined: list[Answers] = []
    when = submission.occurred
    for entry, observation in group:
        if observation.status not in _RESULTS:
            raise _no_result(observation, entry.at)
        when = _effective(observation, entry.at) or submission.occurred
        for found in _answers(_observed(submission, observation, entry.at), when).values():
            _join(joined, found)
    return _reports(submission, whom, joined, when) or [
        _nothing(submission, whom, when, codings(each.code for _, each in group))
    ]


def _join(joined: list[Answers], found: Answers) -> None:
    same = next((each for each in joined if each.meets(found)), None)
    if same is None:
        joined.append(found)
    else:
        same.join(found)


def _no_result(observation: Observation, at: str) -> FhirError:
    sentence = "An Observation is taken when it is preliminary, final, amended or corrected."
    if observation.status == "entered-in-error":
        sentence = "An assessment that was entered in error is corrected by people here."
    return refused(422, "business-rule", sentence, f"{at}.status")


def _by_subject(
    read: Iterable[tuple[Entry, Observation]],
) -> Iterable[list[tuple[Entry, Observation]]]:
    groups: dict[object, list[tuple[Entry, Observation]]] = {}
    for entry, each in read:
        inside = tuple(map(bytes, each.contained)) if _is_inside(each) else ()
        groups.setdefault((each.subject, inside), []).append((entry, each))
    return groups.values()


def _is_inside(told: Observation) -> bool:
    """Tell whether its subject is contained: the same reference then means another person elsewhere."""
    return bool(told.subject and (told.subject.reference or "").startswith("#"))


def _reports(
    submission: Submission, whom: Person, found: Iterable[Answers], when: Moment
) -> list[AssessmentReport | ResultReport]:
    kept: list[Answers] = []
    for each in found:
        if each.items:
            kept.append(each)
        else:
            submission.warn(f"A {each.instrument} score without any answer was not taken as an assessment.")
    return [
        AssessmentReport(
            source=submission.source,
            person=whom,
            instrument=each.instrument,
            items=each.items,
            total=each.total,
            difficulty=each.difficulty,
            administered_at=each.administered or when,
            occurred=each.administered or when,
            original=submission.original(),
        )
        for each in kept
    ]


def _nothing(submission: Submission, whom: Person, when: Moment, codes: tuple[Coded, ...]) -> ResultReport:
    submission.warn("No answer to an instrument known here was found: it is kept, and nothing follows.")
    return ResultReport(
        source=submission.source, person=whom, occurred=when, codes=codes, original=submission.original()
    )


def _questionnaire(canonical: str | None) -> tuple[Coded, ...]:
    if not canonical:
        return ()
    system, _, name = canonical.partition("|")[0].rpartition("/")
    return (Coded(system or "local", name),) if name else ()


def _effective(told: Observation, at: str) -> Moment | None:
    start = told.effective_period.start if told.effective_period else None
    effective = told.effective_date_time or told.effective_instant or start
    return moment(effective, f"{at}.effective") or moment(told.issued, f"{at}.issued")


def _questions(items: Iterable[Item], at: str) -> Iterator[Question]:
    """Give every answered question, at any depth."""
    for number, item in enumerate(items):
        here = f"{at}.item[{number}]"
        code = _linked(item.link_id)
        if len(item.answer) > 1 and code:
            raise refused(422, "value", "A screening question has one answer.", f"{here}.answer")
        for which, answer in enumerate(item.answer):
            if code:
                yield Question(code, answer, f"{here}.answer[{which}].value")
            yield from _questions(answer.item, f"{here}.answer[{which}]")
        yield from _questions(item.item, here)


def _linked(link: str) -> str:
    """Return the LOINC code that a linkId ends with: /44250-9, phq-9/44250-9."""
    found: list[str] = _LOINC_CODE.findall(link)
    return found[-1] if found else ""


def _observed(submission: Submission, told: Observation, at: str) -> Iterator[Question]:
    """Give the Observation itself, its components, and those members that are contained in it, each once.

    What is contained contains nothing itself (R4, references): its members are beside it.
    """
    left, seen = deque([(told, at)]), set[str]()
    while left:
        each, here = left.popleft()
        yield from _asked(each.code, each, f"{here}.value")
        for number, part in enumerate(each.component):
            yield from _asked(part.code, part, f"{here}.component[{number}].value")
        for reference in each.has_member:
            name = reference.reference or ""
            if not name.startswith("#") or name in seen:
                continue
            seen.add(name)
            found = submission.scope.resolve(reference, told.contained, at)
            if found and found.kind == "Observation":
                left.append((decode(found.raw, Observation, found.at), found.at))


def _asked(concept: CodeableConcept, value: Value, at: str) -> Iterator[Question]:
    for each in concept.coding:
        if each.code and each.system in (_LOINC, None):
            yield Question(each.code, value, at)


def _answers(questions: Iterable[Question], when: Moment) -> dict[Instrument, Answers]:
    found: dict[Instrument, Answers] = {}
    for each in questions:
        panel = (
            PANEL_OF_ITEM.get(each.code)
            or PANEL_OF_TOTAL.get(each.code)
            or PANEL_OF_DIFFICULTY.get(each.code)
        )
        value = _value(each, panel) if panel else None
        if panel is None or value is None:
            continue
        answers = found.setdefault(
            panel.instrument, Answers(instrument=panel.instrument, items={}, administered=when)
        )
        _put(answers, panel, each, value)
    return found


def _put(answers: Answers, panel: Panel, question: Question, value: int) -> None:
    if question.code == panel.total:
        answers.total = value
    elif question.code == panel.difficulty:
        answers.difficulty = value
    elif answers.items.setdefault(panel.items[question.code], value) != value:
        raise refused(422, "conflict", "The same question is answered in two ways.", question.at)


def _value(question: Question, panel: Panel) -> int | None:
    """Return what an answer counts, None where there is none; raises FhirError 422 where it is not known.

    Leaving out an answer that cannot be read could hide a risk.
    """
    told = question.value
    codes = [told.value_coding] if told.value_coding else []
    codes += told.value_codeable_concept.coding if told.value_codeable_concept else ()
    if not codes and not _has_plain(told):
        return None
    known = DIFFICULTY_ANSWERS if question.code in PANEL_OF_DIFFICULTY else panel.answers
    for value in (*_coded(codes, known), _plain(told, panel)):
        if value is not None and 0 <= value <= _GREATEST:
            return value
    sentence = "A screening question is answered with a number, or a code of its LOINC answer list."
    raise refused(422, "code-invalid", sentence, question.at)


def _coded(codes: Iterable[Coding], known: Mapping[str, int]) -> Iterator[int | None]:
    for each in codes:
        yield known.get(each.code or "")
        yield from (
            _whole(ext.value_decimal, ext.value_integer) for ext in each.extension if ext.url in _WEIGHTS
        )


def _has_plain(told: Value) -> bool:
    return any(
        each is not None
        for each in (
            told.value_integer,
            told.value_decimal,
            told.value_quantity and told.value_quantity.value,
            told.value_boolean,
            told.value_string or None,
        )
    )


def _plain(told: Value, panel: Panel) -> int | None:
    """Read an answer that is no code."""
    if told.value_boolean is not None:
        return int(told.value_boolean) if panel.is_yes_or_no else None
    number = _whole(told.value_decimal, told.value_integer)
    if number is None and told.value_quantity is not None:
        number = _whole(told.value_quantity.value, None)
    if number is None and told.value_string is not None:
        text = told.value_string.strip()
        match = _NUMBER.fullmatch(text)
        number = int(match[1]) if match else _YES_OR_NO.get(text.casefold()) if panel.is_yes_or_no else None
    return number


def _whole(decimal: float | None, integer: int | None) -> int | None:
    if integer is not None:
        return integer
    return int(decimal) if decimal is not None and decimal.is_integer() else None
