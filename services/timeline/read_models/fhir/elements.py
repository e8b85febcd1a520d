"""The data types of FHIR R4 that we write (http://hl7.org/fhir/R4/datatypes.html), as far as we fill them."""

from datetime import date
from typing import Final
from uuid import UUID, uuid5

from msgspec import Struct

from shared import fhir
from shared.events import base
from shared.events.moment import Moment, before

SECURITY: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
IDENTIFIER_TYPE: Final = "http://terminology.hl7.org/CodeSystem/v2-0203"


class Element(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", gc=False):
    """What every data type is written like."""


class Coding(Element, frozen=True, kw_only=True):
    system: str | None = None
    code: str | None = None
    display: str | None = None


class CodeableConcept(Element, frozen=True, kw_only=True):
    coding: tuple[Coding, ...] = ()
    text: str | None = None


class Reference(Element, frozen=True, kw_only=True):
    reference: str | None = None
    display: str | None = None
    identifier: "Identifier | None" = None


class Identifier(Element, frozen=True, kw_only=True):
    type: CodeableConcept | None = None
    system: str | None = None
    value: str | None = None
    assigner: Reference | None = None


class Period(Element, frozen=True, kw_only=True):
    start: str | None = None
    end: str | None = None


class Quantity(Element, frozen=True, kw_only=True):
    value: int
    unit: str | None = None
    system: str | None = None
    code: str | None = None


class Annotation(Element, frozen=True, kw_only=True):
    text: str
    time: str | None = None


class Meta(Element, frozen=True, kw_only=True):
    version_id: str
    last_updated: str  # FHIR instant
    security: tuple[Coding, ...] = ()


class Resource(Element, frozen=True, kw_only=True, tag_field="resourceType", tag=True):
    """A resource; `meta` is filled as its row is written."""

    id: UUID
    meta: Meta | None = None


def derived(participant: UUID, *names: str | None) -> UUID:
    """Return the id of what has none of its own: the same names give the same id (UUIDv5)."""
    return uuid5(participant, "|".join(name or "" for name in names))


def text(words: str | None) -> CodeableConcept | None:
    """Return a concept that is only words."""
    return CodeableConcept(text=words) if words else None


def told(coding: base.Coding) -> CodeableConcept:
    """Return a sender's code, in its system."""
    system = fhir.code_system(coding.system)
    return CodeableConcept(
        coding=(Coding(system=system, code=coding.code, display=coding.display),),
        text=coding.display,
    )


def coded(system: str, code: str, display: str | None = None) -> CodeableConcept:
    """Return a concept of one code."""
    return CodeableConcept(coding=(Coding(system=system, code=code, display=display),))


def local(system: str, code: str) -> CodeableConcept:
    """Return a concept of a code system of ours."""
    return coded(fhir.code_system(system), code)


def named(identifier: base.Identifier) -> Identifier:
    """Return an identifier as FHIR writes it, with its assigner's own name."""
    return Identifier(
        type=coded(IDENTIFIER_TYPE, identifier.type),
        system=fhir.identifier_system(identifier.assigner),
        value=identifier.value,
        assigner=Reference(display=identifier.assigner),
    )


def reference(kind: str, id: UUID) -> Reference:
    """Return a reference to a resource of ours."""
    return Reference(reference=f"{kind}/{id}")


def patient(participant: UUID) -> Reference:
    """Return the reference to a participant."""
    return reference("Patient", participant)


def display(name: str | None) -> Reference | None:
    """Return a reference to somebody whom we know by name only."""
    return Reference(display=name) if name else None


def period(start: Moment | date | None, end: Moment | date | None = None) -> Period | None:
    """Return the period; None where neither end is known. An end before the start is not told."""
    if start is None and end is None:
        return None
    begun, ended = start and str(start), end and str(end)
    if begun and ended and before(ended, begun):
        ended = None
    return Period(start=begun, end=ended)
