"""What `verify` found, in words."""

from msgspec import Struct

from shared.events.envelope import Position
from shared.projections.difference import (
    Difference,
    HistoryDiffers,
    JournalDiffers,
    NotInJournal,
    NotInLog,
    ParkedParticipant,
    RowDiffers,
    RowMissing,
    RowUnexpected,
)


class Told(Struct, frozen=True):
    """One difference as a line of a table."""

    what: str
    where: str
    detail: str = ""


def told_of(difference: Difference) -> Told:
    """Say it in words."""
    match difference:
        case NotInJournal(position=at):
            return Told("not in the journal", _at(at), "The log holds it.")
        case NotInLog(position=at):
            return Told("not in the log", _at(at), "The journal holds it.")
        case JournalDiffers(position=at, columns=columns):
            return Told("journal differs", _at(at), ", ".join(columns))
        case ParkedParticipant(position=at, participant=participant, reason=reason):
            return Told("parked", _at(at), f"{participant or 'nobody known'}: {reason}")
        case HistoryDiffers(partition=k, reason=reason):
            return Told("another history", f"partition {k}", reason)
        case RowMissing() | RowUnexpected() | RowDiffers():
            return _row(difference)


def _row(difference: RowMissing | RowUnexpected | RowDiffers) -> Told:
    where = f"{difference.projection} {' '.join(difference.key)}"
    whose = f"participant {difference.participant}"
    match difference:
        case RowMissing():
            return Told("row missing", where, whose)
        case RowUnexpected():
            return Told("row unexpected", where, whose)
        case RowDiffers(columns=columns):
            return Told("row differs", where, f"{whose}: {', '.join(columns)}")


def _at(position: Position) -> str:
    return f"{position.partition}/{position.sequence}"
