"""FHIR R4 resources as they are read over HTTP: only those that an event changes are drawn anew."""

from collections.abc import Iterable
from datetime import datetime
from functools import cache, lru_cache
from itertools import chain
from typing import Final, TypeVar, cast
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from services.timeline.read_models.ddl import ddl_beside
from services.timeline.read_models.fhir import (
    appointment,
    assessment,
    consent,
    encounter,
    episode,
    patient,
    plan,
    referral,
    session,
)
from services.timeline.read_models.fhir.drawing import Drawn, Topic, sender_of
from services.timeline.read_models.fhir.elements import SECURITY, Coding, Identifier, Meta, Resource
from services.timeline.read_models.fhir.patient import Patient
from services.timeline.read_models.fhir.provenance import provenance
from shared import fhir
from shared.disclosure import Protection, labels_in, protection_of
from shared.events.base import EventData
from shared.events.envelope import Recorded
from shared.events.registry import REGISTRY
from shared.projections.projection import Projection, Rows

R = TypeVar("R", bound=Resource)

_TOPICS: Final = (
    patient.TOPIC,
    referral.TOPIC,
    appointment.TOPIC,
    encounter.TOPIC,
    session.TOPIC,
    assessment.TOPIC,
    episode.TOPIC,
    plan.TOPIC,
    consent.TOPIC,
)
_OF_EVENT: Final[dict[type[EventData], tuple[Topic, ...]]] = {
    event: tuple(topic for topic in _TOPICS if event in topic.handles)
    for event in chain.from_iterable(topic.handles for topic in _TOPICS)
}
_TELLING: Final = frozenset(
    event for event in REGISTRY.types.values() if "message" in event.__struct_fields__
)
"""Events that a sender told us: it may read about this participant from then on."""

_encoder: Final = msgspec.json.Encoder()


class FhirResource(Struct, frozen=True, kw_only=True, gc=False):
    """A resource with what it is found by. Its versions are counted; earlier ones are not kept."""

    type: str
    id: UUID
    participant: UUID
    version: int
    last_updated: datetime  # recorded-at of the event that changed it
    status: str | None
    identifiers: tuple[str, ...]  # "system|value" and "|value", in lower case
    sender: str | None  # the source whose own it is: a referral, a stay; None for what the program says
    protection: Protection  # by its sensitivity labels
    seen_by: tuple[str, ...]  # of a Patient: "source:<token>", "assigner:<name>"
    replaced_by: UUID | None  # of a merged Patient: the survivor
    memo: tuple[str, ...]  # what the next event needs to know and the resource does not say
    resource: str  # JSON, as it is sent
    k: int
    seq: int


def fhir_resource() -> Projection[FhirResource]:
    """Return the projection."""
    return Projection(
        name="fhir_resource",
        version=5,
        row=FhirResource,
        key=("type", "id"),
        ddl=ddl_beside(__file__),
        handles=frozenset(_OF_EVENT) | _TELLING,
        apply=_apply,
    )


def _apply(rows: Rows[FhirResource], at: Recorded) -> None:
    held = _Held(rows)
    changed: list[Resource] = []
    sender = sender_of(at.event.data)
    for topic in _OF_EVENT.get(type(at.event.data), ()):
        for drawn in topic.draw(held, at):
            sender = sender or drawn.sender or held.sender(type(drawn.resource), drawn.resource.id)
            if _put(rows, held, drawn, at):
                changed.append(drawn.resource)
    if sender_of(at.event.data):
        _let_see(rows, at)
    if changed:
        rows.put(_provenance(at, changed, sender))


class _Held:
    """The rows as resources; one that was looked at is not decoded again to be compared."""

    def __init__(self, rows: Rows[FhirResource]) -> None:
        self._rows = rows
        self._decoded: tuple[FhirResource, Resource] | None = None

    def get(self, kind: type[R], id: UUID) -> R | None:
        row = self._rows.get(kind.__name__, id)
        if row is None:
            return None
        if self._decoded is None or self._decoded[0] is not row:
            self._decoded = row, _decoder(kind).decode(row.resource)
        return cast("R", self._decoded[1])

    def all(self, kind: type[R]) -> Iterable[R]:
        name = kind.__name__
        return [_decoder(kind).decode(row.resource) for row in self._rows.all() if row.type == name]

    def memo(self, kind: type[Resource], id: UUID) -> tuple[str, ...]:
        row = self._rows.get(kind.__name__, id)
        return row.memo if row else ()

    def sender(self, kind: type[Resource], id: UUID) -> str | None:
        row = self._rows.get(kind.__name__, id)
        return row.sender if row else None


@cache
def _decoder(kind: type[R]) -> msgspec.json.Decoder[R]:
    return msgspec.json.Decoder(kind)


def _put(rows: Rows[FhirResource], held: _Held, drawn: Drawn, at: Recorded) -> bool:
    """Write the resource where it differs from what was held; tell whether it does."""
    resource = drawn.resource
    before = rows.get(type(resource).__name__, resource.id)
    if before is None:
        rows.put(_row(None, drawn, at))
        return True
    if replace(resource, meta=None) != replace(_held(held, resource), meta=None):
        rows.put(_row(before, drawn, at))
        return True
    if before.memo != drawn.memo:
        rows.put(replace(before, memo=drawn.memo))
    return False


def _held(held: _Held, resource: Resource) -> Resource:
    return held.get(type(resource), resource.id) or resource


def _row(before: FhirResource | None, drawn: Drawn, at: Recorded) -> FhirResource:
    version = before.version + 1 if before else 1
    resource = replace(drawn.resource, meta=_meta(version, at.recorded_at, at.event.sensitivity))
    return FhirResource(
        type=type(resource).__name__,
        id=resource.id,
        participant=at.event.subject,
        version=version,
        last_updated=at.recorded_at,
        status=_status(resource),
        identifiers=_searchable(resource),
        sender=before.sender if before and before.sender else drawn.sender,
        protection=_protection(at.event.sensitivity),
        seen_by=_seen_by(before, resource),
        replaced_by=_replaced_by(resource),
        memo=drawn.memo,
        resource=_encoder.encode(resource).decode(),
        k=at.position.partition,
        seq=at.position.sequence,
    )


def _provenance(at: Recorded, changed: list[Resource], sender: str | None) -> FhirResource:
    """Return the row of what an event changed: never changed itself, and found by its person and time."""
    event = at.event
    resource = provenance(at, changed, _meta(1, at.recorded_at, event.sensitivity))
    return FhirResource(
        type="Provenance",
        id=event.id,
        participant=event.subject,
        version=1,
        last_updated=at.recorded_at,
        status=None,
        identifiers=(),
        sender=sender,
        protection=_protection(event.sensitivity),
        seen_by=(),
        replaced_by=None,
        memo=(),
        resource=_encoder.encode(resource).decode(),
        k=at.position.partition,
        seq=at.position.sequence,
    )


@lru_cache(maxsize=4)  # most of what an event draws is new, and its Provenance is
def _meta(version: int, recorded_at: datetime, sensitivity: str) -> Meta:
    return Meta(
        version_id=str(version),
        last_updated=recorded_at.isoformat(timespec="microseconds"),  # a poller goes on from exactly here
        security=_labels(sensitivity),
    )


@lru_cache(maxsize=64)
def _labels(sensitivity: str) -> tuple[Coding, ...]:
    return tuple(Coding(system=SECURITY, code=label) for label in labels_in(sensitivity))


@lru_cache(maxsize=64)
def _protection(sensitivity: str) -> Protection:
    return protection_of(labels_in(sensitivity))


def _status(resource: Resource) -> str | None:
    return getattr(resource, "status", None) or getattr(resource, "lifecycle_status", None)


def _searchable(resource: Resource) -> tuple[str, ...]:
    identifiers: tuple[Identifier, ...] = getattr(resource, "identifier", ())
    if not identifiers:
        return ()
    tokens = ((each.system or "", (each.value or "").casefold()) for each in identifiers)
    return tuple(dict.fromkeys(chain.from_iterable((f"{s}|{v}", f"|{v}") for s, v in tokens)))


def _seen_by(before: FhirResource | None, resource: Resource) -> tuple[str, ...]:
    """A source that names one of the person's identifiers as its own may see the person."""
    had = before.seen_by if before else ()
    if not isinstance(resource, Patient):
        return had
    assigners = (fhir.assigner_of(each.system or "") for each in resource.identifier)
    return tuple(dict.fromkeys((*had, *(f"assigner:{name}" for name in assigners))))


def _replaced_by(resource: Resource) -> UUID | None:
    if not isinstance(resource, Patient):
        return None
    links = (link.other.reference for link in resource.link if link.type == "replaced-by")
    return next((UUID(each.rpartition("/")[2]) for each in links if each), None)


def _let_see(rows: Rows[FhirResource], at: Recorded) -> None:
    who = rows.get("Patient", at.event.subject)
    token = f"source:{sender_of(at.event.data)}"
    if who is None:
        patient = Drawn(Patient(id=at.event.subject, active=True))
        who = _row(None, patient, at)
    if token not in who.seen_by:
        rows.put(replace(who, seen_by=(*who.seen_by, token)))
