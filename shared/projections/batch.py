"""One batch of one partition: journal, read models and checkpoint in one transaction, or nothing of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import asyncpg
import structlog
from msgspec import Struct

from shared.events.envelope import Recorded
from shared.projections.checkpoint import Checkpoint, CheckpointMovedError
from shared.projections.fold import Fold
from shared.projections.generation import expect_generation
from shared.projections.journal import COLUMNS, Entry, Journalled, LogMessage, journalled
from shared.projections.postgres import Connection, is_about_rows
from shared.projections.projection import AnyProjection
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


@dataclass
class PartitionState:
    """What the projector of a partition remembers between batches; all of it stands in Postgres too."""

    projections: Sequence[AnyProjection]
    checkpoint: Checkpoint
    tables: Tables
    parked: set[UUID] = field(default_factory=set)
    epoch: int = -1  # of the checkpoint when `parked` was read

    @classmethod
    def at(cls, checkpoint: Checkpoint, projections: Sequence[AnyProjection]) -> "PartitionState":
        """Start from a checkpoint."""
        return cls(projections, checkpoint, Tables(projections, checkpoint.generation))


class _RowsRefusedError(Exception):
    """Postgres refused rows of this batch: which event's is found out one by one."""


async def project(connection: Connection, state: PartitionState, messages: Sequence[LogMessage]) -> None:
    """Commit a batch, which must follow the checkpoint without a gap; the state then stands after it.

    Raises CheckpointMovedError where another process has taken over; with any error nothing is committed.
    """
    entries = [journalled(message) for message in messages]
    try:
        await _commit(connection, state, entries, one_by_one=False)
    except _RowsRefusedError:
        await _commit(connection, state, entries, one_by_one=True)


async def _commit(
    connection: Connection, state: PartitionState, entries: Sequence[Journalled], *, one_by_one: bool
) -> None:
    async with connection.transaction():
        after = await _advance(connection, state, entries[-1].entry)
        await add_entries(connection, [each.entry for each in entries])
        how = _apply_one_by_one if one_by_one else _apply_together
        parked = await how(connection, state.tables, entries, state.parked)
        await park(connection, parked)
    state.checkpoint = after
    state.parked.update(each.participant for each in parked if each.participant)


async def _advance(connection: Connection, state: PartitionState, last: Entry) -> Checkpoint:
    before = state.checkpoint
    row = await connection.fetchrow(
        sql("advance"), before.k, before.seq, before.created, last.seq, last.recorded_at
    )
    if row is None:
        raise CheckpointMovedError
    generation, epoch = row["generation"], row["epoch"]
    if state.epoch != epoch:
        await _look_again(connection, state, generation, epoch)
    return Checkpoint(before.k, before.stream, before.created, last.seq, last.recorded_at, generation, epoch)


async def _look_again(connection: Connection, state: PartitionState, generation: int, epoch: int) -> None:
    """Somebody rebuilt or replayed since the last batch (or this is the first)."""
    await expect_generation(connection, generation, state.projections)
    if state.tables.generation != generation:
        state.tables = Tables(state.projections, generation)
    rows = await connection.fetch(sql("parked_of_partition"), state.checkpoint.k)
    state.parked = {row["participant"] for row in rows}
    state.epoch = epoch


async def _apply_together(
    connection: Connection, tables: Tables, entries: Sequence[Journalled], waiting: set[UUID]
) -> list[Parked]:
    try:
        return await apply(connection, tables, entries, waiting)
    except Exception as error:
        if is_about_rows(error):
            raise _RowsRefusedError from error
        raise


async def apply(
    connection: Connection, tables: Tables, entries: Sequence[Journalled], waiting: Iterable[UUID]
) -> list[Parked]:
    """Fold events that follow each other into a generation and write its rows; returns what is refused."""
    fold = Fold(tables.projections)
    waiting = set(waiting)
    await _load(connection, tables, fold, [e.recorded for e in entries if e.recorded], waiting)
    parked = fold_entries(fold, entries, waiting)
    await tables.write(connection, fold.changes())
    return parked


def fold_entries(fold: Fold, entries: Iterable[Journalled], waiting: set[UUID]) -> list[Parked]:
    """Fold events in order, but for those of participants who wait; `waiting` grows by who is parked here."""
    parked: list[Parked] = []
    for entry, recorded, problem in entries:
        if entry.participant in waiting:
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
            return await apply(connection, tables, entries, waiting)
    except Exception as error:
        if not is_about_rows(error):
            raise
    return await _apply_one_by_one(connection, tables, entries, waiting)


async def _apply_one_by_one(
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
            return await apply(connection, tables, [each], waiting)
    except Exception as error:
        if not is_about_rows(error):
            raise
        reason = f"Postgres refused a row: {type(error).__name__}."
        table = error.table_name if isinstance(error, asyncpg.PostgresError) else None
        return [Parked(entry.k, entry.seq, entry.participant, table, reason)]


async def _load(
    connection: Connection, tables: Tables, fold: Fold, events: Iterable[Recorded], waiting: set[UUID]
) -> None:
    wanted: dict[str, set[UUID]] = {}
    for recorded in events:
        event = recorded.event
        if event.subject not in waiting:
            for table in fold.handling(event.data):
                wanted.setdefault(table.projection.name, set()).add(event.subject)
    for table in fold.tables:
        participants = wanted.get(table.projection.name)
        if participants and not table.projection.append_only:
            fold.store(table, await tables.of(table.projection).load(connection, participants))


async def add_entries(connection: Connection, entries: Iterable[Entry]) -> None:
    """Write messages into the journal."""
    await connection.copy_records_to_table("journal", schema_name="log", columns=COLUMNS, records=entries)


async def park(connection: Connection, parked: Sequence[Parked]) -> None:
    """Write down what cannot be applied."""
    for each in parked:
        await connection.execute(
            sql("park"), each.k, each.seq, each.participant, each.projection, each.reason
        )
        _log.warning("parked", partition=each.k, seq=each.seq, projection=each.projection, reason=each.reason)
