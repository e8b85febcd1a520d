"""Compares the log with the journal message by message, and the read models with a fresh fold of the log.

The fold reads the journal where it was just found equal to the log, as it has the participants in order, and
the log's own message wherever the two differ: so it is a fold of the log, in the memory of a range of
participants.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from uuid import UUID

import asyncpg
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from shared.events.envelope import Position
from shared.projections.checkpoint import Checkpoint, read_checkpoints
from shared.projections.difference import Difference, HistoryDiffers, ParkedParticipant
from shared.projections.generation import expect_generation
from shared.projections.history import HistoryLostError, expect_same_history
from shared.projections.log_compare import LogSays, compare_log
from shared.projections.postgres import Connection
from shared.projections.projection import AnyProjection
from shared.projections.queries import sql
from shared.projections.row_compare import compare_rows, open_ranges
from shared.projections.table import Tables

Progress = Callable[[str, int, int], None]
"""Told the step ("log", "read models"), how many messages are done, of how many."""


def _no_progress(_step: str, _done: int, _total: int) -> None:
    """Nobody watches."""


async def verify(
    nats: Client,
    connection: Connection,
    projections: Sequence[AnyProjection],
    progress: Progress = _no_progress,
) -> AsyncIterator[Difference]:
    """Yield every difference; projectors may go on meanwhile, one moment of Postgres is looked at.

    The connection is used by nobody else until the end. Raises OtherProjectionsError.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        checkpoints = await read_checkpoints(connection)
        parked = await connection.fetch(sql("parked"))
        for row in parked:
            yield _parked(row)
        says = LogSays()
        async for each in _compare_logs(nats, connection, checkpoints, says, _positions(parked), progress):
            yield each
        async for each in _compare_read_models(
            connection, projections, checkpoints, says, _participants(parked), progress
        ):
            yield each


async def _compare_logs(
    nats: Client,
    connection: Connection,
    checkpoints: Sequence[Checkpoint],
    says: LogSays,
    parked: set[Position],
    progress: Progress,
) -> AsyncIterator[Difference]:
    total, before = sum(each.seq for each in checkpoints), 0
    for checkpoint in checkpoints:
        try:
            await expect_same_history(nats, connection, checkpoint)
        except HistoryLostError as error:
            yield HistoryDiffers(checkpoint.k, str(error))
        try:
            async for each in compare_log(nats, connection, checkpoint.k, checkpoint.seq, says, parked):
                if isinstance(each, int):
                    progress("log", before + each, total)
                else:
                    yield each
        except NotFoundError:
            return  # told above: there is no stream
        before += checkpoint.seq


async def _compare_read_models(
    connection: Connection,
    projections: Sequence[AnyProjection],
    checkpoints: Sequence[Checkpoint],
    says: LogSays,
    parked: dict[UUID, Position],
    progress: Progress,
) -> AsyncIterator[Difference]:
    if not checkpoints:
        return
    await expect_generation(connection, checkpoints[0].generation, projections)
    tables = Tables(projections, checkpoints[0].generation)
    upto = [0] * (checkpoints[-1].k + 1)
    for each in checkpoints:
        upto[each.k] = each.seq
    done, total = 0, sum(upto)
    async for ends in open_ranges(connection):
        events, found = await compare_rows(connection, tables, ends, upto, says, parked)
        for difference in found:
            yield difference
        done += events
        progress("read models", done, total)


def _parked(row: asyncpg.Record) -> ParkedParticipant:
    return ParkedParticipant(
        Position(row["k"], row["seq"]), row["participant"], row["projection"], row["reason"]
    )


def _positions(parked: Sequence[asyncpg.Record]) -> set[Position]:
    return {Position(row["k"], row["seq"]) for row in parked}


def _participants(parked: Sequence[asyncpg.Record]) -> dict[UUID, Position]:
    return {row["participant"]: Position(row["k"], row["seq"]) for row in parked if row["participant"]}
