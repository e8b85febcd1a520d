"""Applies events that follow each other to one generation of read models; parks what cannot be applied."""

from collections.abc import Container, Iterable, Sequence
from typing import Final
from uuid import UUID

import asyncpg
import structlog
from msgspec import Struct

from shared.events.envelope import Recorded
from shared.projections.fold import Fold
from shared.projections.journal import Entry, Journalled
from shared.projections.postgres import Connection, is_about_rows
from shared.projections.queries import sql
from shared.projections.table import Tables

_log: Final = structlog.get_logger()


class Parked(Struct, frozen=True):
    """An event that waits, and its participant's later ones with it (only itself where nobody is named)."""

    k: int
    seq: int
    participant: UUID | None
    projection: str | None  # None where the message cannot be decoded, or it is not known
    reason: str


async def apply(
    connection: Connection,
    tables: Tables,
    fold: Fold,
    entries: Sequence[Journalled],
    waiting: Iterable[UUID],
) -> list[Parked]:
    """Fold events that follow each other and write the rows they change; returns what is refused.

    The fold may hold rows of earlier events; it is settled by the caller, once all is committed.
    """
    waiting = set(waiting)
    await load(connection, tables, fold, entries, waiting)
    parked = fold_entries(fold, entries, waiting)
    await tables.write(connection, fold.changes())
    return parked


def fold_entries(fold: Fold, entries: Iterable[Journalled], waiting: set[UUID]) -> list[Parked]:
    """Fold events in order, but for those of participants who wait; `waiting` grows by who is parked here."""
    parked: list[Parked] = []
    for entry, recorded, problem in entries:
        if waiting and entry.participant in waiting:
            continue
        refusal = _fold_one(fold, entry, recorded, problem)
        if refusal:
            parked.append(refusal)
            if refusal.participant:
                waiting.add(refusal.participant)
    return parked


def _fold_one(fold: Fold, entry: Entry, recorded: Recorded | None, problem: str | None) -> Parked | None:
    if recorded is None:
        return Parked(entry.k, entry.seq, entry.participant, None, problem or "")
    unapplied = fold.apply(recorded)
    if unapplied is None:
        return None
    return Parked(entry.k, entry.seq, entry.participant, unapplied.projection, unapplied.reason)


async def apply_safely(
    connection: Connection, tables: Tables, entries: Sequence[Journalled], waiting: Iterable[UUID]
) -> list[Parked]:
    """As `apply`, in a savepoint: where Postgres refuses a row, the event behind it is parked."""
    try:
        async with connection.transaction():
            return await apply(connection, tables, Fold(tables.projections), entries, waiting)
    except Exception as error:
        if not is_about_rows(error):
            raise
    return await apply_one_by_one(connection, tables, entries, waiting)


async def apply_one_by_one(
    connection: Connection, tables: Tables, entries: Sequence[Journalled], waiting: Iterable[UUID]
) -> list[Parked]:
    """Find the event whose rows Postgres refuses: each event gets a savepoint. Slow, and rare."""
    waiting = set(waiting)
    parked: list[Parked] = []
    for each in entries:
        refused = await _apply_alone(connection, tables, each, waiting)
        parked.extend(refused)
        waiting.update(refusal.participant for refusal in refused if refusal.participant)
    return parked


async def _apply_alone(
    connection: Connection, tables: Tables, each: Journalled, waiting: set[UUID]
) -> list[Parked]:
    entry = each.entry
    try:
        async with connection.transaction():
            return await apply(connection, tables, Fold(tables.projections), [each], waiting)
    except Exception as error:
        if not is_about_rows(error):
            raise
        reason = f"Postgres refused a row: {type(error).__name__}."
        table = error.table_name if isinstance(error, asyncpg.PostgresError) else None
        return [Parked(entry.k, entry.seq, entry.participant, table, reason)]


async def load(
    connection: Connection,
    tables: Tables,
    fold: Fold,
    entries: Iterable[Journalled],
    waiting: Container[UUID],
) -> None:
    """Read the rows that the events are about and the fold does not hold yet."""
    await _begin(connection, fold, entries, waiting)
    wanted: dict[int, set[UUID]] = {}
    for event in (each.recorded.event for each in entries if each.recorded):
        if not waiting or event.subject not in waiting:
            for table in fold.unknown(event):
                wanted.setdefault(table.at, set()).add(event.subject)
    for at, participants in wanted.items():
        table = fold.tables[at]
        if not table.projection.append_only:
            rows = await tables.of(table.projection).load(connection, participants)
            fold.store(table, participants, rows)


async def _begin(
    connection: Connection, fold: Fold, entries: Iterable[Journalled], waiting: Container[UUID]
) -> None:
    """Find out who is new: one question in place of one to each table."""
    firsts: dict[UUID, Entry] = {}
    for entry in (each.entry for each in entries if each.recorded):
        who = entry.participant
        if who and who not in firsts and not fold.holds(who) and who not in waiting:
            firsts[who] = entry
    if firsts:
        positions = [entry.k for entry in firsts.values()], [entry.seq for entry in firsts.values()]
        rows = await connection.fetch(sql("newcomers"), [*firsts], *positions)
        fold.begin(row["participant"] for row in rows)


async def park(connection: Connection, parked: Sequence[Parked]) -> None:
    """Write down what cannot be applied."""
    for each in parked:
        await connection.execute(
            sql("park"), each.k, each.seq, each.participant, each.projection, each.reason
        )
        _log.warning("parked", partition=each.k, seq=each.seq, projection=each.projection, reason=each.reason)
