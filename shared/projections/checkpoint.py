"""How far a partition is projected, of which stream, and into which generation of read models."""

from datetime import datetime

import asyncpg
from msgspec import Struct

from shared.projections.postgres import Connection
from shared.projections.queries import sql


class Checkpoint(Struct, frozen=True):
    """Everything up to and including `seq` is in the journal and in the read models."""

    k: int
    stream: str
    created: datetime  # of the stream
    seq: int
    recorded_at: datetime | None  # of the last message
    generation: int
    epoch: int  # counts what others than the projector changed in the read models


class CheckpointMovedError(Exception):
    """Another process moved the checkpoint: this one no longer leads the partition."""


def checkpoint_of(row: asyncpg.Record) -> Checkpoint:
    """Return a row of the table."""
    return Checkpoint(*row)


async def read_checkpoint(connection: Connection, k: int) -> Checkpoint | None:
    """Return a partition's checkpoint; None where nothing was ever projected."""
    row = await connection.fetchrow(sql("checkpoint"), k)
    return checkpoint_of(row) if row else None


async def read_checkpoints(connection: Connection) -> list[Checkpoint]:
    """Return the checkpoint of every partition."""
    return [checkpoint_of(row) for row in await connection.fetch(sql("checkpoints"))]


async def begin_checkpoint(connection: Connection, k: int, stream: str, created: datetime) -> Checkpoint:
    """Return a partition's checkpoint, made before its first message if there is none.

    Raises LookupError where no generation of read models is active yet.
    """
    async with connection.transaction():
        await connection.execute(sql("lock_new_checkpoints"))
        await connection.execute(sql("begin_checkpoint"), k, stream, created)
    checkpoint = await read_checkpoint(connection, k)
    if checkpoint is None:
        raise LookupError("There are no read models to project into.")
    return checkpoint
