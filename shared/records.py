"""Which records are one person's, read from the records themselves as intake decided (ADR 7).

Whoever decides on care asks this where it matters: a person's episode may be open in another of them.
"""

from typing import Final, TypeVar
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from shared.commands.base import Command
from shared.commands.decision import Fold, Refused, refused
from shared.eventlog.execute import Executor
from shared.eventlog.subjects import EntityKey, partition_of
from shared.events.base import EventData
from shared.events.encounter import (
    AdmissionCancelled,
    DeathNotified,
    DischargeCancelled,
    DischargeNotified,
    InpatientAdmissionNotified,
    TransferNotified,
)
from shared.events.participant import (
    ParticipantsMerged,
    ParticipantsUnmerged,
    PriorRecordLinked,
    PriorRecordUnlinked,
)

T = TypeVar("T")
_MOST: Final = 64


class Record(Struct, frozen=True, kw_only=True):
    """What one record says of others, and the hospitals' admissions and discharges that stand in it."""

    survivor: UUID | None = None
    priors: frozenset[UUID] = frozenset()
    admissions: dict[UUID, InpatientAdmissionNotified] = {}
    discharges: dict[UUID, DischargeNotified] = {}
    died: bool = False


def evolve(record: Record, event: EventData) -> Record:
    """Note merges and stays; all else of a participant is not looked at."""
    match event:
        case ParticipantsMerged(survivor=survivor):
            return replace(record, survivor=survivor)
        case ParticipantsUnmerged():
            return replace(record, survivor=None)
        case PriorRecordLinked(prior=prior):
            return replace(record, priors=record.priors | {prior})
        case PriorRecordUnlinked(prior=prior):
            return replace(record, priors=record.priors - {prior})
        case _:
            return _stayed(record, event)


def _stayed(record: Record, event: EventData) -> Record:
    match event:
        case InpatientAdmissionNotified() | TransferNotified() | AdmissionCancelled():
            return replace(record, admissions=_admitted(record.admissions, event))
        case DischargeNotified(discharge=id):
            return replace(record, discharges={**record.discharges, id: event})
        case DischargeCancelled(discharge=id):
            return replace(record, discharges=_without(record.discharges, id))
        case DeathNotified():
            return replace(record, died=True)
        case _:
            return record


def _admitted(
    standing: dict[UUID, InpatientAdmissionNotified],
    event: InpatientAdmissionNotified | TransferNotified | AdmissionCancelled,
) -> dict[UUID, InpatientAdmissionNotified]:
    match event:
        case InpatientAdmissionNotified(admission=id):
            return {**standing, id: event}
        case TransferNotified():
            return _moved(standing, event)
        case AdmissionCancelled(admission=id):
            return _without(standing, id)


def _moved(
    standing: dict[UUID, InpatientAdmissionNotified], moved: TransferNotified
) -> dict[UUID, InpatientAdmissionNotified]:
    """Let an emergency become a stay (A06), or a stay an outpatient visit (A07)."""
    if moved.encounter_class == "UNK" or moved.visit_number is None:
        return standing
    return {
        id: replace(told, encounter_class=moved.encounter_class) if _visit(told) == _visit(moved) else told
        for id, told in standing.items()
    }


def _visit(told: InpatientAdmissionNotified | TransferNotified) -> tuple[str, str | None]:
    """Return a visit as its sender numbers it; the facility stands in where no message says who sent it."""
    return (told.facility if told.message is None else told.message.source, told.visit_number)


def _without(standing: dict[UUID, T], id: UUID) -> dict[UUID, T]:
    return {other: told for other, told in standing.items() if other != id}


DECEASED: Final = refused(
    "participant-deceased",
    "The participant has died, as another of their records says: only closure remains.",
)
_RECORD: Final = Fold(category="participant", initial=Record(), evolve=evolve)


class Records:
    """Reads the records of participants; what is in memory is brought up to date with the log first."""

    def __init__(self, executor: Executor, partitions: int) -> None:
        self._executor = executor
        self._partitions = partitions

    def key(self, record: UUID, category: str) -> EntityKey:
        """Return where a category of a record lies."""
        return EntityKey(partition_of(str(record), self._partitions), category, str(record))

    async def record(self, id: UUID) -> Record:
        """Return one record."""
        return (await self._executor.entity(_RECORD, self.key(id, "participant"), fresh=True)).state

    async def of_person(self, id: UUID) -> list[UUID]:
        """Return every record of the person whose record this is: the survivor, then the others."""
        return list(await self.all_of_person(id))

    async def all_of_person(self, id: UUID) -> dict[UUID, Record]:
        """Return what every record of the person says, the survivor's first; each is read once."""
        line = await self._line(id)
        survivor = next(reversed(line))
        found, ahead = {survivor: line[survivor]}, sorted(line[survivor].priors)
        while ahead and len(found) < _MOST:
            prior = ahead.pop(0)
            if prior in found:
                continue
            record = line[prior] if prior in line else await self.record(prior)
            if record.survivor is None:  # parted, and its survivor has not noted it yet
                continue
            found[prior] = record
            ahead += sorted(record.priors)
        return found

    async def died_elsewhere(self, id: UUID) -> bool:
        """Tell whether another of the person's records tells of their death; the own one's care is closed."""
        return any(record.died for other, record in (await self.all_of_person(id)).items() if other != id)

    async def of_the_living(self, command: Command) -> Command | Refused:
        """Let a command pass, unless another record of its participant's tells of a death."""
        return DECEASED if await self.died_elsewhere(command.participant) else command

    async def _line(self, id: UUID) -> dict[UUID, Record]:
        """Return the record, and those that it was merged into in turn: the survivor stands last."""
        line = {id: await self.record(id)}
        while (survivor := line[next(reversed(line))].survivor) is not None and survivor not in line:
            line[survivor] = await self.record(survivor)
        return line
