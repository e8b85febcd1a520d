"""When a sender's message is stored, its referral is received or its notice told to the record."""

import asyncio
from datetime import datetime
from typing import Final

import msgspec

from services.intake.deciders import participant as participants
from services.intake.deciders import referral as referrals
from services.intake.held import Held
from services.intake.identification import Identification
from services.intake.inbound import notices, receipt, registration
from shared.eventlog.clock import Clock
from shared.eventlog.execute import Executor
from shared.eventlog.log import Log
from shared.eventlog.policies import Delivery, carry_out
from shared.events.inbound import InboundEnvelope, Referral

_DECODER: Final = msgspec.json.Decoder(InboundEnvelope)


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

    async def __call__(self, delivery: Delivery) -> None:
        """Handle one message; what it asks for is in the log, or held, when this returns."""
        envelope = _DECODER.decode(delivery.payload)
        if isinstance(envelope.data, Referral):
            await self._receive(envelope, envelope.data)
        else:
            await self._notice(envelope, delivery.sequence)

    async def _receive(self, envelope: InboundEnvelope, message: Referral) -> None:
        now = self._clock()
        identified = await self._identification.identify(envelope, now)
        register = registration(envelope, identified.participant, message.person.identifiers, now)
        placed, _ = await asyncio.gather(
            self._identification.place(envelope, message, identified.participant, now),
            carry_out(self._executor, participants.DECIDER, register, expect_new=identified.is_new),
        )
        received = receipt(envelope, message, placed.participant, placed.referral, now)
        await carry_out(self._executor, referrals.DECIDER, received, expect_new=placed.is_new)
        await self._release(self._identification.keys(message.person.identifiers))

    async def _notice(self, envelope: InboundEnvelope, sequence: int) -> None:
        identifiers = envelope.data.person.identifiers
        if await self._tell(envelope):
            return
        keys = self._identification.keys(identifiers)
        await self._held.hold(keys, sequence)
        # Had a referral claimed an identifier between our look and our holding, nobody else would release it.
        if await self._identification.owner(identifiers) is not None:
            await self._release(keys)

    async def _tell(self, envelope: InboundEnvelope) -> bool:
        owner = await self._identification.owner(envelope.data.person.identifiers)
        if owner is None:
            return False
        now: datetime = self._clock()
        for command in notices(envelope, owner, now):
            # Between the claim of an identifier and the registration, the record is not there yet.
            await carry_out(self._executor, participants.DECIDER, command, not_yet={"participant-unknown"})
        return True

    async def _release(self, keys: list[str]) -> None:
        """Tell what was held about the person; a notice is handled as if it came now, its time kept."""
        for sequence in await self._held.sequences(keys):
            stored = await self._log.get("INBOUND", sequence)
            if stored is None:
                await self._held.release(
                    keys, sequence
                )  # INBOUND keeps longer than HELD: somebody deleted it
                continue
            envelope = _DECODER.decode(stored.payload)
            if await self._tell(envelope):
                await self._held.release(
                    self._identification.keys(envelope.data.person.identifiers), sequence
                )
