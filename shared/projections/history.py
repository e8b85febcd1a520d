"""Whether the log still is the one that was projected."""

from nats.aio.client import Client
from nats.js.api import StreamInfo
from nats.js.errors import NotFoundError

from shared.eventlog.subjects import stream_of
from shared.projections.checkpoint import Checkpoint
from shared.projections.jetstream import jetstream
from shared.projections.postgres import Connection
from shared.projections.queries import sql


class HistoryLostError(Exception):
    """The log no longer holds what was projected: somebody must look (`restore`, or another database)."""


async def stream_info(nats: Client, k: int) -> StreamInfo:
    """Return the state of a partition's stream; raises nats.js.errors.NotFoundError."""
    return await jetstream(nats).stream_info(stream_of(k))


async def expect_same_history(nats: Client, connection: Connection, checkpoint: Checkpoint) -> None:
    """Raise HistoryLostError unless the stream goes on from the checkpoint.

    The message at the checkpoint is compared too: a server that lost its last messages and took new ones has
    the right length and another content.
    """
    info = await _expect_stream(nats, checkpoint)
    name = checkpoint.stream
    if info.created != checkpoint.created:
        raise HistoryLostError(
            f"History was lost: {name} was created {info.created}, but what is projected came from one "
            f"created {checkpoint.created}."
        )
    if info.state.last_seq < checkpoint.seq:
        raise HistoryLostError(
            f"History was lost: {name} ends at message {info.state.last_seq}, but messages up to "
            f"{checkpoint.seq} were projected."
        )
    if checkpoint.seq and await _at_checkpoint(nats, checkpoint) != await _journalled(connection, checkpoint):
        raise HistoryLostError(
            f"History was lost: message {checkpoint.seq} of {name} is not the one that was projected."
        )


async def _expect_stream(nats: Client, checkpoint: Checkpoint) -> StreamInfo:
    try:
        return await stream_info(nats, checkpoint.k)
    except NotFoundError:
        raise HistoryLostError(
            f"History was lost: there is no stream {checkpoint.stream} any more."
        ) from None


async def _at_checkpoint(nats: Client, checkpoint: Checkpoint) -> bytes | None:
    try:
        message = await jetstream(nats).get_msg(stream_of(checkpoint.k), checkpoint.seq)
    except NotFoundError:
        return None
    return message.data


async def _journalled(connection: Connection, checkpoint: Checkpoint) -> bytes | None:
    row = await connection.fetchrow(sql("journal_entry"), checkpoint.k, checkpoint.seq)
    return row["message"] if row else None
