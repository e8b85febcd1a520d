"""Provenance: which event made resources what they are, who did it, and which message told us."""

from collections.abc import Sequence
from functools import cache

from services.timeline.read_models.fhir.elements import (
    CodeableConcept,
    Element,
    Identifier,
    Meta,
    Reference,
    Resource,
    local,
)
from shared.events.base import MessageReference
from shared.events.envelope import Recorded
from shared.fhir import LOCAL

_MESSAGES = LOCAL + "message:"


class Agent(Element, frozen=True, kw_only=True):
    who: Reference


class Entity(Element, frozen=True, kw_only=True):
    role: str
    what: Reference


class Provenance(Resource, frozen=True, kw_only=True, tag="Provenance"):
    """http://hl7.org/fhir/R4/provenance.html"""

    target: tuple[Reference, ...]
    recorded: str
    agent: tuple[Agent, ...]
    occurred_date_time: str | None = None
    activity: CodeableConcept | None = None
    entity: tuple[Entity, ...] = ()


def provenance(at: Recorded, targets: Sequence[Resource], meta: Meta) -> Provenance:
    """Return what is to be said of the resources that an event changed; its id is the event's."""
    event = at.event
    message: MessageReference | None = getattr(event.data, "message", None)
    return Provenance(
        id=event.id,
        meta=meta,
        target=tuple([Reference(reference=f"{type(each).__name__}/{each.id}") for each in targets]),
        recorded=at.recorded_at.isoformat(),
        agent=(Agent(who=Reference(display=event.actor or "unknown")),),
        occurred_date_time=event.happened,
        activity=_activity(type(event.data).__name__),
        entity=(Entity(role="source", what=_what(message)),) if message else (),
    )


@cache
def _activity(event: str) -> CodeableConcept:
    return local("event", event)


def _what(message: MessageReference) -> Reference:
    known_as = Identifier(system=_MESSAGES + message.source, value=message.control_id)
    return Reference(identifier=known_as, display=message.trigger)
