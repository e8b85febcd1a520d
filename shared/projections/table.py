"""A projection's table in one generation: rows to columns and back, and the statements that move them."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from enum import EnumType
from operator import attrgetter
from types import NoneType, UnionType
from typing import Annotated, Any, Generic, Literal, TypeVar, Union, cast, get_args, get_origin
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct
from msgspec.structs import fields

from shared.projections.fold import Changes, Key
from shared.projections.postgres import Connection
from shared.projections.projection import AnyProjection, Projection

R = TypeVar("R", bound=Struct)
Convert = Callable[[Any], object]

WORTH_STAGING = 32  # rows

_PLAIN: tuple[object, ...] = (UUID, str, int, float, bool, date, datetime)


class Column(Struct, frozen=True):
    """A field as a column; a conversion that is None leaves the value as it is."""

    name: str
    to_column: Convert | None = None
    to_field: Convert | None = None


class Table(Generic[R]):
    """Reads and writes the rows of one read model."""

    def __init__(self, projection: Projection[R], schema: str) -> None:
        self.projection = projection
        self.schema = schema
        self.name = f"{schema}.{projection.name}"
        self.columns = tuple(_column(field.name, field.type) for field in fields(projection.row))
        self._statements = _Statements(self.name, [column.name for column in self.columns], projection.key)
        self._values = _values_of([column.name for column in self.columns])
        self._encoded = [(at, c.to_column) for at, c in enumerate(self.columns) if c.to_column]
        self._decoded = [(c.name, c.to_field) for c in self.columns if c.to_field]

    async def load(self, connection: Connection, participants: Iterable[UUID]) -> list[R]:
        """Return all rows of some participants."""
        records = await connection.fetch(self._statements.load, list(participants))
        return [self.row_of(record) for record in records]

    async def load_range(self, connection: Connection, after: UUID | None, to: UUID | None) -> list[R]:
        """Return all rows of the participants of a range (exclusive, inclusive; None is without end)."""
        records = await connection.fetch(self._statements.load_range, after, to)
        return [self.row_of(record) for record in records]

    async def write(self, connection: Connection, changes: Changes) -> None:
        """Write what a fold changed."""
        if changes.removed:
            await connection.executemany(self._statements.remove, changes.removed)
        if len(changes.replaced) >= WORTH_STAGING:
            await self._replace_staged(connection, changes.replaced)
        elif changes.replaced:
            rows = [self.record_of(row) for row in changes.replaced]
            await connection.executemany(self._statements.replace, rows)
        if changes.added:
            await self.add(connection, changes.added)

    async def _replace_staged(self, connection: Connection, rows: Sequence[R]) -> None:
        """Replace many rows by one statement: half of Postgres' work for as many single ones."""
        await connection.execute(self._statements.make_stage)
        await connection.copy_records_to_table(
            self._statements.stage, schema_name="pg_temp", records=map(self.record_of, rows)
        )
        await connection.execute(self._statements.replace_staged)

    async def add(self, connection: Connection, rows: Sequence[R]) -> None:
        """Write rows of keys that are not there yet."""
        await connection.copy_records_to_table(
            self.projection.name,
            schema_name=self.schema,
            columns=[column.name for column in self.columns],
            records=map(self.record_of, rows),
        )

    async def clear(self, connection: Connection, participant: UUID) -> None:
        """Remove all rows of a participant."""
        await connection.execute(self._statements.clear, participant)

    def record_of(self, row: R) -> tuple[object, ...]:
        """Return a row as its columns' values."""
        values = self._values(row)
        if not self._encoded:
            return values
        changed = list(values)
        for at, convert in self._encoded:
            if changed[at] is not None:
                changed[at] = convert(changed[at])
        return tuple(changed)

    def row_of(self, record: asyncpg.Record) -> R:
        """Return the row of a record that has its columns."""
        values = dict(record.items())
        for name, convert in self._decoded:
            if values[name] is not None:
                values[name] = convert(values[name])
        return self.projection.row(**values)


class _Statements:
    """The SQL of one table; all names come from projections, which are ours."""

    def __init__(self, name: str, columns: list[str], key: tuple[str, ...]) -> None:
        listed = ", ".join(f'"{column}"' for column in columns)
        places = ", ".join(f"${at}" for at in range(1, len(columns) + 1))
        others = [column for column in columns if column not in key]
        news = ", ".join(f'"{column}" = excluded."{column}"' for column in others)
        conflict = f"do update set {news}" if others else "do nothing"
        matches = " and ".join(f'"{column}" = ${at}' for at, column in enumerate(key, 1))
        keys = ", ".join(f'"{column}"' for column in key)
        select = f"select {listed} from {name}"  # noqa: S608
        self.load = f"{select} where participant = any($1::uuid[])"
        self.load_range = (
            select
            + " where ($1::uuid is null or participant > $1) and ($2::uuid is null or participant <= $2)"
        )
        self.replace = f"insert into {name} ({listed}) values ({places}) on conflict ({keys}) {conflict}"  # noqa: S608
        self.stage = name.replace(".", "_")
        self.make_stage = (
            f"create temp table if not exists {self.stage} on commit delete rows"  # noqa: S608
            f" as select {listed} from {name} with no data"
        )
        self.replace_staged = (
            f"insert into {name} ({listed}) select {listed} from pg_temp.{self.stage}"  # noqa: S608
            f" on conflict ({keys}) {conflict}"
        )
        self.remove = f"delete from {name} where {matches}"  # noqa: S608
        self.clear = f"delete from {name} where participant = $1"  # noqa: S608


class Tables:
    """All read models of one generation."""

    def __init__(self, projections: Sequence[AnyProjection], generation: int) -> None:
        self.projections = projections
        self.generation = generation
        self.schema = schema_of(generation)
        self.by_name: dict[str, Table[Any]] = {each.name: Table(each, self.schema) for each in projections}

    def of(self, projection: AnyProjection) -> Table[Any]:
        """Return a projection's table."""
        return self.by_name[projection.name]

    async def clear(self, connection: Connection, participant: UUID) -> None:
        """Remove a participant from every read model."""
        for table in self.by_name.values():
            await table.clear(connection, participant)

    async def write(self, connection: Connection, changed: Iterable[tuple[AnyProjection, Changes]]) -> None:
        """Write what a fold changed, a read model at a time."""
        for projection, changes in changed:
            await self.of(projection).write(connection, changes)


def schema_of(generation: int) -> str:
    """Return the schema of a generation's tables."""
    return f"read_{generation}"


def key_of(projection: AnyProjection, row: Struct) -> Key:
    """Return a row's primary key."""
    return tuple(getattr(row, name) for name in projection.key)


def _values_of(names: list[str]) -> Callable[[Any], tuple[object, ...]]:
    first, *others = names
    if not others:
        return lambda row: (getattr(row, first),)
    return attrgetter(first, *others)


def _column(name: str, told: object) -> Column:
    kind = _bare(told)
    if kind in _PLAIN or get_origin(kind) is Literal:
        return Column(name)
    if get_origin(kind) is tuple and get_args(kind) == (str, ...):
        return Column(name, to_field=tuple)  # asyncpg writes a tuple as an array, too
    if isinstance(kind, EnumType):
        return Column(name, attrgetter("value"), kind)
    return _json_column(name, kind)


def _json_column(name: str, kind: object) -> Column:
    decoder = msgspec.json.Decoder(cast("type[object]", kind))
    encoder = msgspec.json.Encoder()
    return Column(name, lambda value: encoder.encode(value).decode(), decoder.decode)


def _bare(told: object) -> object:
    """Take `| None` and annotations off a type."""
    if get_origin(told) is Annotated:
        return _bare(get_args(told)[0])
    if get_origin(told) in (Union, UnionType):
        kinds = [kind for kind in get_args(told) if kind is not NoneType]
        return _bare(kinds[0]) if len(kinds) == 1 else told
    return told
