"""Folding the participants of a range of ids from the journal, in as many processes as there is work for."""

import asyncio
import multiprocessing
from collections import deque
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from shared.events.registry import UndecodableEventError
from shared.projections.batch import Parked, apply_safely
from shared.projections.fold import Fold
from shared.projections.journal import journalled_row, problem_of, recorded_of
from shared.projections.postgres import Connection, connect, is_about_rows
from shared.projections.projection import AnyProjection
from shared.projections.queries import sql
from shared.projections.table import Tables

EVENTS_A_RANGE: Final = 10_000
WORTH_PROCESSES: Final = 20_000  # below, starting them takes longer than the work
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
    projections: Sequence[AnyProjection]
    generation: int
    upto: list[int]


@dataclass(frozen=True)
class Folded:
    """What came of a range."""

    events: int
    parked: list[Parked]


async def ranges(connection: Connection) -> AsyncIterator[Range]:
    """Cut the participants of the journal into ranges of about as many events."""
    last = await connection.fetchval(sql("last_participant"))
    after = BEFORE_ANY
    while last and after < last:
        to = await connection.fetchval(sql("range_end"), after, EVENTS_A_RANGE) or last
        yield Range(after, to)
        after = to


async def fold_ranges(
    task: RangeTask, every: AsyncIterator[Range], events: int, processes: int
) -> AsyncIterator[Folded]:
    """Fold every range; how many events there are decides whether processes are worth it."""
    if events < WORTH_PROCESSES or processes <= 1:
        connection = await connect(task.database_url)
        try:
            async for each in every:
                yield await fold_range(connection, task, each)
        finally:
            await connection.close()
        return
    async for folded in _in_processes(task, every, processes):
        yield folded


async def fold_range(connection: Connection, task: RangeTask, every: Range) -> Folded:
    """Fold whole participants in memory and write their final rows, in one transaction."""
    rows = await connection.fetch(sql("journal_of_participants"), every.after, every.to, task.upto)
    tables = Tables(task.projections, task.generation)
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
        if row["participant"] not in parked:
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


async def _in_processes(
    task: RangeTask, every: AsyncIterator[Range], processes: int
) -> AsyncIterator[Folded]:
    context = multiprocessing.get_context("spawn")  # a fork would share our connections
    with ProcessPoolExecutor(processes, context, initializer=_start, initargs=(task,)) as pool:
        loop = asyncio.get_running_loop()
        under_way: deque[asyncio.Future[Folded]] = deque()
        async for each in every:
            under_way.append(loop.run_in_executor(pool, _fold_here, each))
            if len(under_way) > 2 * processes:
                yield await under_way.popleft()
        while under_way:
            yield await under_way.popleft()


class _Worker:
    """One process: a loop and a connection for all of its ranges."""

    def __init__(self, task: RangeTask) -> None:
        self._task = task
        self._runner = asyncio.Runner()
        self._connection = self._runner.run(connect(task.database_url))

    def fold(self, every: Range) -> Folded:
        return self._runner.run(fold_range(self._connection, self._task, every))


_workers: list[_Worker] = []


def _start(task: RangeTask) -> None:
    _workers.append(_Worker(task))


def _fold_here(every: Range) -> Folded:
    return _workers[0].fold(every)
