"""Folding the participants of a range of ids from the journal, in as many processes as there is work for."""

import asyncio
import multiprocessing
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
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


@dataclass(frozen=True)
class Workers:
    """Processes that fold ranges. `load` is picklable and makes the projections there: they hold closures."""

    load: Callable[[], Sequence[AnyProjection]]
    count: int = 2


async def fold_here(
    task: RangeTask, every: AsyncIterator[Range], projections: Sequence[AnyProjection]
) -> AsyncIterator[Folded]:
    """Fold every range in this process."""
    tables = Tables(projections, task.generation)
    connection = await connect(task.database_url)
    try:
        async for each in every:
            yield await fold_range(connection, tables, task.upto, each)
    finally:
        await connection.close()


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


async def fold_in_processes(
    task: RangeTask, every: AsyncIterator[Range], workers: Workers
) -> AsyncIterator[Folded]:
    """Fold every range in other processes, a few ranges ahead of who asks."""
    context = multiprocessing.get_context("spawn")  # a fork would share our connections
    with ProcessPoolExecutor(
        workers.count, context, initializer=_start, initargs=(task, workers.load)
    ) as pool:
        loop = asyncio.get_running_loop()
        under_way: deque[asyncio.Future[Folded]] = deque()
        async for each in every:
            under_way.append(loop.run_in_executor(pool, _fold_in_worker, each))
            if len(under_way) > 2 * workers.count:
                yield await under_way.popleft()
        while under_way:
            yield await under_way.popleft()


class _Worker:
    """One process: a loop and a connection for all of its ranges."""

    def __init__(self, task: RangeTask, projections: Sequence[AnyProjection]) -> None:
        self._upto = task.upto
        self._tables = Tables(projections, task.generation)
        self._runner = asyncio.Runner()
        self._connection = self._runner.run(connect(task.database_url))

    def fold(self, every: Range) -> Folded:
        return self._runner.run(fold_range(self._connection, self._tables, self._upto, every))


_workers: list[_Worker] = []


def _start(task: RangeTask, load: Callable[[], Sequence[AnyProjection]]) -> None:
    _workers.append(_Worker(task, load()))


def _fold_in_worker(every: Range) -> Folded:
    return _workers[0].fold(every)
