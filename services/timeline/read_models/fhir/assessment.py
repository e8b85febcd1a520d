"""QuestionnaireResponse and Observation of a screening instrument, in LOINC (US Core's screening pattern)."""

from collections.abc import Iterable, Mapping
from typing import Final, cast

from msgspec.structs import replace

from services.timeline.read_models.fhir.drawing import Drawn, Held, Topic, sender_of
from services.timeline.read_models.fhir.elements import (
    CodeableConcept,
    Coding,
    Element,
    Reference,
    Resource,
    coded,
    patient,
    reference,
)
from shared.events.assessment import AssessmentCompleted, AssessmentCorrected
from shared.events.envelope import Recorded
from shared.loinc import HOW_DIFFICULT, INSTRUMENTS, InstrumentCodes

_LOINC: Final = "http://loinc.org"
_CATEGORY: Final = coded("http://terminology.hl7.org/CodeSystem/observation-category", "survey")
_ABSENT: Final = coded("http://terminology.hl7.org/CodeSystem/data-absent-reason", "unknown")

_Assessed = AssessmentCompleted | AssessmentCorrected


class Answer(Element, frozen=True, kw_only=True):
    value_coding: Coding


class Item(Element, frozen=True, kw_only=True):
    link_id: str
    answer: tuple[Answer, ...] = ()


class QuestionnaireResponse(Resource, frozen=True, kw_only=True, tag="QuestionnaireResponse"):
    """http://hl7.org/fhir/R4/questionnaireresponse.html"""

    questionnaire: str
    status: str
    subject: Reference
    authored: str | None = None
    item: tuple[Item, ...] = ()


class Component(Element, frozen=True, kw_only=True):
    code: CodeableConcept
    value_codeable_concept: CodeableConcept


class Observation(Resource, frozen=True, kw_only=True, tag="Observation"):
    """http://hl7.org/fhir/R4/observation.html: the total, and what was answered to each question."""

    status: str
    category: tuple[CodeableConcept, ...]
    code: CodeableConcept
    subject: Reference
    effective_date_time: str | None = None
    value_integer: int | None = None
    data_absent_reason: CodeableConcept | None = None
    interpretation: tuple[CodeableConcept, ...] = ()
    derived_from: tuple[Reference, ...] = ()
    component: tuple[Component, ...] = ()


def _draw(held: Held, at: Recorded) -> Iterable[Drawn]:
    event = cast("_Assessed", at.event.data)
    sender = sender_of(event)
    answers = _answers(INSTRUMENTS[event.instrument], event)
    response, observation = _response(at, event, answers), _observation(at, event, answers)
    if isinstance(event, AssessmentCorrected):
        had = held.get(QuestionnaireResponse, event.assessment)
        response = replace(response, status="amended", authored=had and had.authored)
        observed = held.get(Observation, event.assessment)
        when = observed and observed.effective_date_time
        observation = replace(observation, status="amended", effective_date_time=when)
    yield Drawn(response, sender)
    yield Drawn(observation, sender)


def _answers(codes: InstrumentCodes, event: _Assessed) -> Mapping[str, Coding]:
    """Return the answer to each question, by the question's LOINC code, in the instrument's order."""
    answers = {
        question: _answer(codes.answers, event.items[item])
        for item, question in codes.questions.items()
        if item in event.items and event.items[item] in range(len(codes.answers))
    }
    if codes.difficulty and event.difficulty in range(len(HOW_DIFFICULT)):
        answers[codes.difficulty] = _answer(HOW_DIFFICULT, cast("int", event.difficulty))
    return answers


def _answer(codes: tuple[str, ...], value: int) -> Coding:
    return Coding(system=_LOINC, code=codes[value])


def _response(at: Recorded, event: _Assessed, answers: Mapping[str, Coding]) -> QuestionnaireResponse:
    return QuestionnaireResponse(
        id=event.assessment,
        questionnaire=f"{_LOINC}/q/{INSTRUMENTS[event.instrument].panel}",
        status="completed" if event.complete else "in-progress",
        subject=patient(at.event.subject),
        authored=event.administered_at if isinstance(event, AssessmentCompleted) else None,
        item=tuple(
            Item(link_id=f"/{question}", answer=(Answer(value_coding=answer),))
            for question, answer in answers.items()
        ),
    )


def _observation(at: Recorded, event: _Assessed, answers: Mapping[str, Coding]) -> Observation:
    codes = INSTRUMENTS[event.instrument]
    return Observation(
        id=event.assessment,
        status="final" if event.complete else "preliminary",
        category=(_CATEGORY,),
        code=replace(coded(_LOINC, codes.total or codes.panel), text=event.instrument),
        subject=patient(at.event.subject),
        effective_date_time=event.administered_at if isinstance(event, AssessmentCompleted) else None,
        value_integer=event.total if codes.total else None,
        data_absent_reason=_ABSENT if codes.total and event.total is None else None,
        interpretation=(CodeableConcept(text=event.severity),) if event.severity else (),
        derived_from=(reference("QuestionnaireResponse", event.assessment),),
        component=tuple(
            Component(
                code=coded(_LOINC, question),
                value_codeable_concept=CodeableConcept(coding=(answer,)),
            )
            for question, answer in answers.items()
        ),
    )


TOPIC = Topic(handles=(AssessmentCompleted, AssessmentCorrected), draw=_draw)
