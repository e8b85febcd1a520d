"""Tells a sender's Consent to the participant's record of consents: granted, or taken back."""

from datetime import datetime
from typing import Final
from uuid import UUID

from services.intake.deciders import consent as consents
from services.intake.identification import Identification
from services.intake.inbound import context_of, reference_of
from shared.commands.consent import ConsentCommand, GrantConsent, RevokeConsent
from shared.commands.decision import derived, refused
from shared.eventlog.clock import Clock
from shared.eventlog.errors import PolicyRefusedError
from shared.eventlog.execute import Executor
from shared.eventlog.policies import carry_out
from shared.eventlog.subjects import EntityKey, partition_of
from shared.events.inbound import ConsentNotice, InboundEnvelope

_LATER: Final = frozenset({"consent-unknown"})  # it may have overtaken the one that it takes back
_OF_ANOTHER: Final = refused(
    "consent-of-another-sender",
    "This sender told us of none of the person's identifiers, or the consent is another sender's or the"
    " program's own: a coordinator has to look.",
)


class Consents:
    """Finds whose consent it is, in which of the person's records, and asks it to take note."""

    def __init__(self, executor: Executor, identification: Identification, clock: Clock) -> None:
        self._executor = executor
        self._identification = identification
        self._clock = clock

    async def tell(self, envelope: InboundEnvelope, message: ConsentNotice) -> bool:
        """Tell it; False where nobody is known by the identifiers.

        A sender speaks for people of whom it told us: another one's number of a person is not enough to have
        that person's records disclosed. Raises PolicyRefusedError, and NotYetError.
        """
        named = message.person.identifiers
        owner = await self._identification.owner(named)
        if owner is None:
            return False
        if not await self._identification.is_told_by(message.source, named):
            raise PolicyRefusedError(_OF_ANOTHER)
        consent = self._id(envelope, message)
        record = await self._record(owner, consent, message.source)
        command = _command(envelope, message, record, consent, self._clock())
        await carry_out(self._executor, consents.DECIDER, command, not_yet=_LATER)
        return True

    def _id(self, envelope: InboundEnvelope, message: ConsentNotice) -> UUID:
        if message.number is not None:
            return self._identification.consent_id(message.source, message.number)
        return message.consent or derived(envelope.id, "consent")

    async def _record(self, owner: UUID, consent: UUID, source: str) -> UUID:
        """Return which of the person's records holds the consent: it may be from before a merge."""
        for record in await self._identification.aliases.records(owner):
            held = (await self._state(record)).consents.get(consent)
            if held is not None:
                if held.message is None or held.message.source != source:
                    raise PolicyRefusedError(_OF_ANOTHER)
                return record
        return owner

    async def _state(self, record: UUID) -> consents.State:
        partition = partition_of(str(record), self._identification.partitions)
        key = EntityKey(partition, "consent", str(record))
        return (await self._executor.entity(consents.DECIDER, key, fresh=True)).state


def _command(
    envelope: InboundEnvelope, message: ConsentNotice, participant: UUID, consent: UUID, now: datetime
) -> ConsentCommand:
    id_ = derived(envelope.id, "consent-notice")
    reference = reference_of(envelope)
    common = context_of(envelope, now)
    if message.status == "inactive":
        return RevokeConsent(
            id=id_,
            participant=participant,
            consent=consent,
            reason=message.reason,
            message=reference,
            **common,
        )
    return GrantConsent(
        id=id_,
        participant=participant,
        consent=consent,
        recipients=message.recipients,
        classes=message.classes,
        for_purpose=message.purpose,
        scope=message.scope,
        starts=message.starts,
        expires=message.expires,
        part2=message.part2,
        counselling_notes=message.counselling_notes,
        identifier=message.number,
        message=reference,
        **common,
    )
