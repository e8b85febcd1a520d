"""Follows a merged record to its survivor, and finds every record that is one person's."""

from typing import Final
from uuid import UUID

from msgspec.structs import replace

from services.intake.deciders import participant
from services.intake.deciders.encounter import Notice, continues
from shared.commands.decision import Refused, refused
from shared.commands.intake import (
    CancelAdmission,
    CancelDischarge,
    MergeParticipants,
    ParticipantCommand,
    ResolveMatch,
)
from shared.eventlog.errors import PolicyRefusedError
from shared.eventlog.execute import Executor
from shared.eventlog.subjects import EntityKey, partition_of
from shared.records import DECEASED
from shared.settings import Settings

_LONGEST: Final = 64


class Aliases:
    """Reads merges out of the participants' own records, which the executor keeps in memory.

    What is in memory may miss the latest merge. A command to a record that was merged away is refused with
    the code "merged" on the log's own word, so whoever is sent to a prior by mistake comes here again.
    """

    def __init__(self, executor: Executor, settings: Settings) -> None:
        self._executor = executor
        self._partitions = settings.partitions

    async def state(self, record: UUID, *, fresh: bool = False) -> participant.State:
        """Return a participant's record."""
        key = EntityKey(partition_of(str(record), self._partitions), "participant", str(record))
        return (await self._executor.entity(participant.DECIDER, key, fresh=fresh)).state

    async def line(self, record: UUID, *, fresh: bool = False) -> list[UUID]:
        """Return the record and whom it was merged into in turn: the survivor stands last.

        Merges that went round in a circle all the same (two at the same moment) end where it closes.
        """
        line: list[UUID] = []
        following: UUID | None = record
        while following is not None and following not in line and len(line) < _LONGEST:
            line.append(following)
            following = (await self.state(following, fresh=fresh)).records.survivor
        return line

    async def survivor(self, record: UUID) -> UUID:
        """Return whose record it is now."""
        return (await self.line(record))[-1]

    async def record_for(self, notice: Notice) -> Notice:
        """Send a notice on to the record that it continues, of all that are the same person's.

        A discharge told of a record before it was merged is cancelled there, where things followed from it.
        """
        is_cancelled = isinstance(notice, CancelAdmission | CancelDischarge)
        for prior in await self._priors(notice.participant, fresh=is_cancelled):
            if continues(notice, (await self.state(prior)).stays):
                return replace(notice, participant=prior)
        return notice

    async def with_line(self, command: MergeParticipants | ResolveMatch) -> MergeParticipants | ResolveMatch:
        """Fill in whom the survivor was merged into; nothing where the survivor is not registered."""
        survivor = command.survivor if isinstance(command, MergeParticipants) else command.same_as
        if survivor is None:
            return replace(command, line=())
        is_known = (await self.state(survivor, fresh=True)).person.is_registered
        return replace(command, line=tuple(await self.line(survivor, fresh=True)) if is_known else ())

    async def of_the_living(self, command: ParticipantCommand) -> ParticipantCommand | Refused:
        """Let a command pass, unless another record of its participant's tells of a death."""
        others = await self._priors(command.participant, fresh=True)
        died = [record for record in others if (await self.state(record)).stays.died]
        return DECEASED if died else command

    async def records(self, record: UUID) -> list[UUID]:
        """Return the record, and those merged into it: all that are the same person's."""
        return [record, *await self._priors(record, fresh=True)]

    async def _priors(self, record: UUID, *, fresh: bool) -> list[UUID]:
        """Return the records merged into this one, and into those in turn."""
        found: list[UUID] = []
        ahead = sorted((await self.state(record, fresh=fresh)).records.priors)
        while ahead and len(found) < _LONGEST:
            prior = ahead.pop(0)
            if prior in found or prior == record:
                continue
            found.append(prior)
            ahead += sorted((await self.state(prior)).records.priors)
        return found


def one_of(owners: set[UUID]) -> UUID | None:
    """Return the only owner, or None; raises PolicyRefusedError where there are several."""
    if len(owners) > 1:
        raise PolicyRefusedError(disagreeing())
    return next(iter(owners), None)


def disagreeing() -> Refused:
    """Refuse a message whose identifiers name several people: somebody must look at that."""
    return refused("identifiers-disagree", "The message's identifiers name different participants.")
