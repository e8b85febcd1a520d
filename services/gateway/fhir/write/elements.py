"""The data types of FHIR R4 as we read them: what we do not read is not here, and is passed over.

Every shape is for reading only (http://hl7.org/fhir/R4/datatypes.html).
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Struct, field


class Element(Struct, frozen=True, kw_only=True, rename="camel"):
    """What all of them are."""


class Coding(Element, frozen=True, kw_only=True):
    system: str | None = None
    code: str | None = None
    display: str | None = None
    extension: "tuple[Extension, ...]" = ()


class CodeableConcept(Element, frozen=True, kw_only=True):
    coding: tuple[Coding, ...] = ()
    text: str | None = None


class Extension(Element, frozen=True, kw_only=True):
    """Those of our interest hold a number: ordinalValue, itemWeight."""

    url: str
    value_decimal: float | None = None
    value_integer: int | None = None


class Period(Element, frozen=True, kw_only=True):
    start: str | None = None
    end: str | None = None


class Reference(Element, frozen=True, kw_only=True):
    reference: str | None = None
    type: str | None = None
    identifier: "Identifier | None" = None
    display: str | None = None


class Identifier(Element, frozen=True, kw_only=True):
    use: str | None = None
    type: CodeableConcept | None = None
    system: str | None = None
    value: str | None = None
    assigner: Reference | None = None


class HumanName(Element, frozen=True, kw_only=True):
    use: str | None = None
    text: str | None = None
    family: str | None = None
    given: tuple[str | None, ...] = ()
    period: Period | None = None


class ContactPoint(Element, frozen=True, kw_only=True):
    system: str | None = None
    value: str | None = None
    use: str | None = None
    period: Period | None = None


class Address(Element, frozen=True, kw_only=True):
    use: str | None = None
    text: str | None = None
    line: tuple[str | None, ...] = ()
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    period: Period | None = None


class Quantity(Element, frozen=True, kw_only=True):
    value: float | None = None


class Annotation(Element, frozen=True, kw_only=True):
    text: str


class Attachment(Element, frozen=True, kw_only=True):
    title: str | None = None
    url: str | None = None


Gender = Literal["male", "female", "other", "unknown"]
Priority = Literal["routine", "urgent", "asap", "stat"]

Embedded = Annotated[
    msgspec.Raw,
    msgspec.Meta(
        extra_json_schema={
            "type": "object",
            "required": ["resourceType"],
            "properties": {"resourceType": {"type": "string", "minLength": 1}},
        }
    ),
]
"""A resource within another one: read once it is known which."""


def raw_field() -> msgspec.Raw:
    """Return the field of a resource that may be absent: then it is empty."""
    return field(default_factory=msgspec.Raw)


def class_field() -> Coding | None:
    """Return the field of an element named `class`."""
    return field(default=None, name="class")


def for_field() -> Reference | None:
    """Return the field of an element named `for`."""
    return field(default=None, name="for")
