"""Bare catch-up: nats-py's fetch and asyncpg's COPY into the journal, and nothing else."""

from datetime import UTC, datetime

from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig

from shared.projections.journal import COLUMNS
from shared.projections.postgres import Connection

BATCH = 500
_FETCH_SECONDS = 5.0


async def copy_journal(client: Client, connection: Connection) -> None:
    """Copy the whole log of partition 0; ends where it has no more."""
    reader = await client.jetstream().pull_subscribe(  # pyright: ignore[reportUnknownMemberType]
        "care.0.>",
        stream="CARE_0",
        config=ConsumerConfig(ack_policy=AckPolicy.NONE, mem_storage=True),
        pending_msgs_limit=10 * BATCH,
    )
    now = datetime.now(UTC)
    pending = 1
    while pending:
        messages = await reader.fetch(BATCH, timeout=_FETCH_SECONDS)
        rows: list[tuple[object, ...]] = []
        for message in messages:
            metadata = message.metadata
            seq, pending = metadata.sequence.stream, metadata.num_pending
            _, _, category, entity = message.subject.split(".")
            rows.append((0, seq, category, entity, None, None, None, now, metadata.timestamp, message.data))
        await connection.copy_records_to_table("journal", schema_name="log", columns=COLUMNS, records=rows)
        await client.publish("bare.projected.0", str(rows[-1][1]).encode())
