"""What `verify` can find."""

from uuid import UUID

from msgspec import Struct

from shared.events.envelope import Position


class NotInJournal(Struct, frozen=True, tag=True):
    """The log holds a projected message that the journal does not."""

    position: Position


class NotInLog(Struct, frozen=True, tag=True):
    """The journal holds a message that the log does not."""

    position: Position


class JournalDiffers(Struct, frozen=True, tag=True):
    """Log and journal disagree on a message; `columns` are the journal's ("message" is the bytes)."""

    position: Position
    columns: tuple[str, ...]


class RowMissing(Struct, frozen=True, tag=True):
    """A read model lacks a row that the log's events make."""

    projection: str
    participant: UUID
    key: tuple[str, ...]


class RowUnexpected(Struct, frozen=True, tag=True):
    """A read model has a row that no event makes."""

    projection: str
    participant: UUID
    key: tuple[str, ...]


class RowDiffers(Struct, frozen=True, tag=True):
    """A row is not what the log's events make; which columns, never what they hold."""

    projection: str
    participant: UUID
    key: tuple[str, ...]
    columns: tuple[str, ...]


class ParkedParticipant(Struct, frozen=True, tag=True):
    """An event that waits, and with it its participant's later ones: compared as far as they were applied."""

    position: Position
    participant: UUID | None
    projection: str | None
    reason: str


class HistoryDiffers(Struct, frozen=True, tag=True):
    """The stream is not the one that was projected: the text says why."""

    partition: int
    reason: str


Difference = (
    NotInJournal
    | NotInLog
    | JournalDiffers
    | RowMissing
    | RowUnexpected
    | RowDiffers
    | ParkedParticipant
    | HistoryDiffers
)
