"""Patient: who the participant is, and which records are the same person (US Core Patient's elements)."""

from collections.abc import Iterable
from typing import Literal
from uuid import UUID

from msgspec.structs import replace

from services.timeline.read_models.fhir.drawing import Drawn, Held, Topic
from services.timeline.read_models.fhir.elements import (
    CodeableConcept,
    Element,
    Identifier,
    Reference,
    Resource,
    coded,
    named,
    patient,
)
from shared.events import base
from shared.events.base import Demographics
from shared.events.encounter import DeathNotified
from shared.events.envelope import Recorded
from shared.events.episode import CareClosedOnDeath
from shared.events.moment import Moment
from shared.events.participant import (
    DemographicsCorrected,
    IdentifierLinked,
    ParticipantRegistered,
    ParticipantsMerged,
    ParticipantsUnmerged,
    PriorRecordLinked,
    PriorRecordUnlinked,
)

_LANGUAGES = "urn:ietf:bcp:47"


class HumanName(Element, frozen=True, kw_only=True):
    family: str | None = None
    given: tuple[str, ...] = ()


class ContactPoint(Element, frozen=True, kw_only=True):
    system: Literal["phone", "email"]
    value: str


class Address(Element, frozen=True, kw_only=True):
    text: str


class Communication(Element, frozen=True, kw_only=True):
    language: CodeableConcept


class Link(Element, frozen=True, kw_only=True):
    other: Reference
    type: Literal["replaced-by", "replaces"]


class Patient(Resource, frozen=True, kw_only=True, tag="Patient"):
    """http://hl7.org/fhir/R4/patient.html"""

    active: bool | None = None  # always told: a default would be left out
    identifier: tuple[Identifier, ...] = ()
    name: tuple[HumanName, ...] = ()
    telecom: tuple[ContactPoint, ...] = ()
    gender: str | None = None
    birth_date: str | None = None
    deceased_boolean: bool | None = None
    deceased_date_time: Moment | None = None
    address: tuple[Address, ...] = ()
    communication: tuple[Communication, ...] = ()
    link: tuple[Link, ...] = ()


def _draw(held: Held, at: Recorded) -> Iterable[Drawn]:
    who = at.event.subject
    yield Drawn(_evolve(held.get(Patient, who) or Patient(id=who, active=True), at))


def _evolve(held: Patient, at: Recorded) -> Patient:
    match at.event.data:
        case ParticipantRegistered(demographics=told, identifiers=identifiers):
            return _identified(_described(held, told), identifiers)
        case DemographicsCorrected(demographics=told):
            return _described(held, told)
        case IdentifierLinked(identifier=identifier):
            return _identified(held, (identifier,))
        case DeathNotified(died=died) | CareClosedOnDeath(died=died):
            return _died(held, died)
        case ParticipantsMerged(survivor=survivor):
            return _linked(replace(held, active=False), survivor, "replaced-by")
        case ParticipantsUnmerged(survivor=survivor):
            return _unlinked(replace(held, active=True), survivor)
        case PriorRecordLinked(prior=prior):
            return _linked(held, prior, "replaces")
        case PriorRecordUnlinked(prior=prior):
            return _unlinked(held, prior)
        case _:
            return held


def _identified(held: Patient, told: tuple[base.Identifier, ...]) -> Patient:
    news = tuple(named(each) for each in told)
    keys = {(each.system, each.value) for each in news}
    others = (had for had in held.identifier if (had.system, had.value) not in keys)
    return replace(held, identifier=(*others, *news))


def _described(held: Patient, told: Demographics) -> Patient:
    name = HumanName(family=told.family, given=tuple(filter(None, told.given)))
    phone = ContactPoint(system="phone", value=told.phone) if told.phone else None
    email = ContactPoint(system="email", value=told.email) if told.email else None
    return replace(
        held,
        name=(name,) if name.family or name.given else (),
        telecom=tuple(point for point in (phone, email) if point),
        gender=told.sex,
        birth_date=told.birth_date and told.birth_date.isoformat(),
        address=(Address(text=told.address),) if told.address else (),
        communication=_speaking(told.language),
    )


def _speaking(language: str | None) -> tuple[Communication, ...]:
    if not language:
        return ()
    known = language.replace("-", "").isalnum() and " " not in language
    spoken = coded(_LANGUAGES, language) if known else CodeableConcept(text=language)
    return (Communication(language=spoken),)


def _died(held: Patient, died: Moment | None) -> Patient:
    when = died or held.deceased_date_time
    return replace(held, deceased_date_time=when, deceased_boolean=None if when else True)


def _linked(held: Patient, other: UUID, how: Literal["replaced-by", "replaces"]) -> Patient:
    return replace(held, link=(*_others(held, other), Link(other=patient(other), type=how)))


def _unlinked(held: Patient, other: UUID) -> Patient:
    return replace(held, link=tuple(_others(held, other)))


def _others(held: Patient, other: UUID) -> Iterable[Link]:
    return (link for link in held.link if link.other != patient(other))


TOPIC = Topic(
    handles=(
        ParticipantRegistered,
        DemographicsCorrected,
        IdentifierLinked,
        DeathNotified,
        CareClosedOnDeath,
        ParticipantsMerged,
        ParticipantsUnmerged,
        PriorRecordLinked,
        PriorRecordUnlinked,
    ),
    draw=_draw,
)
