"""Tells a message to the records that it is about: a person's, a referral's, or two that are merged."""

from services.intake.consents import Consents
from services.intake.deciders import participant as participants
from services.intake.deciders import referral as referrals
from services.intake.deciders.encounter import Notice
from services.intake.identification import Identification
from services.intake.inbound import AboutReferral, about_referral
from services.intake.merges import LATER, Merges
from services.intake.notices import Told, notices
from shared.commands.intake import ParticipantCommand
from shared.eventlog.clock import Clock
from shared.eventlog.execute import Executor
from shared.eventlog.policies import carry_out
from shared.events.inbound import ConsentNotice, InboundEnvelope, Merge


class Telling:
    """Finds the record, and asks it to take note; again is the same, by the ids of the commands."""

    def __init__(self, executor: Executor, identification: Identification, clock: Clock) -> None:
        self._executor = executor
        self._identification = identification
        self._clock = clock
        self._merges = Merges(executor, identification, clock)
        self._consents = Consents(executor, identification, clock)

    async def tell(self, envelope: InboundEnvelope) -> bool:
        """Tell it; False where nobody is known by the identifiers, or no referral by the placer's number.

        Raises PolicyRefusedError, and NotYetError where it has to be told again later.
        """
        match envelope.data:
            case Merge() as message:
                return await self._merges.tell(envelope, message)
            case ConsentNotice() as message:
                return await self._consents.tell(envelope, message)
            case message if isinstance(message, AboutReferral):
                return await self._of_referral(envelope, message)
            case message if isinstance(message, Told):
                return await self._of_person(envelope, message)
            case message:
                raise TypeError(type(message))

    async def ask(self, command: ParticipantCommand, *, expect_new: bool = False) -> None:
        """Ask it of the participant's record; a notice of the record that it continues."""
        if isinstance(command, Notice):
            command = await self._identification.aliases.record_for(command)
        await carry_out(self._executor, participants.DECIDER, command, expect_new=expect_new, not_yet=LATER)

    async def _of_referral(self, envelope: InboundEnvelope, message: AboutReferral) -> bool:
        """Ask of a referral what its initiator asks."""
        placed = await self._identification.placed(message.placer)
        if placed is None:
            return False
        named = await self._identification.owner(message.person.identifiers)
        await self._identification.expect_owner(placed, named)
        command = about_referral(envelope, message, placed.participant, placed.referral, self._clock())
        await carry_out(self._executor, referrals.DECIDER, command, not_yet={"referral-unknown"})
        return True

    async def _of_person(self, envelope: InboundEnvelope, message: Told) -> bool:
        owner = await self._identification.owner(message.person.identifiers)
        if owner is None:
            return False
        for command in notices(envelope, message, owner, self._clock()):
            await self.ask(command)
        return True
