"""One batch of one partition: journal, read models and checkpoint in one transaction, or nothing of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from shared.projections.apply import Parked, apply, apply_one_by_one, park
from shared.projections.checkpoint import Checkpoint, CheckpointMovedError
from shared.projections.fold import Fold
from shared.projections.generation import expect_generation
from shared.projections.journal import COLUMNS, Entry, Journalled
from shared.projections.postgres import Connection, is_about_rows
from shared.projections.projection import AnyProjection
from shared.projections.queries import sql
from shared.projections.table import Tables

PARTICIPANTS_KEPT: Final = 2_000  # whose rows need not be read again for their next event


@dataclass
class PartitionState:
    """What the projector of a partition remembers between batches; all of it stands in Postgres too.

    The rows that the fold keeps are what the read models hold, as nobody else writes them without raising the
    checkpoint's epoch.
    """

    projections: Sequence[AnyProjection]
    checkpoint: Checkpoint
    tables: Tables
    parked: set[UUID] = field(default_factory=set)
    epoch: int = -1  # of the checkpoint when `parked` was read

    def __post_init__(self) -> None:
        """Know no rows yet."""
        self.forget_rows()

    def forget_rows(self) -> None:
        """What is remembered of read models may no longer be what they hold."""
        self.fold = Fold(self.projections)

    def forget(self) -> None:
        """Nothing is certain but the checkpoint: who is parked is read again, too."""
        self.forget_rows()
        self.epoch = -1

    @property
    def is_certain(self) -> bool:
        """Whether rows and parked participants are known as of some epoch."""
        return self.epoch >= 0

    @classmethod
    def at(cls, checkpoint: Checkpoint, projections: Sequence[AnyProjection]) -> "PartitionState":
        """Start from a checkpoint."""
        return cls(projections, checkpoint, Tables(projections, checkpoint.generation))


class RowsRefusedError(Exception):
    """Postgres refused rows of this batch: which event's is found out one by one."""


async def project(connection: Connection, state: PartitionState, entries: Sequence[Journalled]) -> None:
    """Commit a batch, which must follow the checkpoint without a gap; the state then stands after it.

    Raises CheckpointMovedError where another process has taken over; with any error nothing is committed.
    """
    try:
        await _commit(connection, state, entries, one_by_one=False)
    except RowsRefusedError:
        await _commit(connection, state, entries, one_by_one=True)


async def _commit(
    connection: Connection, state: PartitionState, entries: Sequence[Journalled], *, one_by_one: bool
) -> None:
    async with connection.transaction():
        after = await advance(connection, state, entries[-1].entry)
        if state.epoch != after.epoch:
            await _look_again(connection, state, after.generation, after.epoch)
        await add_entries(connection, [each.entry for each in entries])
        if one_by_one:
            parked = await apply_one_by_one(connection, state.tables, entries, state.parked)
        else:
            parked = await _apply_together(connection, state, entries)
        await park(connection, parked)
    state.fold.settle(PARTICIPANTS_KEPT)
    state.checkpoint = after
    state.parked.update(each.participant for each in parked if each.participant)


async def advance(connection: Connection, state: PartitionState, last: Entry) -> Checkpoint:
    """Move the checkpoint, which stays locked until the commit; raises CheckpointMovedError."""
    before = state.checkpoint
    row = await connection.fetchrow(
        sql("advance"), before.k, before.seq, before.created, last.seq, last.recorded_at
    )
    if row is None:
        raise CheckpointMovedError
    return Checkpoint(
        before.k, before.stream, before.created, last.seq, last.recorded_at, row["generation"], row["epoch"]
    )


async def _look_again(connection: Connection, state: PartitionState, generation: int, epoch: int) -> None:
    """Somebody rebuilt or replayed since the last batch (or this is the first)."""
    await expect_generation(connection, generation, state.projections)
    if state.tables.generation != generation:
        state.tables = Tables(state.projections, generation)
    state.forget_rows()
    rows = await connection.fetch(sql("parked_of_partition"), state.checkpoint.k)
    state.parked = {row["participant"] for row in rows}
    state.epoch = epoch


async def _apply_together(
    connection: Connection, state: PartitionState, entries: Sequence[Journalled]
) -> list[Parked]:
    try:
        return await apply(connection, state.tables, state.fold, entries, state.parked)
    except Exception as error:
        state.forget_rows()
        if is_about_rows(error):
            raise RowsRefusedError from error
        raise


async def add_entries(connection: Connection, entries: Iterable[Entry]) -> None:
    """Write messages into the journal."""
    await connection.copy_records_to_table("journal", schema_name="log", columns=COLUMNS, records=entries)
