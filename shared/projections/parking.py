"""What could not be projected: shown, and replayed once the program can."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
from msgspec import Struct

from shared.events.envelope import Position
from shared.projections.apply import Parked
from shared.projections.fold import Fold
from shared.projections.generation import expect_generation
from shared.projections.journal import entry_of, journalled, message_of
from shared.projections.postgres import Connection, is_about_rows
from shared.projections.projection import AnyProjection
from shared.projections.queries import sql
from shared.projections.rebuild_range import fold_rows
from shared.projections.table import Tables


class ParkedEvent(Struct, frozen=True):
    """An event that waits, why, since when, and how many later ones of its participant wait behind it."""

    position: Position
    participant: UUID | None  # None where not even that can be read: then nothing waits behind it
    projection: str | None
    reason: str
    since: datetime
    waiting: int


class StillParkedError(Exception):
    """What is replayed cannot be applied by this program either; the text says why."""


class NotParkedError(Exception):
    """Nothing is parked there."""


async def parked_events(connection: Connection) -> list[ParkedEvent]:
    """Return all that waits, the longest waiting first."""
    return [_parked_event(row) for row in await connection.fetch(sql("parked"))]


async def parked_count(connection: Connection) -> int:
    """Return how many participants and single messages wait."""
    return int(await connection.fetchval(sql("parked_count")))


async def replay_parked(
    connection: Connection, projections: Sequence[AnyProjection], participant: UUID
) -> None:
    """Fold all of a participant's events anew into every read model, in one transaction.

    Raises NotParkedError, OtherProjectionsError, and StillParkedError: then nothing has changed.
    """
    row = await connection.fetchrow(sql("parked_participant"), participant)
    if row is None:
        raise NotParkedError("This participant is not parked.")
    await replay_at(connection, projections, Position(row["k"], row["seq"]))


async def replay_at(connection: Connection, projections: Sequence[AnyProjection], position: Position) -> None:
    """As `replay_parked`, by the position that is parked: of an event that named nobody, too."""
    async with connection.transaction():
        checkpoint = await connection.fetchrow(sql("lock_checkpoint"), position.partition)
        row = await connection.fetchrow(sql("parked_message"), position.partition, position.sequence)
        if row is None or checkpoint is None:
            raise NotParkedError("Nothing is parked there.")
        await expect_generation(connection, checkpoint["generation"], projections)
        participant = row["participant"] or await _describe(connection, position)
        await connection.execute(sql("unpark"), position.partition, position.sequence)
        if await connection.fetchrow(sql("parked_participant"), participant) is None:
            await _fold_anew(connection, Tables(projections, checkpoint["generation"]), participant)
        await connection.execute(sql("bump_epoch"), position.partition)


async def _describe(connection: Connection, position: Position) -> UUID:
    row = await connection.fetchrow(sql("journal_entry"), position.partition, position.sequence)
    if row is None:
        raise NotParkedError("Nothing is journalled there.")
    entry, _, problem = journalled(message_of(entry_of(row)))
    if entry.participant is None:
        raise StillParkedError(problem or "")
    told = (entry.participant, entry.type, entry.event_id, entry.happened)
    await connection.execute(sql("describe"), entry.k, entry.seq, *told)
    return entry.participant


async def _fold_anew(connection: Connection, tables: Tables, participant: UUID) -> None:
    rows = await connection.fetch(sql("journal_of_participant"), participant)
    fold = Fold(tables.projections)
    refused = fold_rows(fold, rows)
    if refused:
        raise StillParkedError(_sentence(refused[0]))
    await tables.clear(connection, participant)
    try:
        await tables.write(connection, fold.changes())
    except Exception as error:
        if is_about_rows(error):
            raise StillParkedError(f"Postgres refused a row: {type(error).__name__}.") from None
        raise


def _sentence(parked: Parked) -> str:
    place = f"Message {parked.seq} of partition {parked.k}"
    if parked.projection is None:
        return f"{place}: {parked.reason}"
    return f"{place} cannot be applied by {parked.projection}: {parked.reason}."


def _parked_event(row: asyncpg.Record) -> ParkedEvent:
    return ParkedEvent(
        position=Position(row["k"], row["seq"]),
        participant=row["participant"],
        projection=row["projection"],
        reason=row["reason"],
        since=row["since"],
        waiting=row["waiting"],
    )
