"""Finds out whom a message is about: the exact identifier wins, and the first to claim one keeps it."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from msgspec import Struct

from services.intake.aliases import Aliases, one_of
from services.intake.deciders import identity
from services.intake.inbound import context_of
from shared.commands.decision import Refused, derived, refused
from shared.commands.intake import ClaimIdentifier
from shared.commands.reply import Appended
from shared.eventlog.errors import NotYetError, PolicyRefusedError
from shared.eventlog.execute import Executor
from shared.eventlog.subjects import EntityKey, partition_of
from shared.events.base import Identifier
from shared.events.inbound import InboundEnvelope, Referral
from shared.identifiers import consent_id, identity_key, placer_key, referral_id
from shared.settings import Settings

_DISAGREE: Final = refused("identifiers-disagree", "The message's identifiers name different participants.")
_OF_ANOTHER: Final = refused(
    "referral-of-another", "The referral's number is that of another participant's referral."
)


class Placed(NamedTuple):
    """The referral that a placer's number names, and whose it is."""

    participant: UUID
    referral: UUID
    is_new: bool


class Identified(Struct, frozen=True):
    """The participant, and whether this message is the first to name them."""

    participant: UUID
    is_new: bool


class Identification:
    """Looks identifiers up and claims them; whoever is found is followed to their survivor."""

    def __init__(self, executor: Executor, settings: Settings) -> None:
        self._executor = executor
        self._secret = settings.identifier_key
        self.partitions = settings.partitions
        self.aliases = Aliases(executor, settings)

    def placer_key(self, placer: Identifier) -> str:
        """Return the keyed hash that stands for a placer's number."""
        return placer_key(placer, self._secret)

    def consent_id(self, source: str, number: Identifier) -> UUID:
        """Return the id of the consent that a sender knows by this number."""
        return consent_id(source, number, self._secret)

    def keys(self, identifiers: Sequence[Identifier]) -> list[str]:
        """Return the keyed hashes that stand for the identifiers."""
        return [identity_key(identifier, self._secret) for identifier in identifiers]

    async def owner(self, identifiers: Sequence[Identifier]) -> UUID | None:
        """Return the participant that any of the identifiers names, or None.

        Raises PolicyRefusedError where they name different ones: a person must look at that.
        """
        return await self._one_owner(await self._claims_of(identifiers))

    async def is_told_by(self, source: str, identifiers: Sequence[Identifier]) -> bool:
        """Tell whether a sender was the first to tell us of one of the identifiers that somebody has."""
        claims = await self._claims_of(identifiers)
        return any(one.participant is not None and one.source in (None, source) for one in claims)

    async def identify(self, envelope: InboundEnvelope, now: datetime) -> Identified:
        """Return the message's participant, and claim for them the identifiers that nobody has."""
        identifiers = self._in_order(envelope.data.person.identifiers)
        # The only identifier is claimed without a look: the claim itself tells whether somebody has it.
        claims = [identity.State()] if len(identifiers) == 1 else await self._claims_of(identifiers)
        known = await self._one_owner(claims)
        participant = known or derived(envelope.id, "participant")
        free = _free(identifiers, claims)
        first = 1 if known is None else 0  # who has the first of somebody new has them all: it is waited for
        for turn in (free[:first], free[first:]):
            if not await self._claim_all(envelope, turn, participant, now):
                return Identified(await self._settled(envelope, identifiers, now), is_new=False)
        return Identified(participant, known is None)

    def _in_order(self, identifiers: Sequence[Identifier]) -> list[Identifier]:
        """Sort as every other process does, so that of two messages one loses the first claim already."""
        return sorted(identifiers, key=lambda each: identity_key(each, self._secret))

    async def claim_free(
        self, envelope: InboundEnvelope, identifiers: Sequence[Identifier], participant: UUID, now: datetime
    ) -> tuple[Identifier, ...]:
        """Claim for a participant what nobody has; returns what is theirs now.

        Raises NotYetError where somebody was faster.
        """
        claims = zip(identifiers, await self._claims_of(identifiers), strict=True)
        ours = [
            (each, claim.participant) for each, claim in claims if claim.participant in (None, participant)
        ]
        free = [each for each, owner in ours if owner is None]
        if not await self._claim_all(envelope, free, participant, now):
            raise NotYetError("Another message claims an identifier at this moment.")
        return tuple(each for each, _ in ours)

    async def placed(self, placer: Identifier) -> Placed | None:
        """Return the referral that a placer's number names, and in whose record it is; None where none is."""
        state = await self._claim_of(self.placer_key(placer))
        if state.participant is None or state.referral is None:
            return None
        return Placed(state.participant, state.referral, is_new=False)

    async def expect_owner(self, placed: Placed, named: UUID | None) -> None:
        """Raise PolicyRefusedError where a message names somebody else than its referral's participant."""
        if named is not None and named != await self.aliases.survivor(placed.participant):
            raise PolicyRefusedError(_OF_ANOTHER)

    async def place(
        self, envelope: InboundEnvelope, message: Referral, participant: UUID, now: datetime
    ) -> Placed:
        """Return the referral of the message's placer number: a new one, or the one that has it."""
        placer = message.placer
        key = self.placer_key(placer)
        referral = referral_id(placer, self._secret)
        claim = ClaimIdentifier(
            id=derived(envelope.id, "claim-placer"),
            participant=participant,
            key=key,
            identifier=Identifier(placer.assigner, placer.value, "PLAC"),
            referral=referral,
            source=envelope.data.source,
            **context_of(envelope, now),
        )
        outcome = await self._executor.execute(identity.DECIDER, claim, expect_new=True)
        if isinstance(outcome, Appended):
            return Placed(participant, referral, is_new=True)
        state = await self._claim_of(key)
        if state.participant is None or state.referral is None:
            raise PolicyRefusedError(refused("placer-claimed", "The placer's number has no readable owner."))
        return Placed(state.participant, state.referral, is_new=False)

    async def _claim_all(
        self, envelope: InboundEnvelope, identifiers: Sequence[Identifier], participant: UUID, now: datetime
    ) -> bool:
        return all(
            await asyncio.gather(*(self._claim(envelope, each, participant, now) for each in identifiers))
        )

    async def _claim(
        self, envelope: InboundEnvelope, identifier: Identifier, participant: UUID, now: datetime
    ) -> bool:
        key = identity_key(identifier, self._secret)
        claim = ClaimIdentifier(
            id=derived(envelope.id, f"claim:{key}"),
            participant=participant,
            key=key,
            identifier=identifier,
            source=envelope.data.source,
            **context_of(envelope, now),
        )
        outcome = await self._executor.execute(identity.DECIDER, claim, expect_new=True)
        return not isinstance(outcome, Refused)

    async def _settled(
        self, envelope: InboundEnvelope, identifiers: Sequence[Identifier], now: datetime
    ) -> UUID:
        """Return the owner after another message claimed an identifier first; the others are theirs, too."""
        claims = await self._claims_of(identifiers)
        owner = await self._one_owner(claims)
        if owner is None:
            raise PolicyRefusedError(refused("identifier-claimed", "An identifier has no readable owner."))
        if not await self._claim_all(envelope, _free(identifiers, claims), owner, now):
            raise PolicyRefusedError(_DISAGREE)
        return owner

    async def _one_owner(self, claims: Sequence[identity.State]) -> UUID | None:
        owners = {claim.participant for claim in claims if claim.participant is not None}
        return one_of({await self.aliases.survivor(owner) for owner in owners})

    async def _claims_of(self, identifiers: Sequence[Identifier]) -> list[identity.State]:
        return await asyncio.gather(*(self._claim_of(key) for key in self.keys(identifiers)))

    async def _claim_of(self, key: str) -> identity.State:
        entity = EntityKey(partition_of(key, self.partitions), "identity", key)
        return (await self._executor.entity(identity.DECIDER, entity)).state


def _free(identifiers: Sequence[Identifier], claims: Sequence[identity.State]) -> list[Identifier]:
    return [i for i, claim in zip(identifiers, claims, strict=True) if claim.participant is None]
