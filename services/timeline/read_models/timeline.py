"""The timeline: every event as a sentence, with both of its times, who did it and which message told us."""

from datetime import date, datetime
from uuid import UUID

from msgspec import Struct

from services.timeline.read_models.ddl import ddl_beside
from services.timeline.read_models.sentences import describe
from shared.events.base import MessageReference
from shared.events.envelope import Recorded
from shared.events.identity import IdentifierClaimed
from shared.events.registry import REGISTRY
from shared.projections.projection import Projection, Rows
from shared.site import Site


class Entry(Struct, frozen=True, kw_only=True, gc=False):
    """One event. What was corrected stays: the correction is an entry of its own."""

    k: int
    seq: int
    participant: UUID
    happened: str  # as told: a day, or an instant with its offset
    happened_at: datetime
    recorded_at: datetime
    type: str  # CloudEvents type
    category: str
    entity: str
    title: str
    detail: str
    corrects: bool  # takes back or replaces something that an earlier entry says
    due: date | None
    actor: str
    source: str | None  # of the message that told us
    control_id: str | None
    trigger: str | None
    inbound_id: str | None
    event: UUID
    correlation: UUID
    causation: UUID | None
    sensitivity: str


def timeline(site: Site) -> Projection[Entry]:
    """Return the projection; times in sentences are the site's."""

    def apply(rows: Rows[Entry], at: Recorded) -> None:
        rows.put(_entry(at, site))

    return Projection(
        name="timeline",
        version=3,
        row=Entry,
        key=("k", "seq"),
        ddl=ddl_beside(__file__),
        handles=frozenset(REGISTRY.types.values()) - {IdentifierClaimed},  # a claim is of another partition
        apply=apply,
        append_only=True,
    )


def _entry(at: Recorded, site: Site) -> Entry:
    event = at.event
    said = describe(event.data, site.tz)
    told: MessageReference | None = getattr(event.data, "message", None)
    return Entry(
        k=at.position.partition,
        seq=at.position.sequence,
        participant=event.subject,
        happened=event.happened,
        happened_at=event.time,
        recorded_at=at.recorded_at,
        type=event.type,
        category=at.category,
        entity=at.entity,
        title=said.title,
        detail=said.detail,
        corrects=said.corrects,
        due=said.due,
        actor=event.actor,
        source=told and told.source,
        control_id=told and told.control_id,
        trigger=told and told.trigger,
        inbound_id=told and told.inbound_id,
        event=event.id,
        correlation=event.correlationid,
        causation=event.causationid,
        sensitivity=event.sensitivity,
    )
