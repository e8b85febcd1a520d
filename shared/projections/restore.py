"""Fills an empty log from the journal: the same bytes at the same sequences."""

from asyncio import Future, timeout
from collections.abc import Callable, Sequence
from typing import Final

import asyncpg
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import PubAck, StreamInfo
from nats.js.errors import APIError

from shared.eventlog.subjects import stream_of
from shared.projections.history import stream_info
from shared.projections.jetstream import jetstream, publish_async
from shared.projections.journal import Entry, entry_of, message_of
from shared.projections.lead import try_lead
from shared.projections.postgres import Connection
from shared.projections.queries import sql
from shared.projections.reader import RECORDED_AT

MESSAGES_AT_ONCE: Final = 500
ACK_SECONDS: Final = 30.0

Progress = Callable[[int, int], None]
"""Told how many messages are restored, of how many."""


class RestoreError(Exception):
    """The log is not restored; the text says what stands in the way."""


def _no_progress(_done: int, _total: int) -> None:
    """Nobody watches."""


async def restore(nats: Client, connection: Connection, k: int, progress: Progress = _no_progress) -> int:
    """Publish a partition's journal into its empty stream; returns how many messages there were.

    The checkpoint then names the new stream, and projecting goes on. When each message was first recorded
    goes along in a header. Raises RestoreError, before anything is published where that can be known: a
    stream that is not empty, a journal with gaps, a projector that leads the partition.
    """
    if not await try_lead(connection, k):
        raise RestoreError(f"A projector leads partition {k}: stop it first.")
    try:
        return await _restore(nats, connection, k, progress)
    finally:
        await connection.execute(sql("stop_leading"), k)


async def _restore(nats: Client, connection: Connection, k: int, progress: Progress) -> int:
    await _expect_empty(nats, k)
    total = await _expect_whole(connection, k)
    streams = jetstream(nats)
    for done in range(0, total, MESSAGES_AT_ONCE):
        to = min(done + MESSAGES_AT_ONCE, total)
        await _publish(streams, [entry_of(row) for row in await _journal(connection, k, done, to)])
        progress(to, total)
    info = await stream_info(nats, k)
    if info.state.last_seq != total:
        raise RestoreError(f"{stream_of(k)} ends at {info.state.last_seq} and not at {total}.")
    await connection.execute(sql("identify_stream"), k, stream_of(k), info.created)
    return total


async def _expect_empty(nats: Client, k: int) -> StreamInfo:
    info = await stream_info(nats, k)
    if info.state.last_seq:
        raise RestoreError(f"{stream_of(k)} is not empty: only a new stream can hold the same sequences.")
    return info


async def _expect_whole(connection: Connection, k: int) -> int:
    extent = await connection.fetchrow(sql("journal_extent"), k)
    if extent is None or not extent["messages"]:
        return 0
    if extent["first"] != 1 or extent["last"] != extent["messages"]:
        raise RestoreError(
            f"The journal of partition {k} has gaps: {extent['messages']} messages from {extent['first']} to "
            f"{extent['last']}. Sequences would not come out the same."
        )
    return int(extent["last"])


async def _journal(connection: Connection, k: int, after: int, to: int) -> Sequence[asyncpg.Record]:
    return await connection.fetch(sql("journal_of_partition"), k, after, to)


async def _publish(streams: JetStreamContext, entries: Sequence[Entry]) -> None:
    acks = [await _publish_one(streams, entry) for entry in entries]
    for entry, ack in zip(entries, acks, strict=True):
        try:
            async with timeout(ACK_SECONDS):
                stored = await ack
        except APIError as error:
            raise RestoreError(f"Message {entry.seq} was refused: {error.description}.") from None
        if stored.duplicate or stored.seq != entry.seq:
            raise RestoreError(f"Message {entry.seq} became {stored.seq}: delete the stream, and try again.")


async def _publish_one(streams: JetStreamContext, entry: Entry) -> "Future[PubAck]":
    message = message_of(entry)
    headers = {
        "Nats-Expected-Last-Sequence": str(entry.seq - 1),
        RECORDED_AT: entry.recorded_at.isoformat(),
    }
    if entry.event_id:
        headers["Nats-Msg-Id"] = str(entry.event_id)
    return await publish_async(streams, message.subject, message.message, headers)
