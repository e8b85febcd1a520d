"""What a read model is: its table, the events it handles, and how one event changes a participant's rows."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from msgspec import Struct

from shared.events.base import EventData
from shared.events.envelope import Recorded

R = TypeVar("R", bound=Struct)


class Rows(Protocol[R]):
    """The rows of one participant in one read model, as far as the log has been folded."""

    def get(self, *key: object) -> R | None:
        """Return the row of a primary key (its parts in the order of `Projection.key`)."""
        ...

    def put(self, row: R) -> None:
        """Insert the row, or replace the one of the same key; the row must be this participant's."""
        ...

    def remove(self, *key: object) -> None:
        """Take the row away; nothing happens where there is none."""
        ...

    def all(self) -> Iterable[R]:
        """Return every row of the participant, in no order that means something."""
        ...


@dataclass(frozen=True)
class Projection(Generic[R]):
    """A read model as data. `apply` is pure apart from the rows it is given, and only sees `handles`.

    Columns are the row's fields: UUID is uuid, str text, int bigint, bool boolean, date date, datetime
    timestamptz, tuple[str, ...] text[]; a nested Struct, dict or list is jsonb. The table of an `append_only`
    projection is never read back: `get` and `all` refuse, and every `put` is a new row.

    A change of the row, the table or the meaning of `apply` raises `version`; the next start rebuilds.
    """

    name: str
    version: int
    row: type[R]  # frozen; its fields are the columns; has `participant: UUID`
    key: tuple[str, ...]  # field names of the primary key, which includes or implies the participant
    ddl: str  # creates the table `name`, unqualified: the search path is the generation's schema
    handles: frozenset[type[EventData]]
    apply: Callable[[Rows[R], Recorded], None]
    append_only: bool = False


AnyProjection = Projection[Any]
"""A projection where its kind of row does not matter."""
