"""One participant's rows in memory: what a projection is given, without the projector."""

from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar
from uuid import UUID

from msgspec import Struct

from shared.events.envelope import Recorded
from shared.projections.projection import Projection
from shared.projections.table import key_of

R = TypeVar("R", bound=Struct)


class MemoryRows(Generic[R]):
    def __init__(self, projection: Projection[R], rows: Iterable[R] = ()) -> None:
        self._projection = projection
        self._rows = {key_of(projection, row): row for row in rows}

    def get(self, *key: object) -> R | None:
        assert not self._projection.append_only, "Such a table is never read back."
        return self._rows.get(key)

    def put(self, row: R) -> None:
        self._rows[key_of(self._projection, row)] = row

    def remove(self, *key: object) -> None:
        assert not self._projection.append_only, "Such a table is never read back."
        self._rows.pop(key, None)

    def all(self) -> list[R]:
        return list(self._rows.values())


def folded(
    projection: Projection[R], events: Sequence[Recorded], who: UUID, rows: Iterable[R] = ()
) -> list[R]:
    """Apply what the projection handles of one participant's events, and return the rows."""
    memory = MemoryRows(projection, rows)
    for event in events:
        assert event.event.subject == who
        if type(event.event.data) in projection.handles:
            projection.apply(memory, event)
    return memory.all()
