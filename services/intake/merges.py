"""A sender's merge (ADT A40): taken where it told us of both numbers, else put before a person (ADR 7)."""

from uuid import UUID

from services.intake.deciders import participant as participants
from services.intake.identification import Identification
from services.intake.inbound import merge, prior_link, registration, review
from shared.commands.intake import ParticipantCommand
from shared.eventlog.clock import Clock
from shared.eventlog.execute import Executor
from shared.eventlog.policies import carry_out
from shared.events.base import Identifier
from shared.events.inbound import InboundEnvelope, Merge

# Between a claim and its registration there is no record; a merge may be newer than what we looked at.
LATER = frozenset({"participant-unknown", "merged", "survivor-unknown", "merge-cycle"})


class Merges:
    """Merges two whom we know; of one whom we know, links the identifiers of the other."""

    def __init__(self, executor: Executor, identification: Identification, clock: Clock) -> None:
        self._executor = executor
        self._identification = identification
        self._clock = clock

    async def tell(self, envelope: InboundEnvelope, message: Merge) -> bool:
        """Tell both records; False where neither is known.

        Whose record survives is the sender's choice, unless only the prior has one.
        """
        survivor = await self._identification.owner(message.person.identifiers)
        prior = await self._identification.owner(message.prior)
        whose = survivor or prior
        if whose is None:
            return False
        if survivor is None or prior is None or survivor == prior:
            await self._link(envelope, (*message.person.identifiers, *message.prior), whose, "link")
        elif await self._is_the_senders(message):
            await self._link(envelope, message.person.identifiers, survivor, "link-survivor")
            await self._link(envelope, message.prior, prior, "link-prior")
            await self._merge(envelope, prior, survivor)
        else:
            await self._ask(review(envelope, prior, survivor, self._clock()))
        return True

    async def _is_the_senders(self, message: Merge) -> bool:
        """Tell whether both numbers are the sender's own: those that it was the first to tell us of."""
        told_by = self._identification.is_told_by
        is_survivors = await told_by(message.source, message.person.identifiers)
        return is_survivors and await told_by(message.source, message.prior)

    async def _merge(self, envelope: InboundEnvelope, prior: UUID, survivor: UUID) -> None:
        command = merge(envelope, prior, survivor, self._clock())
        await self._ask(await self._identification.aliases.with_line(command))
        # The policy on the merge does so, too; the next message may already continue what the prior was told.
        await self._ask(prior_link(envelope, prior, survivor, command.now))

    async def _link(
        self, envelope: InboundEnvelope, identifiers: tuple[Identifier, ...], whose: UUID, name: str
    ) -> None:
        """Give the person the identifiers that nobody has."""
        now = self._clock()
        owned = await self._identification.claim_free(envelope, identifiers, whose, now)
        await self._ask(registration(envelope, whose, owned, now, name=name))

    async def _ask(self, command: ParticipantCommand) -> None:
        await carry_out(self._executor, participants.DECIDER, command, not_yet=LATER)
