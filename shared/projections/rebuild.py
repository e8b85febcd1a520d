"""Fills a new generation of read models from the journal while the old one serves, then swaps."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from shared.projections.apply import Parked, apply_safely, park
from shared.projections.checkpoint import Checkpoint, checkpoint_of, read_checkpoints
from shared.projections.generation import (
    OtherProjectionsError,
    activate,
    active_generation,
    drop_generations,
    make_generation,
    versions_of,
)
from shared.projections.journal import entry_of, journalled, message_of
from shared.projections.lead import until_rebuilder
from shared.projections.migration import migrate
from shared.projections.postgres import Connection, connect
from shared.projections.projection import AnyProjection
from shared.projections.queries import sql
from shared.projections.rebuild_range import Folded, RangeTask, ranges
from shared.projections.rebuild_workers import WORTH_PROCESSES, Ranges, Workers, fold_everywhere, fold_here
from shared.projections.table import Tables

EVENTS_A_BATCH: Final = 1_000
NEARLY_CAUGHT_UP: Final = 2_000
SWAP_TRIES: Final = 20
SWAP_LOCK_SECONDS: Final = 2

Progress = Callable[[int, int], None]
"""Told how many events are folded, of how many."""


def _no_progress(_done: int, _total: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class RebuildOutcome:
    """What a rebuild did."""

    generation: int
    events: int
    parked: int


async def rebuild(
    database_url: str,
    projections: Sequence[AnyProjection],
    progress: Progress = _no_progress,
    *,
    workers: Workers | None = None,
) -> RebuildOutcome:
    """Build every read model anew from the journal and let readers see it, all at once.

    Only one process rebuilds at a time; projectors go on meanwhile and enter the new generation themselves.
    A rebuild that is interrupted leaves a generation that nobody sees; the next one drops it. With `workers`,
    a long journal is folded in processes of its own.
    """
    connection = await connect(database_url)
    try:
        await migrate(connection)
        await until_rebuilder(connection)
        return await _rebuild(connection, database_url, projections, progress, workers)
    finally:
        await connection.close()


async def ensure_generation(
    connection: Connection,
    database_url: str,
    projections: Sequence[AnyProjection],
    workers: Workers | None = None,
) -> None:
    """Rebuild where the active generation is not of these projections' versions.

    The connection is the rebuilder's. Raises OtherProjectionsError where the active ones are newer.
    """
    active = await active_generation(connection)
    ours = versions_of(projections)
    if active and active.versions == ours:
        return
    if active and any(ours.get(name, version) < version for name, version in active.versions.items()):
        raise OtherProjectionsError("The read models were built by a newer version of this program.")
    await _rebuild(connection, database_url, projections, _no_progress, workers)


async def _rebuild(
    connection: Connection,
    database_url: str,
    projections: Sequence[AnyProjection],
    progress: Progress,
    workers: Workers | None,
) -> RebuildOutcome:
    await drop_generations(connection)
    await describe_decodable(connection)
    number = await make_generation(connection, projections)
    building = _Building(connection, projections, number, progress)
    await building.fold_ranges(database_url, workers)
    await building.catch_up()
    await building.swap()
    await drop_generations(connection)
    return RebuildOutcome(number, building.done, len(building.parked))


async def describe_decodable(connection: Connection) -> None:
    """Fill in what the journal could not read of a message when it came, and this build can."""
    for row in await connection.fetch(sql("undecoded")):
        entry = journalled(message_of(entry_of(row))).entry
        if entry.participant:
            told = (entry.participant, entry.type, entry.event_id, entry.happened)
            await connection.execute(sql("describe"), entry.k, entry.seq, *told)


class _Building:
    """A generation on its way: how far it is, and who is parked in it."""

    def __init__(
        self,
        connection: Connection,
        projections: Sequence[AnyProjection],
        number: int,
        progress: Progress,
    ) -> None:
        self._connection = connection
        self._projections = projections
        self._tables = Tables(projections, number)
        self._progress = progress
        self._reached: dict[int, int] = {}
        self._waiting: set[UUID] = set()
        self.parked: list[Parked] = []
        self.done = 0

    async def fold_ranges(self, database_url: str, workers: Workers | None) -> None:
        """Fold whole participants, a range at a time, up to where the checkpoints are now."""
        self._reached = {c.k: c.seq for c in await read_checkpoints(self._connection)}
        task = RangeTask(database_url, self._tables.generation, _by_partition(self._reached))
        total = int(await self._connection.fetchval(sql("journal_size")))
        self._progress(0, total)
        left = Ranges(ranges(self._connection))

        def took(folded: Folded) -> None:
            self.done += folded.events
            self._add(folded.parked)
            self._progress(self.done, total)

        if workers and total >= WORTH_PROCESSES:
            await fold_everywhere(task, left, self._projections, took, workers)
        else:
            await fold_here(task, left, self._projections, took)

    async def catch_up(self) -> None:
        """Apply what came meanwhile, until little is left for the swap."""
        while True:
            checkpoints = await read_checkpoints(self._connection)
            behind = sum(c.seq - self._reached.get(c.k, 0) for c in checkpoints)
            if behind <= NEARLY_CAUGHT_UP:
                return
            for checkpoint in checkpoints:
                await self._apply_until(checkpoint)

    async def swap(self) -> None:
        """Hold the projectors, apply the rest, and let everybody see the generation."""
        for tries_left in reversed(range(SWAP_TRIES)):
            before = dict(self._reached), set(self._waiting), list(self.parked), self.done
            try:
                async with self._connection.transaction():
                    await self._swap()
            except asyncpg.LockNotAvailableError:
                # A reader in a long transaction holds a view: let the projectors go on, then try again.
                self._reached, self._waiting, self.parked, self.done = before
                if not tries_left:
                    raise
                await asyncio.sleep(1)
            else:
                return

    async def _swap(self) -> None:
        connection = self._connection
        await connection.execute(f"set local lock_timeout = '{SWAP_LOCK_SECONDS}s'")
        await connection.execute(sql("lock_new_checkpoints"))
        for row in await connection.fetch(sql("lock_checkpoints")):
            await self._apply_until(checkpoint_of(row))
        for row in await connection.fetch(sql("undecoded")):
            entry, _, problem = journalled(message_of(entry_of(row)))
            self._add([Parked(entry.k, entry.seq, None, None, problem or "")])
        await connection.execute(
            sql("unpark_others"), [each.k for each in self.parked], [each.seq for each in self.parked]
        )
        await park(connection, self.parked)
        await activate(connection, self._tables.generation, self._projections)

    async def _apply_until(self, checkpoint: Checkpoint) -> None:
        k = checkpoint.k
        reached = self._reached.get(k, 0)
        while reached < checkpoint.seq:
            to = min(reached + EVENTS_A_BATCH, checkpoint.seq)
            await self._apply(k, reached, to)
            self._reached[k] = reached = to

    async def _apply(self, k: int, after: int, to: int) -> None:
        rows = await self._connection.fetch(sql("journal_of_partition"), k, after, to)
        entries = [journalled(message_of(entry_of(row))) for row in rows]
        async with self._connection.transaction():
            parked = await apply_safely(self._connection, self._tables, entries, self._waiting)
        self._add([each for each in parked if each.participant])
        self.done += len(entries)

    def _add(self, parked: Sequence[Parked]) -> None:
        self.parked.extend(parked)
        self._waiting.update(each.participant for each in parked if each.participant)


def _by_partition(reached: dict[int, int]) -> list[int]:
    """Return the sequence to fold to of each partition, 0 for one that was never projected."""
    return [reached.get(k, 0) for k in range(max(reached, default=0) + 1)]
