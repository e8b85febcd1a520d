"""Folds ranges of participants here and in other processes at once: whoever is free takes the next."""

import asyncio
import multiprocessing
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from shared.collector import collect_rarely
from shared.projections.projection import AnyProjection
from shared.projections.rebuild_range import Folded, Range, RangeTask, bulk_connection, fold_range
from shared.projections.table import Tables

WORTH_PROCESSES: Final = 20_000  # events; below, starting a process takes longer than the work

Took = Callable[[Folded], None]
"""Told what came of each range."""


@dataclass(frozen=True)
class Workers:
    """Processes beside this one. `load` is picklable and makes the projections there: they hold closures."""

    load: Callable[[], Sequence[AnyProjection]]
    count: int = 1


class Ranges:
    """The ranges that are left, for several who take them."""

    def __init__(self, every: AsyncGenerator[Range]) -> None:
        self._every = every
        self._taking = asyncio.Lock()

    async def take(self) -> Range | None:
        """Return the next range; None where there is none any more."""
        async with self._taking:
            return await anext(self._every, None)


async def fold_here(task: RangeTask, left: Ranges, projections: Sequence[AnyProjection], took: Took) -> None:
    """Fold what is left in this process."""
    tables = Tables(projections, task.generation)
    connection = await bulk_connection(task.database_url)
    try:
        while each := await left.take():
            took(await fold_range(connection, tables, task.upto, each))
    finally:
        await connection.close()


async def fold_everywhere(
    task: RangeTask, left: Ranges, projections: Sequence[AnyProjection], took: Took, workers: Workers
) -> None:
    """Fold what is left in this process and in the workers, which are busy while this one is."""
    async with _pool(task, workers) as pool, asyncio.TaskGroup() as group:
        group.create_task(fold_here(task, left, projections, took))
        for _ in range(2 * workers.count):  # one under way, one waiting
            group.create_task(_fold_there(pool, left, took))


async def _fold_there(pool: ProcessPoolExecutor, left: Ranges, took: Took) -> None:
    loop = asyncio.get_running_loop()
    while each := await left.take():
        took(await loop.run_in_executor(pool, _fold_in_worker, each))


@asynccontextmanager
async def _pool(task: RangeTask, workers: Workers) -> AsyncGenerator[ProcessPoolExecutor]:
    context = multiprocessing.get_context("spawn")  # a fork would share our connections
    pool = ProcessPoolExecutor(workers.count, context, initializer=_start, initargs=(task, workers.load))
    try:
        yield pool
    finally:
        await asyncio.to_thread(pool.shutdown, cancel_futures=True)


class _Worker:
    """One process: a loop and a connection for all of its ranges."""

    def __init__(self, task: RangeTask, projections: Sequence[AnyProjection]) -> None:
        self._upto = task.upto
        self._tables = Tables(projections, task.generation)
        self._runner = asyncio.Runner()
        self._connection = self._runner.run(bulk_connection(task.database_url))

    def fold(self, every: Range) -> Folded:
        return self._runner.run(fold_range(self._connection, self._tables, self._upto, every))


_workers: list[_Worker] = []


def _start(task: RangeTask, load: Callable[[], Sequence[AnyProjection]]) -> None:
    _workers.append(_Worker(task, load()))
    collect_rarely()


def _fold_in_worker(every: Range) -> Folded:
    return _workers[0].fold(every)
