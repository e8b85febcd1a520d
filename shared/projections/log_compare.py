"""Compares a partition of the log with its journal, message by message, both ways."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from nats.aio.client import Client

from shared.events.envelope import Position
from shared.projections.difference import Difference, JournalDiffers, NotInJournal, NotInLog
from shared.projections.history import stream_info
from shared.projections.journal import COLUMNS, Entry, Journalled, entry_of
from shared.projections.postgres import Connection
from shared.projections.queries import sql
from shared.projections.reader import LogReader, ReaderLostError

MESSAGES_AT_ONCE: Final = 1_000
SILENCES: Final = 3  # the end of the stream was deleted: nothing more comes
BEYOND: Final = 2**63 - 1


@dataclass
class LogSays:
    """Where the log and the journal differ, what the log says: the fold believes it."""

    differing: set[Position] = field(default_factory=set)
    of_participant: dict[UUID, list[Journalled]] = field(default_factory=dict)

    def note(self, position: Position, told: Journalled | None) -> None:
        """The journal's message is not to be folded; the log's, if there is one, is."""
        self.differing.add(position)
        if told and told.entry.participant:
            self.of_participant.setdefault(told.entry.participant, []).append(told)


async def compare_log(
    nats: Client, connection: Connection, k: int, upto: int, says: LogSays, parked: set[Position]
) -> AsyncIterator[Difference | int]:
    """Yield each difference, and now and then the sequence that is reached."""
    reached = 0
    async for messages in _messages(nats, k, upto):
        for each in await _compare(connection, messages, reached, says, parked):
            yield each
        reached = messages[-1].entry.seq
        yield reached
    async for row in connection.cursor(sql("journal_of_partition"), k, reached, BEYOND):
        says.note(entry_of(row).position, None)
        yield NotInLog(entry_of(row).position)


async def _messages(nats: Client, k: int, upto: int) -> AsyncIterator[list[Journalled]]:
    """Yield the log's messages up to a sequence; what is missing is left out."""
    last = min(upto, (await stream_info(nats, k)).state.last_seq)
    reader = LogReader(nats, k, MESSAGES_AT_ONCE, gaps=True)
    reached = silences = 0
    await reader.open(0)
    try:
        while reached < last and silences < SILENCES:
            try:
                messages = [each for each in await reader.next(1.0) if each.entry.seq <= last]
            except ReaderLostError:
                await reader.open(reached)
                continue
            silences = 0 if messages else silences + 1
            if messages:
                reached = messages[-1].entry.seq
                yield messages
    finally:
        await reader.close()


async def _compare(
    connection: Connection, messages: list[Journalled], reached: int, says: LogSays, parked: set[Position]
) -> list[Difference]:
    k, last = messages[0].entry.k, messages[-1].entry.seq
    rows = await connection.fetch(sql("journal_of_partition"), k, reached, last)
    entries = {row["seq"]: entry_of(row) for row in rows}
    found: list[Difference] = []
    for told in messages:
        difference = _differs(told.entry, entries.pop(told.entry.seq, None), parked)
        if difference:
            says.note(told.entry.position, told)
            found.append(difference)
    for entry in entries.values():
        says.note(entry.position, None)
        found.append(NotInLog(entry.position))
    return found


def _differs(told: Entry, entry: Entry | None, parked: set[Position]) -> Difference | None:
    if entry is None:
        return NotInJournal(told.position)
    if told == entry:
        return None
    columns = tuple(name for name, ours, its in zip(COLUMNS, told, entry, strict=True) if ours != its)
    if told.position in parked and entry.participant is None and "message" not in columns:
        return None  # what could not be read when it came is described when it is replayed
    return JournalDiffers(told.position, columns)
