"""Which rows each event of the captured referral leads to, found out by folding it with our projections."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from msgspec import Struct

from shared.projections.fold import Fold, Key
from shared.projections.journal import LogMessage, journalled
from shared.projections.projection import AnyProjection
from shared.projections.table import Table, key_of
from tests.bench.bare.captured import Captured, id_of

Record = tuple[Any, ...]
Place = Callable[[str, int], object]
"""Gives a column's value for a control id and a sequence."""


@dataclass(frozen=True)
class Row:
    """A row as captured, and the columns that differ from referral to referral."""

    table: str
    is_new: bool  # added by the event; else it replaces the one before
    record: Record
    places: Mapping[int, Place]

    def of(self, control_id: str, seq: int) -> Record:
        """Return the row of another referral."""
        values = list(self.record)
        for at, place in self.places.items():
            values[at] = place(control_id, seq)
        return tuple(values)


@dataclass(frozen=True)
class Written:
    """What one event leads to: a line of the journal, and rows of the read models."""

    type: str | None
    happened: datetime | None
    rows: tuple[Row, ...]


def written(captured: Captured, projections: Sequence[AnyProjection]) -> list[Written]:
    """Fold the captured events one by one, and see what each changes."""
    unfolding = _Unfolding(captured, projections)
    return [unfolding.next(number) for number in range(len(captured.events))]


class _Unfolding:
    def __init__(self, captured: Captured, projections: Sequence[AnyProjection]) -> None:
        self._captured = captured
        self._fold = Fold(projections)
        self._tables: list[Table[Any]] = [Table(projection, "") for projection in projections]
        self._held: dict[str, dict[Key, Any]] = {table.name: {} for table in self._tables}

    def next(self, number: int) -> Written:
        stored = self._captured.events[number]
        message = LogMessage(0, number + 1, stored.subject, datetime.now(UTC), stored.payload)
        entry, recorded, problem = journalled(message)
        if recorded is None or entry.participant is None or (problem := self._fold.apply(recorded)):
            raise ValueError(f"The captured event {number} cannot be folded: {problem}")
        rows = [row for table in self._tables for row in self._changes(table, entry.participant)]
        return Written(entry.type, entry.happened, tuple(rows))

    def _changes(self, table: Table[Any], participant: UUID) -> list[Row]:
        before = self._held[table.name]
        after = {
            key_of(table.projection, row): row for row in self._fold.rows_of(table.projection, participant)
        }
        self._held[table.name] = after
        return [
            self._row(table, row, participant, is_new=key not in before)
            for key, row in after.items()
            if before.get(key) != row
        ]

    def _row(self, table: Table[Any], row: Struct, participant: UUID, *, is_new: bool) -> Row:
        record = table.record_of(row)
        names = [column.name for column in table.columns]
        places = {
            at: place
            for at, (name, value) in enumerate(zip(names, record, strict=True))
            if (place := self._place(name, value, participant) or _own_key(table, name, value))
        }
        return Row(table.projection.name, is_new, record, places)

    def _place(self, name: str, value: object, participant: UUID) -> Place | None:
        captured = self._captured
        if name == "seq":
            return lambda _, seq: seq
        if value == participant:
            return lambda control_id, _: UUID(id_of(control_id, captured.participant))
        if value == UUID(captured.receipt.subject.rpartition(".")[2]):
            return lambda control_id, _: UUID(id_of(control_id, captured.referral))
        if value == captured.control_id:
            return lambda control_id, _: control_id
        return None


def _own_key(table: Table[Any], name: str, value: object) -> Place | None:
    """Give another referral another key, where what the key is made of is not among the known ids."""
    if name in table.projection.key and isinstance(value, UUID):
        return lambda control_id, _: uuid5(value, control_id)
    return None
