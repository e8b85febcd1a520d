"""When a sender's message is stored, its referral is received or its notice told to the record."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from services.intake.deciders import participant as participants
from services.intake.deciders import referral as referrals
from services.intake.deciders.encounter import Notice
from services.intake.held import Held
from services.intake.identification import Identification, Identified
from services.intake.inbound import AboutReferral, about_referral, merge, prior_link, receipt, registration
from services.intake.notices import Told, notices
from shared import metrics
from shared.commands.decision import derived, refused
from shared.commands.intake import ParticipantCommand
from shared.eventlog.clock import Clock
from shared.eventlog.errors import NotYetError, PolicyRefusedError
from shared.eventlog.execute import Executor
from shared.eventlog.log import Log, StoredMessage
from shared.eventlog.parking import Parked, Parking
from shared.eventlog.policies import Delivery, carry_out
from shared.eventlog.turns import Turns
from shared.events.base import Identifier
from shared.events.inbound import (
    Amendment,
    Cancellation,
    InboundEnvelope,
    Information,
    Merge,
    Referral,
    ResultReport,
)
from shared.events.received import received
from shared.identifiers import folded

_STREAM: Final = "INBOUND"

# Between a claim and its registration there is no record; a merge may be newer than what we looked at.
_LATER: Final = frozenset({"participant-unknown", "merged", "survivor-unknown", "merge-cycle"})


class InboundPolicy:
    """Handles every message of INBOUND."""

    def __init__(
        self, executor: Executor, identification: Identification, held: Held, log: Log, clock: Clock
    ) -> None:
        self._executor = executor
        self._identification = identification
        self._held = held
        self._log = log
        self._clock = clock
        self._parking = Parking(log)
        self._turns = Turns()

    async def __call__(self, delivery: Delivery) -> None:
        """Handle one message; what it asks for is in the log, or held, when this returns.

        Those about one person go one after the other: an A13 sent right after its A03 finds it. Nothing is
        awaited before the turn is asked for, so that it is the order of INBOUND.
        """
        envelope = received(delivery.subject, delivery.payload)
        async with self._turns.of(_about(envelope)):
            await self._handle(envelope, delivery)

    async def _handle(self, envelope: InboundEnvelope, delivery: Delivery) -> None:
        match envelope.data:
            case Referral() as message:
                await self._receive(envelope, message, delivery.sequence)
            case Amendment() | Cancellation() | Information() as message:
                await self._follow_up(envelope, message)
            case ResultReport():
                metrics.RESULTS_KEPT.inc()
            case _:
                await self._notice(envelope, delivery.sequence)

    async def _receive(self, envelope: InboundEnvelope, message: Referral, sequence: int) -> None:
        now = self._clock()
        identified = await self._whose(envelope, message, now)
        register = registration(envelope, identified.participant, message.person.identifiers, now)
        placed, _ = await asyncio.gather(
            self._identification.place(envelope, message, identified.participant, now),
            self._ask(register, expect_new=identified.is_new),
        )
        # An answer names the person as the sender did, and so has to find the message; none is owed before.
        await self._log.publish(f"$KV.REFERRERS.{placed.referral}", str(sequence).encode(), {})
        received = receipt(envelope, message, placed.participant, placed.referral, now)
        await carry_out(self._executor, referrals.DECIDER, received, expect_new=placed.is_new)
        await self._release(message.person.identifiers)

    async def _whose(self, envelope: InboundEnvelope, message: Referral, now: datetime) -> Identified:
        """Return whose referral it is; of somebody without any identifier, by the referral's own number."""
        if message.person.identifiers:
            return await self._identification.identify(envelope, now)
        participant = derived(envelope.id, "participant")
        placed = await self._identification.place(envelope, message, participant, now)
        return Identified(await self._identification.aliases.survivor(placed.participant), placed.is_new)

    async def _follow_up(self, envelope: InboundEnvelope, message: AboutReferral) -> None:
        """Ask of a referral what its initiator asks; one that has not come yet is waited for."""
        placed = await self._identification.placed(message.placer)
        if placed is None:
            raise NotYetError("referral-unknown: No referral of this sender has this number.")
        command = about_referral(envelope, message, placed.participant, placed.referral, self._clock())
        await carry_out(self._executor, referrals.DECIDER, command, not_yet={"referral-unknown"})

    async def _notice(self, envelope: InboundEnvelope, sequence: int) -> None:
        identifiers = _named_in(envelope)
        if not identifiers:
            raise PolicyRefusedError(refused("person-unnamed", "The message names nobody by an identifier."))
        if await self._tell(envelope):
            if isinstance(envelope.data, Merge):
                await self._release(identifiers)
            return
        await self._held.hold(self._identification.keys(identifiers), sequence)
        # Had a referral claimed an identifier between our look and our holding, nobody else would release it.
        if await self._is_known(identifiers):
            await self._release(identifiers)

    async def _is_known(self, identifiers: Sequence[Identifier]) -> bool:
        """Tell whether any identifier names somebody; those of a merge may name two."""
        owners = [await self._identification.owner([each]) for each in identifiers]
        return any(owner is not None for owner in owners)

    async def _tell(self, envelope: InboundEnvelope) -> bool:
        """Tell the person's record, or merge two; False where nobody is known by the identifiers."""
        message = envelope.data
        if isinstance(message, Merge):
            return await self._merge(envelope, message)
        if not isinstance(message, Told):
            raise TypeError(type(message))
        owner = await self._identification.owner(message.person.identifiers)
        if owner is None:
            return False
        for command in notices(envelope, message, owner, self._clock()):
            await self._ask(command)
        return True

    async def _merge(self, envelope: InboundEnvelope, message: Merge) -> bool:
        """Merge two whom we know; of one whom we know, link the identifiers of the other.

        Whose record survives is the sender's choice, unless only the prior has one.
        """
        survivor = await self._identification.owner(message.person.identifiers)
        prior = await self._identification.owner(message.prior)
        whose = survivor or prior
        if whose is None:
            return False
        if survivor is None or prior is None or survivor == prior:
            await self._link(envelope, (*message.person.identifiers, *message.prior), whose, "link")
            return True
        await self._link(envelope, message.person.identifiers, survivor, "link-survivor")
        await self._link(envelope, message.prior, prior, "link-prior")
        command = merge(envelope, prior, survivor, self._clock())
        await self._ask(await self._identification.aliases.with_line(command))
        # The policy on the merge does so, too; the next message may already continue what the prior was told.
        await self._ask(prior_link(envelope, prior, survivor, command.now))
        return True

    async def _link(
        self, envelope: InboundEnvelope, identifiers: tuple[Identifier, ...], whose: UUID, name: str
    ) -> None:
        """Give the person the identifiers that nobody has."""
        now = self._clock()
        owned = await self._identification.claim_free(envelope, identifiers, whose, now)
        await self._ask(registration(envelope, whose, owned, now, name=name))

    async def _ask(self, command: ParticipantCommand, *, expect_new: bool = False) -> None:
        if isinstance(command, Notice):
            command = await self._identification.aliases.record_for(command)
        await carry_out(self._executor, participants.DECIDER, command, expect_new=expect_new, not_yet=_LATER)

    async def _release(
        self, identifiers: Sequence[Identifier], telling: frozenset[int] = frozenset()
    ) -> None:
        """Tell what was held about the person; a notice is handled as if it came now, its time kept.

        A merge that was held makes more identifiers known, and what is held under those is told, too.
        """
        keys = self._identification.keys(identifiers)
        for sequence in await self._held.sequences(keys):
            if sequence in telling:
                continue
            stored = await self._log.get(_STREAM, sequence)
            if stored is None:  # INBOUND keeps longer than HELD: somebody deleted it
                await self._held.release(keys, sequence)
                continue
            envelope = received(stored.subject, stored.payload)
            named = _named_in(envelope)
            if await self._tell_or_park(envelope, stored):
                if isinstance(envelope.data, Merge):
                    await self._release(named, telling | {sequence})
                await self._held.release(self._identification.keys(named), sequence)

    async def _tell_or_park(self, envelope: InboundEnvelope, stored: StoredMessage) -> bool:
        """Tell what was held; what is refused is parked on its own, for whoever released it is in order."""
        try:
            return await self._tell(envelope)
        except PolicyRefusedError as error:
            await self._parking.park(
                Parked(
                    service="intake",
                    consumer="intake",
                    stream=_STREAM,
                    sequence=stored.sequence,
                    subject=stored.subject,
                    reason=str(error),
                    deliveries=1,
                    parked_at=self._clock(),
                )
            )
            return True


def _about(envelope: InboundEnvelope) -> set[tuple[str, ...]]:
    """Return what a message shares with others about the same person, or the same referral."""
    people = {folded(each) for each in _named_in(envelope)}
    if isinstance(envelope.data, Referral | AboutReferral):
        return {*people, ("placer", *folded(envelope.data.placer))}
    return people


def _named_in(envelope: InboundEnvelope) -> tuple[Identifier, ...]:
    """Return every identifier of a person in the message."""
    message = envelope.data
    prior = message.prior if isinstance(message, Merge) else ()
    return (*message.person.identifiers, *prior)
