"""The bare projector: reads in order and writes journal, rows and checkpoint, one transaction a batch."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from nats.aio.client import Client
from nats.aio.msg import Msg

from shared.projections.journal import COLUMNS
from shared.projections.postgres import Connection
from shared.projections.projection import AnyProjection
from shared.projections.table import Table
from tests.bench.bare.captured import Captured, control_of, id_of, number_of
from tests.bench.bare.log import bare
from tests.bench.bare.rows import Record, Row, Written, written

SCHEMA = "bare"
BATCH = 500
NOTICE = "bare.projected.0"
_ADVANCE = f"update {SCHEMA}.checkpoint set seq = $1 where k = 0"  # noqa: S608


async def make_tables(
    connection: Connection, captured: Captured, projections: Sequence[AnyProjection]
) -> None:
    """Make tables like ours, indexes included."""
    await connection.execute(f"create schema {SCHEMA}")
    await connection.execute(f"create table {SCHEMA}.journal (like log.journal including all)")
    await connection.execute(f"create table {SCHEMA}.checkpoint (k smallint primary key, seq bigint)")
    await connection.execute(f"insert into {SCHEMA}.checkpoint values (0, 0)")  # noqa: S608
    for each in projections:
        await connection.execute(
            f"create table {SCHEMA}.{each.name} (like {captured.tables}.{each.name} including all)"
        )


async def project(
    client: Client, connection: Connection, captured: Captured, projections: Sequence[AnyProjection]
) -> None:
    """Project for ever."""
    arrived = _Arrived()
    await client.jetstream().subscribe(  # pyright: ignore[reportUnknownMemberType]
        bare("care.>"), stream="BARE_CARE_0", ordered_consumer=True, cb=arrived.receive
    )
    writer = _Writer(connection, written(captured, projections), projections)
    while True:
        seq = await writer.write(await arrived.take())
        await client.publish(NOTICE, str(seq).encode())


class _Arrived:
    """What came while the last batch was written."""

    def __init__(self) -> None:
        self._messages: list[Msg] = []
        self._some = asyncio.Event()

    async def receive(self, message: Msg) -> None:
        self._messages.append(message)
        self._some.set()

    async def take(self) -> list[Msg]:
        await self._some.wait()
        taken, self._messages = self._messages[:BATCH], self._messages[BATCH:]
        if not self._messages:
            self._some.clear()
        return taken


class _Writer:
    def __init__(
        self, connection: Connection, events: list[Written], projections: Sequence[AnyProjection]
    ) -> None:
        self._connection = connection
        self._events = events
        self._tables = [_BareTable(Table(each, SCHEMA)) for each in projections]

    async def write(self, messages: Sequence[Msg]) -> int:
        """Write a batch; returns its last sequence."""
        for table in self._tables:
            table.clear()
        journal = [self._entry(message) for message in messages]
        seq = int(journal[-1][1])
        connection = self._connection
        async with connection.transaction():
            await connection.execute(_ADVANCE, seq)
            await connection.copy_records_to_table(
                "journal", schema_name=SCHEMA, columns=COLUMNS, records=journal
            )
            for table in self._tables:
                await table.write(connection)
        return seq

    def _entry(self, message: Msg) -> Record:
        metadata = message.metadata
        seq = metadata.sequence.stream
        id_ = (message.headers or {})["Nats-Msg-Id"]
        control_id = control_of(id_)
        event = self._events[number_of(id_)]
        for row in event.rows:
            next(table for table in self._tables if table.name == row.table).add(row, control_id, seq)
        *_, category, entity = message.subject.split(".")
        participant = UUID(id_of(control_id, 2))
        return (
            0, seq, category, entity, participant, event.type, UUID(id_), event.happened,
            metadata.timestamp, message.data,
        )  # fmt: skip


class _BareTable:
    """The rows of one table in a batch; of a row changed twice, the last."""

    def __init__(self, table: Table[Any]) -> None:
        self.name = table.projection.name
        self._columns = [column.name for column in table.columns]
        self._append_only = table.projection.append_only
        self._added: dict[object, Record] = {}
        self._replaced: dict[object, Record] = {}
        self._replace = _upsert(f"{SCHEMA}.{self.name}", self._columns, table.projection.key)

    def clear(self) -> None:
        self._added.clear()
        self._replaced.clear()

    def add(self, row: Row, control_id: str, seq: int) -> None:
        key = (control_id, seq) if self._append_only else control_id
        held = self._added if row.is_new or key in self._added else self._replaced
        held[key] = row.of(control_id, seq)

    async def write(self, connection: Connection) -> None:
        if self._replaced:
            await connection.executemany(self._replace, self._replaced.values())
        if self._added:
            await connection.copy_records_to_table(
                self.name, schema_name=SCHEMA, columns=self._columns, records=self._added.values()
            )


def _upsert(table: str, columns: Sequence[str], key: Sequence[str]) -> str:
    places = ", ".join(f"${at}" for at in range(1, len(columns) + 1))
    news = ", ".join(f'"{column}" = excluded."{column}"' for column in columns if column not in key)
    listed = ", ".join(f'"{column}"' for column in columns)
    conflict = f"on conflict ({', '.join(key)}) do update set {news}"
    return f"insert into {table} ({listed}) values ({places}) {conflict}"  # noqa: S608
