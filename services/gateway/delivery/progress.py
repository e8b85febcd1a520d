"""How far a channel is: the value in the bucket DELIVERY, and the changes that it goes through.

Keys are `<source>.<channel>`, the channel being `mllp` or `rest-hook-<subscription>`.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from shared.eventlog.log import Log

BUCKET: Final = "DELIVERY"
STREAM: Final = f"KV_{BUCKET}"
_PREFIX: Final = f"$KV.{BUCKET}."
_DELETED: Final = {"KV-Operation": "DEL"}  # NATS ADR-8


class Waiting(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message of OUTBOUND behind the cursor that is not delivered yet, or is to be delivered again."""

    sequence: int
    referral: UUID
    attempts: int = 0
    next_attempt: datetime | None = None  # at once, where absent
    problem: str | None = None  # in the receiver's words


class Arrived(Struct, frozen=True, kw_only=True):
    """What the receiver confirmed and the record does not say yet."""

    because: UUID  # id of the message on OUTBOUND
    referral: UUID
    participant: UUID
    status: str
    answer: str
    at: datetime


class Progress(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything of OUTBOUND up to `cursor` is delivered, or stands in `waiting`."""

    cursor: int = 0
    waiting: tuple[Waiting, ...] = ()
    unrecorded: tuple[Arrived, ...] = ()
    attempts: int = 0  # in a row that reached nobody
    next_attempt: datetime | None = None
    problem: str | None = None  # of the channel as a whole
    tried: int = (
        0  # what comes next, where it was tried and reached nobody: gone, it is lost, not passed over
    )
    back_to: int | None = None  # a person asked for all behind it; who leads goes there between two attempts
    delivered: int = 0
    last_delivered: datetime | None = None
    lost: int = 0  # OUTBOUND let go of them before they could be delivered
    holder: str | None = None  # who leads

    @property
    def first_problem(self) -> str | None:
        """What keeps the channel, or else a referral, from being told; None where all is well."""
        return self.problem or next((each.problem for each in self.heads() if each.problem), None)

    def pauses(self, now: datetime) -> bool:
        """Tell whether the whole channel waits for its next attempt."""
        return self.next_attempt is not None and self.next_attempt > now

    def due(self, now: datetime) -> Waiting | None:
        """Return what is to be tried again now: of each referral only the first, so that order is kept."""
        return next((each for each in self.heads() if (each.next_attempt or now) <= now), None)

    def heads(self) -> Iterator[Waiting]:
        """Give the first that waits of each referral."""
        seen: set[UUID] = set()
        for each in self.waiting:
            if each.referral not in seen:
                seen.add(each.referral)
                yield each

    def holds_back(self, referral: UUID) -> bool:
        """Tell whether something earlier of the referral waits."""
        return any(each.referral == referral for each in self.waiting)

    def passed(self, sequence: int) -> "Progress":
        """Return the progress after a message that needs no more attention."""
        waiting = _without_first(self.waiting, sequence)
        return replace(self, cursor=max(self.cursor, sequence), waiting=waiting)

    def put_back(self, told: Waiting) -> "Progress":
        """Return the progress with a message waiting: in its place, or behind those that wait."""
        places = [each.sequence for each in self.waiting]
        if told.sequence not in places:
            return replace(self, cursor=max(self.cursor, told.sequence), waiting=(*self.waiting, told))
        place = places.index(told.sequence)
        return replace(self, waiting=(*self.waiting[:place], told, *self.waiting[place + 1 :]))

    def again(self, sequences: dict[int, UUID]) -> "Progress":
        """Return the progress with these to be delivered again, and all that waits tried at once.

        What is still ahead of the cursor is delivered anyway.
        """
        waiting = tuple(replace(each, next_attempt=None) for each in self.waiting)
        there = {each.sequence for each in waiting}
        added = tuple(
            Waiting(sequence=sequence, referral=referral)
            for sequence, referral in sequences.items()
            if sequence <= self.cursor and sequence not in there
        )
        in_order = sorted((*waiting, *added), key=lambda each: each.sequence)  # the last told is the newest
        return replace(self, waiting=tuple(in_order), next_attempt=None)

    def again_after(self, sequence: int) -> "Progress":
        """Return the progress with everything behind a sequence asked for again: whoever leads goes back."""
        back = sequence if self.back_to is None else min(sequence, self.back_to)
        return replace(self.again({}), back_to=back)

    def gone_back(self) -> "Progress":
        """Return the progress at the place that was asked for, as if nothing behind it had been looked at."""
        cursor = self.cursor if self.back_to is None else min(self.cursor, self.back_to)
        waiting = tuple(each for each in self.waiting if each.sequence <= cursor)
        return replace(self, cursor=cursor, waiting=waiting, back_to=None)


class Kept(Struct, frozen=True):
    """A progress as it is kept; `revision` is 0 where there is none yet."""

    progress: Progress
    revision: int
    written: datetime | None = None


def _without_first(waiting: tuple[Waiting, ...], sequence: int) -> tuple[Waiting, ...]:
    return tuple(each for each in waiting if each.sequence != sequence)


class ProgressStore:
    """The bucket DELIVERY. Every write names the revision that it replaces."""

    def __init__(self, log: Log) -> None:
        self._log = log

    async def read(self, key: str) -> Kept:
        """Read a channel's progress."""
        stored = await self._log.next(STREAM, _PREFIX + key, 1)
        if stored is None:
            return Kept(Progress(), 0)
        if not stored.payload:
            return Kept(Progress(), stored.sequence)
        return Kept(msgspec.json.decode(stored.payload, type=Progress), stored.sequence, stored.recorded_at)

    async def write(self, key: str, progress: Progress, revision: int) -> int:
        """Replace a revision; returns the new one. Raises ConflictError where another was first."""
        expected = {"Nats-Expected-Last-Subject-Sequence": str(revision)}
        return await self._log.publish(_PREFIX + key, msgspec.json.encode(progress), expected)

    async def forget(self, key: str) -> None:
        """Forget a channel that is no more."""
        await self._log.publish(_PREFIX + key, b"", _DELETED)

    async def all(self) -> dict[str, Kept]:
        """Read every channel's progress, by key."""
        found: dict[str, Kept] = {}
        for stored in await self._log.latest(STREAM, _PREFIX + ">"):
            if stored.payload:
                progress = msgspec.json.decode(stored.payload, type=Progress)
                key = stored.subject.removeprefix(_PREFIX)
                found[key] = Kept(progress, stored.sequence, stored.recorded_at)
        return found
