"""What was known of a participant at a time: the same fold, of the events recorded before it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from msgspec import Struct

from shared.projections.apply import Parked
from shared.projections.fold import Fold
from shared.projections.postgres import Connection
from shared.projections.projection import AnyProjection, Projection
from shared.projections.queries import sql
from shared.projections.rebuild_range import fold_rows

R = TypeVar("R", bound=Struct)


class AsOf(Struct, frozen=True):
    """A participant's rows in every read model; `parked` says where folding had to end early."""

    rows: dict[str, list[Any]]
    parked: Parked | None

    def of(self, projection: Projection[R]) -> list[R]:
        """Return the rows of one read model."""
        return self.rows[projection.name]


async def fold_as_of(
    connection: Connection,
    projections: Sequence[AnyProjection],
    participant: UUID,
    recorded_before: datetime,
) -> AsOf:
    """Fold what had been recorded of the participant before a moment, from the journal; writes nothing."""
    journal = await connection.fetch(sql("journal_of_participant_until"), participant, recorded_before)
    fold = Fold(projections)
    parked = fold_rows(fold, journal)
    rows = {each.name: fold.rows_of(each, participant) for each in projections}
    return AsOf(rows, parked[0] if parked else None)
