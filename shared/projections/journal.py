"""A message of the log as the journal keeps it, and as the fold reads it."""

from datetime import UTC, datetime
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from shared.events.envelope import Event, Position, Recorded
from shared.events.registry import REGISTRY, UndecodableEventError

COLUMNS: Final = (
    "k",
    "seq",
    "category",
    "entity",
    "participant",
    "type",
    "event_id",
    "happened",
    "recorded_at",
    "message",
)


class LogMessage(NamedTuple):
    """One message as a stream holds it."""

    k: int
    seq: int
    subject: str
    recorded_at: datetime
    message: bytes


class Entry(NamedTuple):
    """A row of the journal, in the order of its columns."""

    k: int
    seq: int
    category: str | None
    entity: str | None
    participant: UUID | None
    type: str | None
    event_id: UUID | None
    happened: datetime | None
    recorded_at: datetime
    message: bytes

    @property
    def position(self) -> Position:
        return Position(self.k, self.seq)


class Journalled(NamedTuple):
    """An entry, and the event it holds or else why it cannot be decoded."""

    entry: Entry
    recorded: Recorded | None
    problem: str | None


class _Outline(Struct):
    """As much of an envelope as the journal indexes, of an event that this build does not know."""

    id: UUID
    subject: UUID
    type: str
    time: datetime


_OUTLINE: Final = msgspec.json.Decoder(_Outline)


def journalled(message: LogMessage) -> Journalled:
    """Decode a message for the journal; one that cannot be decoded is journalled as far as it can be read."""
    category, entity = _entity(message.subject)
    try:
        event = REGISTRY.decode(message.message)
        happened = event.time.astimezone(UTC)
    except (UndecodableEventError, OverflowError) as error:
        return Journalled(_outlined(message, category, entity), None, problem_of(error))
    recorded = Recorded(
        event=event,
        position=Position(message.k, message.seq),
        category=category or "",
        entity=entity or "",
        recorded_at=message.recorded_at,
    )
    return Journalled(_entry(message, category, entity, event, happened), recorded, None)


def recorded_of(row: asyncpg.Record) -> Recorded:
    """Decode a row of the journal; raises UndecodableEventError."""
    return Recorded(
        event=REGISTRY.decode(row["message"]),
        position=Position(row["k"], row["seq"]),
        category=row["category"] or "",
        entity=row["entity"] or "",
        recorded_at=row["recorded_at"],
    )


def entry_of(row: asyncpg.Record) -> Entry:
    """Return a whole row of the journal."""
    return Entry(*row)


def journalled_row(row: asyncpg.Record) -> Journalled:
    """Decode a row of the journal as it was decoded when it came; it needs no more than the message's own."""
    subject = _subject(row["k"], row["category"], row["entity"])
    return journalled(LogMessage(row["k"], row["seq"], subject, row["recorded_at"], row["message"]))


def message_of(entry: Entry) -> LogMessage:
    """Return what the log holds, or should."""
    subject = _subject(entry.k, entry.category, entry.entity)
    return LogMessage(entry.k, entry.seq, subject, entry.recorded_at, entry.message)


def problem_of(error: Exception) -> str:
    """Say why a message cannot be decoded, without a word of what it holds."""
    if isinstance(error, UndecodableEventError):
        return str(error)
    return f"The event cannot be read: {type(error).__name__}."


def _subject(k: int, category: str | None, entity: str | None) -> str:
    return ".".join(part for part in ("care", str(k), category, entity) if part is not None)


def _entity(subject: str) -> tuple[str | None, str | None]:
    # Not parse_subject: whatever a stream took is journalled, and is put back under the same subject.
    _, _, category, entity, *_ = (*subject.split(".", 3), None, None)
    return category, entity


def _entry(
    message: LogMessage, category: str | None, entity: str | None, event: Event, happened: datetime
) -> Entry:
    return Entry(
        message.k,
        message.seq,
        category,
        entity,
        event.subject,
        event.type,
        event.id,
        happened,
        message.recorded_at,
        message.message,
    )


def _outlined(message: LogMessage, category: str | None, entity: str | None) -> Entry:
    k, seq, _, recorded_at, raw = message
    try:
        outline = _OUTLINE.decode(raw)
        happened = outline.time.astimezone(UTC)
    except (msgspec.DecodeError, OverflowError):
        return Entry(k, seq, category, entity, None, None, None, None, recorded_at, raw)
    return Entry(
        k,
        seq,
        category,
        entity,
        outline.subject,
        _type_name(outline.type),
        outline.id,
        happened,
        recorded_at,
        raw,
    )


def _type_name(told: str) -> str:
    # Postgres' text holds no NUL, and a type that nobody knows may be anything.
    return told.replace("\0", "")[:200]
