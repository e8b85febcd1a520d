"""Consents as they stand: what a disclosure is decided by, and what a coordinator is shown."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from services.timeline.read_models.ddl import ddl_beside
from shared.disclosure import marks_of
from shared.events.consent import ConsentGranted, ConsentRevoked
from shared.events.envelope import Recorded
from shared.projections.projection import Projection, Rows


class Consent(Struct, frozen=True, kw_only=True):
    """One consent, by its terms told last. When it ends by itself is decided when somebody asks."""

    consent: UUID
    participant: UUID
    recipients: tuple[str, ...]  # "name:<source>", "class:<class>"
    terms: ConsentGranted
    granted_at: datetime  # recorded-at of the terms
    revoked_at: datetime | None = None
    reason: str | None = None  # why it was revoked
    k: int
    seq: int


def consent() -> Projection[Consent]:
    """Return the projection."""
    return Projection(
        name="consent",
        version=1,
        row=Consent,
        key=("consent",),
        ddl=ddl_beside(__file__),
        handles=frozenset({ConsentGranted, ConsentRevoked}),
        apply=_apply,
    )


def _apply(rows: Rows[Consent], at: Recorded) -> None:
    match at.event.data:
        case ConsentGranted(consent=consent) as terms:
            granted = Consent(
                consent=consent,
                participant=at.event.subject,
                recipients=marks_of(terms),
                terms=terms,
                granted_at=at.recorded_at,
                k=at.position.partition,
                seq=at.position.sequence,
            )
            rows.put(granted)
        case ConsentRevoked(consent=consent, reason=reason):
            held = rows.get(consent)
            if held is not None:
                place = at.position
                rows.put(
                    replace(
                        held, revoked_at=at.recorded_at, reason=reason, k=place.partition, seq=place.sequence
                    )
                )
        case _:
            return
