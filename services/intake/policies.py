"""When a sender's message is stored, its referral is received or its notice told to the record."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from services.intake.deciders import referral as referrals
from services.intake.held import Held
from services.intake.identification import Identification, Identified
from services.intake.inbound import AboutReferral, receipt, registration
from services.intake.telling import Telling
from shared import metrics
from shared.commands.decision import derived, refused
from shared.eventlog.clock import Clock
from shared.eventlog.errors import NotYetError, PolicyRefusedError
from shared.eventlog.execute import Executor
from shared.eventlog.log import Log, StoredMessage
from shared.eventlog.parking import Parked, Parking
from shared.eventlog.policies import Delivery, carry_out
from shared.eventlog.turns import Turns
from shared.events.base import Identifier
from shared.events.inbound import InboundEnvelope, Merge, Referral, ResultReport
from shared.events.received import received
from shared.identifiers import folded

_STREAM: Final = "INBOUND"
_CONSUMER: Final = "intake"

# An I13 that overtook its referral meets it within seconds. Then a person sees it, and it is told by itself
# when the referral comes: to try for longer would fill the consumer, which counts what waits for another try.
_TRIES_FOR_A_REFERRAL: Final = 5


class InboundPolicy:
    """Handles every message of INBOUND."""

    def __init__(
        self, executor: Executor, identification: Identification, held: Held, log: Log, clock: Clock
    ) -> None:
        self._executor = executor
        self._identification = identification
        self._telling = Telling(executor, identification, clock)
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
        envelope = received(delivery.payload)
        async with self._turns.of(_about(envelope)):
            await self._handle(envelope, delivery)

    async def _handle(self, envelope: InboundEnvelope, delivery: Delivery) -> None:
        match envelope.data:
            case Referral() as message:
                await self._receive(envelope, message, delivery.sequence)
            case message if isinstance(message, AboutReferral):
                await self._follow_up(envelope, delivery.sequence)
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
            self._telling.ask(register, expect_new=identified.is_new),
        )
        if not placed.is_new:
            await self._identification.expect_owner(placed, identified.participant)
        receive = receipt(envelope, message, placed.participant, placed.referral, now, sequence=sequence)
        await carry_out(self._executor, referrals.DECIDER, receive, expect_new=placed.is_new)
        await self._release(_held_under(envelope, self._identification))

    async def _whose(self, envelope: InboundEnvelope, message: Referral, now: datetime) -> Identified:
        """Return whose referral it is; of somebody without any identifier, by the referral's own number."""
        if message.person.identifiers:
            return await self._identification.identify(envelope, now)
        participant = derived(envelope.id, "participant")
        placed = await self._identification.place(envelope, message, participant, now)
        return Identified(await self._identification.aliases.survivor(placed.participant), placed.is_new)

    async def _follow_up(self, envelope: InboundEnvelope, sequence: int) -> None:
        """Ask of a referral what its initiator asks; where it has not come, hold it until it does."""
        keys = _held_under(envelope, self._identification)
        if not await self._telling.tell(envelope):
            await self._held.hold(keys, sequence)
            # Had the referral come between our look and our holding, nobody else would release it.
            if not await self._telling.tell(envelope):
                sentence = "referral-unknown: No referral of this sender has this number."
                raise NotYetError(sentence, tries=_TRIES_FOR_A_REFERRAL)
        await self._held.release(keys, sequence)

    async def _notice(self, envelope: InboundEnvelope, sequence: int) -> None:
        identifiers = _named_in(envelope)
        if not identifiers:
            raise PolicyRefusedError(refused("person-unnamed", "The message names nobody by an identifier."))
        keys = self._identification.keys(identifiers)
        if await self._telling.tell(envelope):
            if isinstance(envelope.data, Merge):
                await self._release(keys)
            return
        await self._held.hold(keys, sequence)
        # Had a referral claimed an identifier between our look and our holding, nobody else would release it.
        if await self._is_known(identifiers):
            await self._release(keys)

    async def _is_known(self, identifiers: Sequence[Identifier]) -> bool:
        """Tell whether any identifier names somebody; those of a merge may name two."""
        owners = [await self._identification.owner([each]) for each in identifiers]
        return any(owner is not None for owner in owners)

    async def _release(self, keys: Sequence[str], telling: frozenset[int] = frozenset()) -> None:
        """Tell what was held under the keys; a message is handled as if it came now, its time kept.

        A merge that was held makes more identifiers known, and what is held under those is told, too.
        """
        for sequence in await self._held.sequences(keys):
            if sequence in telling:
                continue
            stored = await self._log.get(_STREAM, sequence)
            if stored is None:  # INBOUND keeps longer than HELD: somebody deleted it
                await self._held.release(keys, sequence)
                continue
            envelope = received(stored.payload)
            if await self._tell_or_park(envelope, stored):
                held_under = _held_under(envelope, self._identification)
                if isinstance(envelope.data, Merge):
                    await self._release(held_under, telling | {sequence})
                await self._held.release(held_under, sequence)

    async def _tell_or_park(self, envelope: InboundEnvelope, stored: StoredMessage) -> bool:
        """Tell what was held; what is refused is parked on its own, for whoever released it is in order."""
        try:
            if not await self._telling.tell(envelope):
                return False
        except PolicyRefusedError as error:
            await self._park(stored, str(error))
            return True
        if isinstance(envelope.data, AboutReferral):  # it may have waited so long that a person sees it
            await self._parking.forget("intake", _CONSUMER, _STREAM, stored.sequence)
        return True

    async def _park(self, stored: StoredMessage, reason: str) -> None:
        await self._parking.park(
            Parked(
                service="intake",
                consumer=_CONSUMER,
                stream=_STREAM,
                sequence=stored.sequence,
                subject=stored.subject,
                reason=reason,
                deliveries=1,
                parked_at=self._clock(),
            )
        )


def _held_under(envelope: InboundEnvelope, identification: Identification) -> list[str]:
    """Return the keys that a message waits under: of the person; of somebody unnamed, of the referral."""
    named = _named_in(envelope)
    if not named and isinstance(envelope.data, Referral | AboutReferral):
        return [identification.placer_key(envelope.data.placer)]
    return identification.keys(named)


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
