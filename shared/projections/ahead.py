"""Catching up: a batch is folded while Postgres writes the one before it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final, NamedTuple

from shared.projections.apply import Parked, fold_entries, load, park
from shared.projections.batch import (
    PARTICIPANTS_KEPT,
    PartitionState,
    RowsRefusedError,
    add_entries,
    advance,
    project,
)
from shared.projections.fold import Changes
from shared.projections.journal import Journalled
from shared.projections.postgres import Connection, is_about_rows
from shared.projections.projection import AnyProjection

_AT_A_TIME: Final = 10  # events folded before the batch that is written gets its turn

Tell = Callable[[int], Awaitable[None]]
"""Told the sequence that was committed."""


class _Folded(NamedTuple):
    entries: Sequence[Journalled]
    changes: list[tuple[AnyProjection, Changes]]
    parked: list[Parked]


class _EpochMovedError(Exception):
    """Somebody else changed the read models since this batch was folded."""


class Ahead:
    """Folds on rows that are not committed yet; where a commit fails, all that was built on it is forgotten.

    Rows that are not in memory belong to participants of no batch under way, so that another connection may
    read them beside the transaction that writes.
    """

    def __init__(
        self, writing: Connection, reading: Connection, state: PartitionState, committed: Tell
    ) -> None:
        self.state = state
        self._writing = writing
        self._reading = reading
        self._committed = committed
        self._under_way: tuple[_Folded, asyncio.Task[None]] | None = None

    async def project(self, entries: Sequence[Journalled]) -> None:
        """Fold a batch, and begin to write it once the one before is committed."""
        if self.state.fold.participants > PARTICIPANTS_KEPT:
            await self.finish()
            self.state.forget_rows()
        folded = await self._fold(entries)
        if await self.finish():
            self._under_way = folded, asyncio.create_task(self._write(folded))
        else:
            await self._again(entries)

    async def finish(self) -> bool:
        """Return when nothing is under way; False where what was folded meanwhile does not hold."""
        if self._under_way is None:
            return True
        folded, writing = self._under_way
        self._under_way = None
        try:
            await writing
        except (RowsRefusedError, _EpochMovedError):
            self.state.forget()
            await self._again(folded.entries)
            return False
        return True

    def cancel(self) -> None:
        """Leave what is under way; it is committed as a whole or not at all."""
        if self._under_way is not None:
            self._under_way[1].cancel()
            self._under_way = None

    async def _again(self, entries: Sequence[Journalled]) -> None:
        """Project a batch on what is committed, in turn."""
        await project(self._writing, self.state, entries)
        await self._committed(self.state.checkpoint.seq)

    async def _fold(self, entries: Sequence[Journalled]) -> _Folded:
        state = self.state
        await load(self._reading, state.tables, state.fold, entries, state.parked)
        parked: list[Parked] = []
        for some in _slices(entries):
            parked += fold_entries(state.fold, some, state.parked)
            await asyncio.sleep(0)
        return _Folded(entries, state.fold.take(), parked)

    async def _write(self, folded: _Folded) -> None:
        state, connection = self.state, self._writing
        async with connection.transaction():
            after = await advance(connection, state, folded.entries[-1].entry)
            if after.epoch != state.epoch:
                raise _EpochMovedError
            await add_entries(connection, [each.entry for each in folded.entries])
            await self._write_rows(folded)
            await park(connection, folded.parked)
        state.checkpoint = after
        await self._committed(after.seq)

    async def _write_rows(self, folded: _Folded) -> None:
        try:
            await self.state.tables.write(self._writing, folded.changes)
        except Exception as error:
            if is_about_rows(error):
                raise RowsRefusedError from error
            raise


def _slices(entries: Sequence[Journalled]) -> Iterator[Sequence[Journalled]]:
    return (entries[at : at + _AT_A_TIME] for at in range(0, len(entries), _AT_A_TIME))
