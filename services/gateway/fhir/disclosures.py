"""Records what a source reads under a consent before it is answered, and what is withheld from it.

Once for each participant, recipient, type and day of the site: what this process had recorded it does not
ask for again. Nothing leaves before its record is durable; where intake does not answer in time the reader is
told to ask again, as when the resources themselves cannot be read.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, date, datetime
from typing import Final, NamedTuple
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import structlog

from services.gateway.fhir.outcome import FhirError, Issue
from shared.commands import reply
from shared.commands.consent import ConsentCommand, RecordDisclosure, RecordRefusedDisclosure
from shared.commands.decision import Refused
from shared.events.consent import Means, WithheldBecause

Ask = Callable[[ConsentCommand], Awaitable[reply.Reply]]

_READS: Final = UUID("0b6f2a52-9d0c-5cf0-8b39-8d8f3b1b2c77")
_MEANS: Final[Means] = "fhir-read"
_AT_ONCE: Final = 32
_MOST: Final = 200_000  # records remembered, about 50 MB
_log = structlog.get_logger()


class Read(NamedTuple):
    """That a source reads a type of a participant's resources, under a consent."""

    recipient: str
    participant: UUID
    kind: str
    consent: UUID


class Unread(NamedTuple):
    """That a type of a participant's resources is withheld from a source."""

    recipient: str
    participant: UUID
    kind: str
    because: WithheldBecause


class Disclosures:
    """Remembers what was recorded today; one a process."""

    def __init__(self, ask: Ask, zone: ZoneInfo) -> None:
        self._ask = ask
        self._zone = zone
        self._day = date.min
        self._recorded: set[Read | Unread] = set()
        self._asking = asyncio.Semaphore(_AT_ONCE)
        self._background: set[asyncio.Task[None]] = set()

    async def record(self, reads: Iterable[Read]) -> None:
        """Return when all of it is recorded; raises FhirError 503 where it could not be."""
        now = self._now()
        news = {each for each in reads if each not in self._recorded}
        if not news:
            return
        answers = await asyncio.gather(*(self._made(each, now) for each in news))
        if not all(answers):
            sentence = "That this is disclosed could not be recorded now; please try again later."
            raise FhirError(503, [Issue("error", "transient", sentence)], {"Retry-After": "5"})

    def withheld(self, unread: Iterable[Unread]) -> None:
        """Have it recorded; nobody waits for it, as nothing leaves."""
        now = self._now()
        for each in {each for each in unread if each not in self._recorded}:
            self._recorded.add(each)
            task = asyncio.create_task(self._refused(each, now))
            self._background.add(task)
            task.add_done_callback(self._background.discard)

    async def close(self) -> None:
        """Wait for what is being recorded."""
        await asyncio.gather(*self._background)

    def _now(self) -> datetime:
        """Return the instant; what was recorded on another day of the site is forgotten."""
        now = datetime.now(UTC)
        today = now.astimezone(self._zone).date()
        if today != self._day or len(self._recorded) > _MOST:
            self._recorded.clear()
        self._day = today
        return now

    async def _made(self, read: Read, now: datetime) -> bool:
        command = RecordDisclosure(
            id=self._id(read),
            participant=read.participant,
            actor=f"source:{read.recipient}",
            now=now,
            consent=read.consent,
            recipient=read.recipient,
            kind=read.kind,
            means=_MEANS,
            day=self._day,
        )
        if not await self._is_recorded(command):
            return False
        self._recorded.add(read)
        return True

    async def _refused(self, unread: Unread, now: datetime) -> None:
        command = RecordRefusedDisclosure(
            id=self._id(unread),
            participant=unread.participant,
            actor=f"source:{unread.recipient}",
            now=now,
            because=unread.because,
            recipient=unread.recipient,
            kind=unread.kind,
            means=_MEANS,
            day=self._day,
        )
        if not await self._is_recorded(command):
            self._recorded.discard(unread)  # the next read asks again
            _log.warning("refused-disclosure-not-recorded", participant=str(unread.participant))

    async def _is_recorded(self, command: ConsentCommand) -> bool:
        """Ask intake; a consent that it knows to be revoked, while it stood here, allows nothing."""
        async with self._asking:
            answer = await self._ask(command)
        if isinstance(answer, Refused):
            _log.info("disclosure-refused", code=answer.code)
        return isinstance(answer, reply.Appended | reply.Unchanged)

    def _id(self, what: Read | Unread) -> UUID:
        """Return the command's id: every gateway asks for the same record in the same words."""
        *names, participant = what.recipient, what.kind, str(what[3]), what.participant
        return uuid5(_READS, "|".join((self._day.isoformat(), str(participant), *map(str, names))))
