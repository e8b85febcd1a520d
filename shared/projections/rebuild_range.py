"""Folding the participants of a range of ids from the journal into a generation that nobody sees yet."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from shared.events.registry import UndecodableEventError
from shared.projections.apply import Parked, apply_safely
from shared.projections.fold import Fold
from shared.projections.journal import journalled_row, problem_of, recorded_of
from shared.projections.postgres import Connection, connect, is_about_rows
from shared.projections.queries import sql
from shared.projections.table import Tables

EVENTS_A_RANGE: Final = 4_000
BEFORE_ANY: Final = UUID(int=0)


@dataclass(frozen=True)
class Range:
    """Participants by id: exclusive, inclusive."""

    after: UUID
    to: UUID


@dataclass(frozen=True)
class RangeTask:
    """What every range is folded into, and how far: a sequence for each partition from 0 on."""

    database_url: str
    generation: int
    upto: list[int]


@dataclass(frozen=True)
class Folded:
    """What came of a range."""

    events: int
    parked: list[Parked]


async def ranges(connection: Connection) -> AsyncGenerator[Range]:
    """Cut the participants of the journal into ranges of about as many events."""
    last = await connection.fetchval(sql("last_participant"))
    after = BEFORE_ANY
    while last and after < last:
        to = await connection.fetchval(sql("range_end"), after, EVENTS_A_RANGE) or last
        yield Range(after, to)
        after = to


async def bulk_connection(database_url: str) -> Connection:
    """Open a connection for rows that count only once the swap commits, which waits for the disk for all."""
    connection = await connect(database_url)
    await connection.execute("set synchronous_commit = off")
    return connection


async def fold_range(connection: Connection, tables: Tables, upto: list[int], every: Range) -> Folded:
    """Fold whole participants in memory and write their final rows, in one transaction."""
    rows = await connection.fetch(sql("journal_of_participants"), every.after, every.to, upto)
    try:
        async with connection.transaction():
            parked = await _fold_together(connection, tables, rows)
    except Exception as error:
        if not is_about_rows(error):
            raise
        async with connection.transaction():
            entries = [journalled_row(row) for row in rows]
            parked = await apply_safely(connection, tables, entries, set())
    return Folded(len(rows), parked)


async def _fold_together(
    connection: Connection, tables: Tables, rows: Sequence[asyncpg.Record]
) -> list[Parked]:
    fold = Fold(tables.projections)
    parked = fold_rows(fold, rows)
    await tables.write(connection, fold.changes())
    return parked


def fold_rows(fold: Fold, rows: Sequence[asyncpg.Record]) -> list[Parked]:
    """Fold rows of the journal, participant by participant; one whose event cannot be applied ends there."""
    parked: dict[UUID, Parked] = {}
    for row in rows:
        if not parked or row["participant"] not in parked:
            refused = _fold_row(fold, row)
            if refused:
                parked[row["participant"]] = refused
    return list(parked.values())


def _fold_row(fold: Fold, row: asyncpg.Record) -> Parked | None:
    try:
        unapplied = fold.apply(recorded_of(row))
    except UndecodableEventError as error:
        return Parked(row["k"], row["seq"], row["participant"], None, problem_of(error))
    if unapplied:
        return Parked(row["k"], row["seq"], row["participant"], unapplied.projection, unapplied.reason)
    return None
