"""How a read model is told: what had happened, oldest first, and the rows that come of it.

    rows = told(worklist(SITE), received(), accepted(), at="2026-03-02T09:00:00-05:00")

Events are given as data alone, or with when they happened and were recorded.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID, uuid5

from msgspec import Struct

from shared.events.base import EventData
from shared.events.envelope import Event, Position, Recorded, time_of
from shared.events.moment import Moment
from shared.events.registry import REGISTRY, schema_uri, source_of
from shared.projections.projection import Projection
from shared.site import Site
from tests.unit.timeline.rows import folded

R = TypeVar("R", bound=Struct)

SITE = Site("America/New_York", "US")
ROBIN = UUID("01920000-0000-7000-8000-000000000001")
MONDAY = datetime.fromisoformat("2026-03-02T09:00:00-05:00")


def on(day: int, hour: int = 9, *, month: int = 3) -> datetime:
    """An instant of 2026 at the site."""
    return datetime(2026, month, day, hour, tzinfo=SITE.tz)


@dataclass(frozen=True)
class At:
    """An event with when it was recorded and, where that is not the same, when it happened."""

    recorded: datetime
    data: EventData
    happened: Moment | None = None


@dataclass
class Story:
    """A participant's events as the log would hold them, a minute apart where nothing else is said."""

    who: UUID = ROBIN
    events: list[Recorded] = field(default_factory=list[Recorded])

    def tell(self, *facts: EventData | At) -> "Story":
        """Let more happen."""
        for fact in facts:
            last = self.events[-1].recorded_at if self.events else MONDAY - timedelta(minutes=1)
            at = fact if isinstance(fact, At) else At(last + timedelta(minutes=1), fact)
            self.events.append(self._recorded(at))
        return self

    def rows(self, projection: Projection[R]) -> list[R]:
        """Fold the events that the projection handles, from scratch."""
        return folded(projection, self.events, self.who)

    def row(self, projection: Projection[R]) -> R:
        """Return the only row."""
        (row,) = self.rows(projection)
        return row

    def _recorded(self, at: At) -> Recorded:
        sequence = len(self.events) + 1
        name = REGISTRY.type_of(at.data)
        category = REGISTRY.category_of(at.data)
        time, precision = time_of(at.happened or at.recorded.isoformat(), SITE.tz)
        event = Event(
            specversion="1.0",
            id=uuid5(self.who, str(sequence)),
            source=source_of(category),
            type=name,
            subject=self.who,
            time=time,
            dataschema=schema_uri(name, at.data.version),
            datacontenttype="application/json",
            actor="coordinator:7",
            purpose="TREAT",
            correlationid=uuid5(self.who, "correlation"),
            sensitivity="MH",
            data=at.data,
            timeprecision=precision,
        )
        entity = str(getattr(at.data, "referral", self.who)) if category.name == "referral" else str(self.who)
        return Recorded(
            event=event,
            position=Position(0, sequence),
            category=category.name,
            entity=entity,
            recorded_at=at.recorded,
        )


def story(*facts: EventData | At) -> Story:
    """Begin a story."""
    return Story().tell(*facts)
