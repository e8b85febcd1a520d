"""Folding events into rows: the one fold that batches, rebuilds, verification, replay and "as of" share.

Pure: rows go in, events are applied in order, rows come out. An event counts for every projection or for
none.
"""

import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from pathlib import PurePath
from typing import Any, Generic, Protocol, TypeVar, cast
from uuid import UUID

from msgspec import Struct

from shared.events.base import EventData
from shared.events.envelope import Event, Recorded
from shared.projections.projection import AnyProjection, Projection

R = TypeVar("R", bound=Struct)
Key = tuple[object, ...]
KeyOf = Callable[[Any], Key]

participant_of: Callable[[Any], UUID] = attrgetter("participant")


class RowError(Exception):
    """A projection asked its rows for something they cannot do; it is the projection's fault."""


class Unapplied(Struct, frozen=True):
    """An event that a projection could not apply. The reason names code, never what the event says."""

    projection: str
    reason: str


class Changes(Struct, frozen=True):
    """What a fold changed in one read model: rows added, rows replaced, keys of rows taken away."""

    added: list[Any]
    replaced: list[Any]
    removed: list[Key]


class _Changed(Protocol):
    def undo(self, key: Key, previous: Any, /) -> None: ...  # noqa: ANN401 (a row of any projection)

    def collect(self, changes: Changes, /) -> None: ...

    def settle(self) -> None: ...


_Steps = list[tuple[_Changed, Key, Any]]
_Touched = dict[_Changed, None]


def _expect_own(row: Struct, participant: UUID) -> None:
    theirs = participant_of(row)
    if theirs is not participant and theirs != participant:  # a UUID is slow to compare
        raise RowError("A row may only be put for the participant whose event is applied.")


class KeyedRows(Generic[R]):
    """One participant's rows by primary key."""

    __slots__ = ("_before", "_key_of", "_participant", "_rows", "_steps", "_touched")

    def __init__(self, participant: UUID, key_of: KeyOf, steps: _Steps, touched: _Touched) -> None:
        self._participant = participant
        self._key_of = key_of
        self._steps = steps
        self._touched = touched
        self._rows: dict[Key, R] = {}
        self._before: dict[Key, R | None] = {}  # what the table has, of keys that were changed since

    def store(self, row: R) -> None:
        """Take in a row as the table has it."""
        self._rows[self._key_of(row)] = row

    def get(self, *key: object) -> R | None:
        return self._rows.get(key)

    def put(self, row: R) -> None:
        _expect_own(row, self._participant)
        key = self._key_of(row)
        self._changing(key, self._rows.get(key))
        self._rows[key] = row

    def remove(self, *key: object) -> None:
        previous = self._rows.pop(key, None)
        if previous is not None:
            self._changing(key, previous)

    def all(self) -> Iterable[R]:
        return list(self._rows.values())

    def undo(self, key: Key, previous: R | None) -> None:
        if previous is None:
            del self._rows[key]
        else:
            self._rows[key] = previous

    def collect(self, changes: Changes) -> None:
        """Add to the changes what differs from what the table has."""
        for key, before in self._before.items():
            row = self._rows.get(key)
            if before is None:
                if row is not None:
                    changes.added.append(row)
            elif row is None:
                changes.removed.append(key)
            elif row is not before and row != before:
                changes.replaced.append(row)

    def settle(self) -> None:
        """The table now has the rows as they are."""
        self._before.clear()

    def _changing(self, key: Key, previous: R | None) -> None:
        self._steps.append((self, key, previous))
        if not self._before:
            self._touched[self] = None
        self._before.setdefault(key, previous)


class AppendedRows(Generic[R]):
    """One participant's new rows of an append-only table."""

    __slots__ = ("_participant", "_rows", "_steps", "_touched")

    def __init__(self, participant: UUID, steps: _Steps, touched: _Touched) -> None:
        self._participant = participant
        self._steps = steps
        self._touched = touched
        self._rows: list[R] = []

    def get(self, *_key: object) -> R | None:
        raise RowError("An append-only table is never read while it is folded.")

    def put(self, row: R) -> None:
        _expect_own(row, self._participant)
        self._steps.append((self, (), None))
        if not self._rows:
            self._touched[self] = None
        self._rows.append(row)

    def remove(self, *_key: object) -> None:
        raise RowError("From an append-only table nothing is taken away.")

    def all(self) -> Iterable[R]:
        return list(self._rows)

    def undo(self, _key: Key, _previous: R | None) -> None:
        self._rows.pop()

    def collect(self, changes: Changes) -> None:
        changes.added.extend(self._rows)

    def settle(self) -> None:
        self._rows.clear()


AnyRows = KeyedRows[Any] | AppendedRows[Any]


class FoldedTable:
    """The rows of several participants in one read model."""

    def __init__(self, at: int, projection: AnyProjection, steps: _Steps) -> None:
        self.at = at
        self.projection = projection
        self.apply = projection.apply
        self._key_of = _key_of(projection.key)
        self._steps = steps
        self._touched: _Touched = {}

    def rows_for(self, participant: UUID) -> AnyRows:
        """Begin with a participant: no rows yet."""
        if self.projection.append_only:
            return AppendedRows(participant, self._steps, self._touched)
        return KeyedRows(participant, self._key_of, self._steps, self._touched)

    def changes(self) -> Changes:
        """Return what is to be written."""
        changes = Changes([], [], [])
        for rows in self._touched:
            rows.collect(changes)
        return changes

    def settle(self) -> None:
        """Everything is written."""
        for rows in self._touched:
            rows.settle()
        self._touched.clear()


class Fold:
    """Folds events of many participants into rows of every projection; participants do not meet.

    Rows that a table has are stored before the first event that is for them is applied; without, a
    participant begins with none.
    """

    def __init__(self, projections: Sequence[AnyProjection]) -> None:
        self._steps: _Steps = []
        self.tables = [FoldedTable(at, each, self._steps) for at, each in enumerate(projections)]
        self._participants: dict[UUID, list[AnyRows | None]] = {}
        self._begun: set[UUID] = set()  # participants of whom no table had anything
        self._handlers: dict[type[EventData], list[FoldedTable]] = {}
        for table in self.tables:
            for kind in table.projection.handles:
                self._handlers.setdefault(kind, []).append(table)

    def apply(self, recorded: Recorded) -> Unapplied | None:
        """Apply one event to every projection that handles it, or, if one of them fails, to none."""
        event = recorded.event
        who = event.subject
        every = self._rows_of(who)
        self._steps.clear()
        for table in self._handlers.get(type(event.data), ()):
            rows = every[table.at]
            if rows is None:
                rows = every[table.at] = table.rows_for(who)
            try:
                table.apply(rows, recorded)
            except Exception as error:  # noqa: BLE001 (whatever a projection does wrong parks one participant)
                self._undo()
                return Unapplied(table.projection.name, _where(error))
        return None

    def unknown(self, event: Event) -> Iterator[FoldedTable]:
        """Return the tables that an event is for and that hold nothing of its participant yet."""
        every = self._rows_of(event.subject)
        if event.subject in self._begun:
            return iter(())
        return (table for table in self._handlers.get(type(event.data), ()) if every[table.at] is None)

    def holds(self, participant: UUID) -> bool:
        """Tell whether anything is known of a participant."""
        return participant in self._participants

    def begin(self, participants: Iterable[UUID]) -> None:
        """Begin with participants of whom no table has a row."""
        self._begun.update(participants)

    def store(self, table: FoldedTable, participants: Iterable[UUID], rows: Iterable[Struct]) -> None:
        """Take in all rows that a table has of some participants."""
        for who in participants:
            self._rows_of(who)[table.at] = table.rows_for(who)
        for row in rows:
            cast("KeyedRows[Any]", self._rows_of(participant_of(row))[table.at]).store(row)

    def rows_of(self, projection: Projection[R], participant: UUID) -> list[R]:
        """Return what is held of one participant in one read model."""
        at = next(table.at for table in self.tables if table.projection.name == projection.name)
        rows = self._rows_of(participant)[at]
        return list(rows.all()) if rows else []

    def changes(self) -> Iterator[tuple[AnyProjection, Changes]]:
        """Return what is to be written, a read model at a time."""
        return ((table.projection, table.changes()) for table in self.tables)

    def settle(self, keep: int) -> None:
        """Everything is written and committed; rows are kept for the next events, of so many participants."""
        for table in self.tables:
            table.settle()
        if len(self._participants) > keep:
            self._participants.clear()
            self._begun.clear()

    def take(self) -> list[tuple[AnyProjection, Changes]]:
        """Return what is to be written, and go on as if it were."""
        changes = list(self.changes())
        self.settle(keep=len(self._participants))
        return changes

    @property
    def participants(self) -> int:
        """Of how many participants rows are held."""
        return len(self._participants)

    def _rows_of(self, participant: UUID) -> list[AnyRows | None]:
        rows = self._participants.get(participant)
        if rows is None:
            rows = self._participants[participant] = [None] * len(self.tables)
        return rows

    def _undo(self) -> None:
        for rows, key, previous in reversed(self._steps):
            rows.undo(key, previous)
        self._steps.clear()


def _key_of(fields: tuple[str, ...]) -> KeyOf:
    first, *others = fields
    if others:
        return attrgetter(first, *others)
    get = attrgetter(first)
    return lambda row: (get(row),)


def _where(error: Exception) -> str:
    """Say which code failed. An exception's own text may quote what it was given."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {frame.name} ({PurePath(frame.filename).name}:{frame.lineno})"
