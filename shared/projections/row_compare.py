"""Compares read models with a fresh fold, a range of participants at a time."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct

from shared.events.envelope import Position
from shared.projections.apply import Parked, fold_entries
from shared.projections.difference import Difference, ParkedParticipant, RowDiffers, RowMissing, RowUnexpected
from shared.projections.fold import Fold, FoldedTable, Key, participant_of
from shared.projections.journal import Journalled, journalled_row
from shared.projections.log_compare import LogSays
from shared.projections.postgres import Connection
from shared.projections.queries import sql
from shared.projections.rebuild_range import BEFORE_ANY, ranges
from shared.projections.table import Tables, key_of

Ends = tuple[UUID | None, UUID | None]
"""A range of participants: exclusive, inclusive; None where it has no end."""


async def open_ranges(connection: Connection) -> AsyncIterator[Ends]:
    """Cut all participants there can be into ranges: also those that no message names."""
    after: UUID | None = None
    async for each in ranges(connection):
        if each.after != BEFORE_ANY:
            yield after, each.after
            after = each.after
    yield after, None


async def compare_rows(
    connection: Connection,
    tables: Tables,
    ends: Ends,
    upto: list[int],
    says: LogSays,
    parked: Mapping[UUID, Position],
) -> tuple[int, list[Difference]]:
    """Fold the range and compare every read model; returns how many events there were and what differs."""
    entries = await _entries(connection, ends, upto, says)
    fold = Fold(tables.projections)
    refused = fold_entries(fold, _applied(entries, parked), set())
    found: list[Difference] = [_cannot(each) for each in refused]
    for folded in fold.tables:
        table = tables.of(folded.projection)
        found.extend(_differences(folded, await table.load_range(connection, *ends)))
    return len(entries), found


async def _entries(connection: Connection, ends: Ends, upto: list[int], says: LogSays) -> list[Journalled]:
    after, to = ends
    rows = await connection.fetch(
        sql("journal_of_participants"), after or BEFORE_ANY, to or UUID(int=2**128 - 1), upto
    )
    kept = [row for row in rows if Position(row["k"], row["seq"]) not in says.differing]
    entries = [journalled_row(row) for row in kept]
    others = [each for who, told in says.of_participant.items() if _within(who, ends) for each in told]
    if others:
        entries = sorted([*entries, *others], key=lambda each: each.entry.position)
    return entries


def _within(who: UUID, ends: Ends) -> bool:
    after, to = ends
    return (after is None or who > after) and (to is None or who <= to)


def _applied(entries: Iterable[Journalled], parked: Mapping[UUID, Position]) -> Iterator[Journalled]:
    """Leave out what waits: it is not in the read models, and rightly so."""
    for each in entries:
        who = each.entry.participant
        waits_from = parked.get(who) if who else None
        if waits_from is None or each.entry.position < waits_from:
            yield each


def _cannot(parked: Parked) -> ParkedParticipant:
    position = Position(parked.k, parked.seq)
    return ParkedParticipant(position, parked.participant, parked.projection, parked.reason)


def _differences(folded: FoldedTable, stored: Sequence[Any]) -> Iterator[Difference]:
    name = folded.projection.name
    expected: dict[Key, Any] = {key_of(folded.projection, row): row for row in folded.changes().added}
    for row in stored:
        key = key_of(folded.projection, row)
        wanted = expected.pop(key, None)
        if wanted is None:
            yield RowUnexpected(name, participant_of(row), _written(key))
        elif wanted != row:
            yield RowDiffers(name, participant_of(row), _written(key), _columns(wanted, row))
    for key, row in expected.items():
        yield RowMissing(name, participant_of(row), _written(key))


def _written(key: Key) -> tuple[str, ...]:
    return tuple(str(part) for part in key)


def _columns(wanted: Struct, row: Struct) -> tuple[str, ...]:
    return tuple(name for name in wanted.__struct_fields__ if getattr(wanted, name) != getattr(row, name))
