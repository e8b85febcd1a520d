"""Consent: to whom a participant lets us tell what (http://hl7.org/fhir/R4/consent.html).

It is written as a sender may write it to us: the permission stands alone, with its recipients as actors.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import field
from msgspec.structs import replace

from services.timeline.read_models.fhir.drawing import Drawn, Held, Topic, sender_of
from services.timeline.read_models.fhir.elements import (
    SECURITY,
    CodeableConcept,
    Coding,
    Element,
    Identifier,
    Period,
    Reference,
    Resource,
    coded,
    named,
    patient,
    period,
)
from shared import fhir
from shared.events.consent import ConsentGranted, ConsentRevoked
from shared.events.envelope import Recorded

_SCOPE: Final = coded("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy")
_CATEGORY: Final = coded(
    "http://terminology.hl7.org/CodeSystem/v3-ActCode", "IDSCL"
)  # information disclosure
_ROLE: Final = coded("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP")
_ACTION: Final = coded("http://terminology.hl7.org/CodeSystem/consentaction", "disclose")
_PURPOSE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
_POLICY: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_CLASS: Final = fhir.RESOURCE_TYPES


class Actor(Element, frozen=True, kw_only=True):
    role: CodeableConcept
    reference: Reference


class Provision(Element, frozen=True, kw_only=True):
    type: str
    period: Period | None = None
    actor: tuple[Actor, ...] = ()
    action: tuple[CodeableConcept, ...] = ()
    security_label: tuple[Coding, ...] = ()
    purpose: tuple[Coding, ...] = ()
    class_: tuple[Coding, ...] = field(default=(), name="class")


class Consent(Resource, frozen=True, kw_only=True, tag="Consent"):
    """http://hl7.org/fhir/R4/consent.html"""

    status: str
    scope: CodeableConcept
    category: tuple[CodeableConcept, ...]
    patient: Reference
    date_time: str
    policy_rule: CodeableConcept
    provision: Provision
    identifier: tuple[Identifier, ...] = ()


def _draw(held: Held, at: Recorded) -> Iterable[Drawn]:
    event = at.event.data
    match event:
        case ConsentGranted():
            yield Drawn(_granted(event, at), sender_of(event))
        case ConsentRevoked(consent=consent) if had := held.get(Consent, consent):
            yield Drawn(replace(had, status="inactive"), held.sender(Consent, consent))
        case _:
            return


def _granted(terms: ConsentGranted, at: Recorded) -> Consent:
    return Consent(
        id=terms.consent,
        status="active",
        scope=_SCOPE,
        category=(_CATEGORY,),
        patient=patient(at.event.subject),
        date_time=at.event.happened,
        policy_rule=coded(_POLICY, "42CFRPart2" if terms.part2 else "OPTIN"),
        provision=_provision(terms),
        identifier=(named(terms.identifier),) if terms.identifier else (),
    )


def _provision(terms: ConsentGranted) -> Provision:
    names = (*_actors(terms.recipients, fhir.RECIPIENT_SOURCE), *_actors(terms.classes, fhir.RECIPIENT_CLASS))
    labels = ("PSYTHPN",) if terms.counselling_notes else ()
    return Provision(
        type="permit",
        period=period(terms.starts, terms.expires),
        actor=names,
        action=(_ACTION,),
        security_label=tuple(Coding(system=SECURITY, code=each) for each in labels),
        purpose=tuple(Coding(system=_PURPOSE, code=each) for each in terms.purpose),
        class_=tuple(Coding(system=_CLASS, code=each) for each in terms.scope),
    )


def _actors(names: Iterable[str], system: str) -> Iterable[Actor]:
    for name in names:
        yield Actor(role=_ROLE, reference=Reference(identifier=Identifier(system=system, value=name)))


TOPIC = Topic(handles=(ConsentGranted, ConsentRevoked), draw=_draw)
