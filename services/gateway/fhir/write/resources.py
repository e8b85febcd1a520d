"""The resources of FHIR R4 as we read them: the elements that have a meaning for us, and no others."""

from typing import Literal

import msgspec
from msgspec import field

from services.gateway.fhir.write.elements import (
    Address,
    Annotation,
    Attachment,
    CodeableConcept,
    Coding,
    ContactPoint,
    Element,
    Embedded,
    Gender,
    HumanName,
    Identifier,
    Period,
    Priority,
    Quantity,
    Reference,
    class_field,
    for_field,
    raw_field,
)
from services.gateway.fhir.write.value_sets import (
    EncounterStatus,
    RequestIntent,
    RequestStatus,
    TaskIntent,
    TaskStatus,
)


class Resource(Element, frozen=True, kw_only=True):
    """What every resource has."""

    resource_type: str
    id: str | None = None
    contained: tuple[Embedded, ...] = ()


class Identified(Resource, frozen=True, kw_only=True):
    """A resource with business identifiers."""

    identifier: tuple[Identifier, ...] = ()


class Communication(Element, frozen=True, kw_only=True):
    language: CodeableConcept
    preferred: bool = False


class Patient(Identified, frozen=True, kw_only=True):
    name: tuple[HumanName, ...] = ()
    telecom: tuple[ContactPoint, ...] = ()
    gender: Gender | None = None
    birth_date: str | None = None
    address: tuple[Address, ...] = ()
    communication: tuple[Communication, ...] = ()
    deceased_boolean: bool | None = None
    deceased_date_time: str | None = None


class Practitioner(Identified, frozen=True, kw_only=True):
    """Also a RelatedPerson, as far as names go."""

    name: tuple[HumanName, ...] = ()
    telecom: tuple[ContactPoint, ...] = ()


class PractitionerRole(Resource, frozen=True, kw_only=True):
    practitioner: Reference | None = None
    organization: Reference | None = None
    telecom: tuple[ContactPoint, ...] = ()


class Organization(Identified, frozen=True, kw_only=True):
    """Also a Location."""

    name: str | None = None
    telecom: tuple[ContactPoint, ...] = ()


class Condition(Resource, frozen=True, kw_only=True):
    code: CodeableConcept | None = None


class CoverageClass(Element, frozen=True, kw_only=True):
    value: str | None = None
    name: str | None = None


class Coverage(Resource, frozen=True, kw_only=True):
    payor: tuple[Reference, ...] = ()
    subscriber_id: str | None = None
    type: CodeableConcept | None = None
    class_: tuple[CoverageClass, ...] = field(default=(), name="class")


class DocumentContent(Element, frozen=True, kw_only=True):
    attachment: Attachment


class DocumentReference(Resource, frozen=True, kw_only=True):
    description: str | None = None
    content: tuple[DocumentContent, ...] = ()


class ServiceRequest(Identified, frozen=True, kw_only=True):
    status: RequestStatus
    intent: RequestIntent
    subject: Reference
    priority: Priority | None = None
    do_not_perform: bool = False
    code: CodeableConcept | None = None
    authored_on: str | None = None
    requester: Reference | None = None
    reason_code: tuple[CodeableConcept, ...] = ()
    reason_reference: tuple[Reference, ...] = ()
    insurance: tuple[Reference, ...] = ()
    supporting_info: tuple[Reference, ...] = ()


class Said(Element, frozen=True, kw_only=True):
    """An input or output of a Task."""

    type: CodeableConcept
    value_string: str | None = None
    value_markdown: str | None = None
    value_code: str | None = None
    value_uri: str | None = None
    value_url: str | None = None
    value_date: str | None = None
    value_date_time: str | None = None
    value_boolean: bool | None = None
    value_integer: int | None = None
    value_decimal: float | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_attachment: Attachment | None = None
    value_reference: Reference | None = None


class TaskChange(Element, frozen=True, kw_only=True):
    """What an initiator may tell with a Task."""

    status: TaskStatus | None = None
    status_reason: CodeableConcept | None = None
    note: tuple[Annotation, ...] = ()
    input: tuple[Said, ...] = ()
    output: tuple[Said, ...] = ()


class Task(Identified, frozen=True, kw_only=True):
    status: TaskStatus
    intent: TaskIntent
    based_on: tuple[Reference, ...] = ()
    focus: Reference | None = None
    for_: Reference | None = for_field()
    last_modified: str | None = None
    status_reason: CodeableConcept | None = None
    note: tuple[Annotation, ...] = ()
    input: tuple[Said, ...] = ()
    output: tuple[Said, ...] = ()


class Value(Element, frozen=True, kw_only=True):
    """An answer, in any of the types that a screening question is answered with."""

    value_coding: Coding | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_integer: int | None = None
    value_decimal: float | None = None
    value_quantity: Quantity | None = None
    value_boolean: bool | None = None
    value_string: str | None = None


class Answer(Value, frozen=True, kw_only=True):
    item: "tuple[Item, ...]" = ()


class Item(Element, frozen=True, kw_only=True):
    link_id: str
    answer: tuple[Answer, ...] = ()
    item: "tuple[Item, ...]" = ()


class QuestionnaireResponse(Resource, frozen=True, kw_only=True):
    status: Literal["in-progress", "completed", "amended", "entered-in-error", "stopped"]
    identifier: Identifier | None = None
    questionnaire: str | None = None
    subject: Reference | None = None
    authored: str | None = None
    item: tuple[Item, ...] = ()


class Component(Value, frozen=True, kw_only=True):
    code: CodeableConcept


class Observation(Value, frozen=True, kw_only=True):
    resource_type: str
    status: Literal[
        "registered",
        "preliminary",
        "final",
        "amended",
        "corrected",
        "cancelled",
        "entered-in-error",
        "unknown",
    ]
    code: CodeableConcept
    id: str | None = None
    contained: tuple[Embedded, ...] = ()
    identifier: tuple[Identifier, ...] = ()
    subject: Reference | None = None
    effective_date_time: str | None = None
    effective_instant: str | None = None
    effective_period: Period | None = None
    issued: str | None = None
    component: tuple[Component, ...] = ()
    has_member: tuple[Reference, ...] = ()
    derived_from: tuple[Reference, ...] = ()


class Actor(Element, frozen=True, kw_only=True):
    """Somebody whom a provision of a Consent is about."""

    role: CodeableConcept
    reference: Reference


class Provision(Element, frozen=True, kw_only=True):
    """What a Consent permits or denies; exceptions to it stand within."""

    type: Literal["permit", "deny"] | None = None
    period: Period | None = None
    actor: tuple[Actor, ...] = ()
    action: tuple[CodeableConcept, ...] = ()
    security_label: tuple[Coding, ...] = ()
    purpose: tuple[Coding, ...] = ()
    class_: tuple[Coding, ...] = field(default=(), name="class")
    code: tuple[CodeableConcept, ...] = ()
    data_period: Period | None = None
    data: tuple[msgspec.Raw, ...] = ()
    provision: "tuple[Provision, ...]" = ()


class Consent(Identified, frozen=True, kw_only=True):
    status: Literal["draft", "proposed", "active", "rejected", "inactive", "entered-in-error"]
    scope: CodeableConcept
    patient: Reference | None = None
    date_time: str | None = None
    policy_rule: CodeableConcept | None = None
    provision: Provision | None = None


class Diagnosis(Element, frozen=True, kw_only=True):
    condition: Reference
    rank: int | None = None


class Hospitalization(Element, frozen=True, kw_only=True):
    discharge_disposition: CodeableConcept | None = None


class Whereabouts(Element, frozen=True, kw_only=True):
    location: Reference
    status: str | None = None


class Encounter(Identified, frozen=True, kw_only=True):
    status: EncounterStatus
    class_: Coding | None = class_field()
    subject: Reference | None = None
    period: Period | None = None
    reason_code: tuple[CodeableConcept, ...] = ()
    reason_reference: tuple[Reference, ...] = ()
    diagnosis: tuple[Diagnosis, ...] = ()
    hospitalization: Hospitalization | None = None
    location: tuple[Whereabouts, ...] = ()
    service_provider: Reference | None = None


class MessageSource(Element, frozen=True, kw_only=True):
    endpoint: str
    name: str | None = None


class MessageHeader(Resource, frozen=True, kw_only=True):
    source: MessageSource
    event_coding: Coding | None = None
    event_uri: str | None = None
    focus: tuple[Reference, ...] = ()
    sender: Reference | None = None
    response: msgspec.Raw = raw_field()


class Request(Element, frozen=True, kw_only=True):
    """What is asked for an entry of a transaction or batch."""

    method: Literal["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"]
    url: str
    if_none_exist: str | None = None
    if_match: str | None = None


class BundleEntry(Element, frozen=True, kw_only=True):
    full_url: str | None = None
    resource: Embedded = raw_field()
    request: Request | None = None


class Bundle(Element, frozen=True, kw_only=True):
    resource_type: Literal["Bundle"]
    type: str
    id: str | None = None
    identifier: Identifier | None = None
    timestamp: str | None = None
    entry: tuple[BundleEntry, ...] = ()
