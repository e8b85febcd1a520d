"""One person's records read as one: whose record it is, and the care state that all of them make together."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from services.timeline.read_models.care.state import CareState
from services.timeline.read_models.participant import participant as participant_projection
from shared.events.base import EventData
from shared.events.envelope import Position, Recorded
from shared.events.episode import EpisodeCompleted, EpisodeEndedEarly, EpisodeOpened
from shared.events.participant import (
    DemographicsCorrected,
    IdentifierLinked,
    ParticipantRegistered,
    ParticipantsMerged,
)
from shared.events.registry import REGISTRY, UndecodableEventError
from shared.projections.postgres import Connection
from shared.site import Site
from shared.sql import statements

_SQL: Final[Mapping[str, str]] = statements(Path(__file__).with_suffix(".sql"))


class Person(Struct, frozen=True, kw_only=True):
    """All records of one person."""

    survivor: UUID
    priors: tuple[UUID, ...] = ()

    @property
    def records(self) -> list[UUID]:
        """The survivor's record first, then those merged into it."""
        return [self.survivor, *self.priors]


async def person(connection: Connection, record: UUID, as_of: datetime | None = None) -> Person:
    """Return whose record it is now, or was as far as was known before an instant."""
    rows = await connection.fetch(_SQL["person"], record, as_of)
    survivor = next(row["participant"] for row in rows if row["survives"])
    priors = sorted(row["participant"] for row in rows if not row["survives"])
    return Person(survivor=survivor, priors=tuple(priors))


async def care_state_together(
    connection: Connection, site: Site, whose: Person, as_of: datetime | None = None
) -> CareState | None:
    """Fold what was recorded in all of a person's records, as if it were one; who they are is the survivor's.

    It ends early at an event that cannot be read or applied: that is parked, where a person sees it.
    """
    rows = await connection.fetch(_SQL["journal_of_records"], whose.records, as_of)
    projection = participant_projection(site)
    state = _OneRow()
    for recorded in _of_one_episode(_told_of(rows, whose.survivor)):
        projection.apply(state, recorded)
    return state.row


def _told_of(rows: Sequence[asyncpg.Record], survivor: UUID) -> list[Recorded]:
    told: list[Recorded] = []
    for row in rows:
        try:
            event = REGISTRY.decode(row["message"])
        except UndecodableEventError:
            break
        told += (
            Recorded(
                event=replace(event, subject=survivor, data=data),
                position=Position(row["k"], row["seq"]),
                category=row["category"],
                entity=row["entity"],
                recorded_at=row["recorded_at"],
            )
            for data in ([event.data] if event.subject == survivor else _of_all_records(event.data))
        )
    return told


def _of_one_episode(told: list[Recorded]) -> list[Recorded]:
    """Leave out what other episodes say while one is open: of two, the one that was opened last."""
    opened: dict[UUID, None] = {}
    for one in told:
        match one.event.data:
            case EpisodeOpened(episode=id):
                opened[id] = None
            case EpisodeCompleted(episode=id) | EpisodeEndedEarly(episode=id):
                opened.pop(id, None)
            case _:
                pass
    if not opened:
        return told
    last = next(reversed(opened))
    return [one for one in told if getattr(one.event.data, "episode", last) == last]


def _of_all_records(data: EventData) -> Iterable[EventData]:
    """Return what an event of a merged record says of the person; their description is the survivor's."""
    match data:
        case ParticipantRegistered(identifiers=identifiers):
            return [IdentifierLinked(identifier=each) for each in identifiers]
        case DemographicsCorrected() | ParticipantsMerged():
            return ()
        case _:
            return (data,)


class _OneRow:
    """The row of a care state while it is folded."""

    row: CareState | None = None

    def get(self, *_key: object) -> CareState | None:
        return self.row

    def put(self, row: CareState) -> None:
        self.row = row

    def remove(self, *_key: object) -> None:
        self.row = None

    def all(self) -> list[CareState]:
        return [] if self.row is None else [self.row]
