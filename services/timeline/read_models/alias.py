"""Which record is read as whose, since when: a merge reversed stays, with its end."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from services.timeline.read_models.ddl import ddl_beside
from shared.events.envelope import Recorded
from shared.events.participant import ParticipantsMerged, ParticipantsUnmerged
from shared.projections.projection import Projection, Rows


class Alias(Struct, frozen=True, kw_only=True):
    """A merge; both times are when it was recorded, since it changes what we read and not what happened."""

    k: int
    seq: int
    participant: UUID  # the prior
    survivor: UUID
    since: datetime
    until: datetime | None = None
    reason: str | None = None


def alias() -> Projection[Alias]:
    """Return the projection."""
    return Projection(
        name="alias",
        version=1,
        row=Alias,
        key=("k", "seq"),
        ddl=ddl_beside(__file__),
        handles=frozenset({ParticipantsMerged, ParticipantsUnmerged}),
        apply=_apply,
    )


def _apply(rows: Rows[Alias], at: Recorded) -> None:
    match at.event.data:
        case ParticipantsMerged(survivor=survivor, reason=reason):
            merged = Alias(
                k=at.position.partition,
                seq=at.position.sequence,
                participant=at.event.subject,
                survivor=survivor,
                since=at.recorded_at,
                reason=reason,
            )
            rows.put(merged)
        case _:
            for row in list(rows.all()):
                if row.until is None:
                    rows.put(replace(row, until=at.recorded_at))
