"""A message of OUTBOUND: what a sender is owed."""

from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct

from shared.eventlog.log import Log, StoredMessage
from shared.events.outbound import OutboundEnvelope

STREAM: Final = "OUTBOUND"
_DECODER: Final = msgspec.json.Decoder(OutboundEnvelope)


class Owed(Struct, frozen=True, kw_only=True):
    """One status, where it stands and since when."""

    sequence: int
    recorded_at: datetime
    envelope: OutboundEnvelope | None  # None: it is not what intake writes


def subject_of(source: str) -> str:
    """Return where what a source is owed stands."""
    return f"outbound.{source}.status"


async def after(log: Log, source: str, cursor: int) -> Owed | None:
    """Return the first that a source is owed behind a sequence."""
    stored = await log.next(STREAM, subject_of(source), cursor + 1)
    return None if stored is None else _owed(stored)


async def at(log: Log, sequence: int) -> Owed | None:
    """Return the one at a sequence; None where OUTBOUND keeps it no more."""
    stored = await log.get(STREAM, sequence)
    return None if stored is None else _owed(stored)


def _owed(stored: StoredMessage) -> Owed:
    try:
        envelope = _DECODER.decode(stored.payload)
    except msgspec.DecodeError:
        envelope = None
    return Owed(sequence=stored.sequence, recorded_at=stored.recorded_at, envelope=envelope)
