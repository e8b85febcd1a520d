"""What ours stores for one referral, as it was captured: the bare pipeline writes the same bytes."""

from pathlib import Path
from uuid import UUID

import msgspec
from msgspec import Struct

PREFIX = "bare."
_HEX = 32


class Stored(Struct, frozen=True):
    """A message of a stream."""

    subject: str
    payload: bytes


class Captured(Struct, frozen=True, kw_only=True):
    """One referral of a new person with one identifier, from the message to what its sender is told.

    `events` are numbered as the bare pipeline has them: the claims of the person's identifier and of the
    placer's number, the registration (an atomic batch), the receipt, and the acceptance by a command.
    """

    control_id: str
    inbound: Stored
    claim: Stored
    placed: Stored
    registration: tuple[Stored, ...]
    receipt: Stored
    outbound: Stored
    request: bytes  # a coordinator's command on the referral
    accepted: Stored  # the event that it appends
    answer: bytes
    tables: str  # schema of the read models' tables that the bare pipeline's are made like

    @property
    def events(self) -> tuple[Stored, ...]:
        return (self.claim, self.placed, *self.registration, self.receipt, self.accepted)

    @property
    def message_events(self) -> int:
        """How many events one message leads to."""
        return len(self.events) - 1

    @property
    def participant(self) -> int:
        """The number of the event that names the participant's entity."""
        return 2

    @property
    def referral(self) -> int:
        """The number of the event that names the referral's entity."""
        return self.message_events - 1


def write(captured: Captured, path: Path) -> None:
    path.write_bytes(msgspec.json.encode(captured))


def read(path: Path) -> Captured:
    return msgspec.json.decode(path.read_bytes(), type=Captured)


def id_of(control_id: str, number: int) -> str:
    """Return the id of a referral's n-th event. A control id of the bench is a UUID that ends with 0."""
    return f"{control_id[:-1]}{number:x}"


def control_of(event_id: str) -> str:
    """Return the control id that an event's id was made of."""
    return f"{event_id[:-1]}0"


def number_of(event_id: str) -> int:
    """Return which event of the referral it is."""
    return int(event_id[-1], 16)


def subject_of(stored: Stored, control_id: str, number: int) -> str:
    """Return the bare subject of an entity, as long as the captured one is (but for the prefix)."""
    care, k, category, entity = stored.subject.split(".")
    id_ = id_of(control_id, number)
    return f"{PREFIX}{care}.{k}.{category}.{UUID(id_).hex if len(entity) == _HEX else id_}"
