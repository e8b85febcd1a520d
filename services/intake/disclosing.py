"""Decides whether a sender is told the words with its referral's status, and records what was done."""

from datetime import date, datetime
from typing import Final, TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

from services.intake.deciders import consent as consents
from shared.commands.consent import ConsentCommand, RecordDisclosure, RecordRefusedDisclosure
from shared.commands.decision import Refused, derived
from shared.disclosure import (
    Allowed,
    HeldConsent,
    RecipientClasses,
    Request,
    disclosure,
    labels_in,
    protection_of,
)
from shared.eventlog.clock import Clock
from shared.eventlog.errors import NotYetError
from shared.eventlog.execute import CONFLICT, Executor
from shared.eventlog.subjects import EntityKey, partition_of
from shared.events.consent import Means, WithheldBecause
from shared.events.envelope import Event
from shared.settings import Settings

_KIND: Final = "Task"  # by FHIR a referral's status is one
_MEANS: Final[Means] = "referral-status"
_ACTOR: Final = "policy:outbound"


class Disclosing:
    """Looks at the participant's consents as the log has them now."""

    def __init__(self, executor: Executor, settings: Settings, clock: Clock) -> None:
        """Raises ValueError where the settings tell no classes of recipients."""
        self._executor = executor
        self._partitions = settings.partitions
        self._classes = RecipientClasses(settings.recipient_classes)
        self._zone = ZoneInfo(settings.site_zone)
        self._clock = clock

    async def may_be_told(self, event: Event, referral: UUID, sender: str, outbound: UUID) -> bool:
        """Tell whether a sender is told the words of an event; by then the record of either is durable.

        Raises NotYetError where the record could not be made for now.
        """
        now = self._clock()
        asked = Request(
            recipient=self._classes.recipient(sender),
            kind=_KIND,
            protection=protection_of(labels_in(event.sensitivity)),
        )
        decision = disclosure(await self._consents(event.subject), asked, now, self._zone)
        record = _Record(event, referral, sender, outbound, now, self._zone)
        if isinstance(decision, Allowed) and await self._is_made(record.made(decision.under.consent)):
            return True
        because = "revoked" if isinstance(decision, Allowed) else decision.because
        await self._is_made(record.refused(because))
        return False

    async def _consents(self, participant: UUID) -> list[HeldConsent]:
        key = EntityKey(partition_of(str(participant), self._partitions), "consent", str(participant))
        state = (await self._executor.entity(consents.DECIDER, key, fresh=True)).state
        return [HeldConsent(terms, id in state.revoked) for id, terms in state.consents.items()]

    async def _is_made(self, command: ConsentCommand) -> bool:
        """Record it; False where the consent was revoked since it was looked at."""
        outcome = await self._executor.execute(consents.DECIDER, command)
        if isinstance(outcome, Refused) and outcome.code == CONFLICT:
            raise NotYetError(outcome.sentence)
        return not isinstance(outcome, Refused)


class _Said(TypedDict):
    """What either record says."""

    participant: UUID
    actor: str
    now: datetime
    correlation: UUID | None
    causation: UUID
    recipient: str
    kind: str
    means: Means
    day: date
    referral: UUID
    outbound: UUID


class _Record:
    """Makes the commands; the same event under the same consent is the same command."""

    def __init__(
        self, event: Event, referral: UUID, sender: str, outbound: UUID, now: datetime, zone: ZoneInfo
    ) -> None:
        self._cause = event.id
        self._said = _Said(
            participant=event.subject,
            actor=_ACTOR,
            now=now,
            correlation=event.correlationid,
            causation=event.id,
            recipient=sender,
            kind=_KIND,
            means=_MEANS,
            day=now.astimezone(zone).date(),
            referral=referral,
            outbound=outbound,
        )

    def made(self, consent: UUID) -> RecordDisclosure:
        return RecordDisclosure(
            id=derived(self._cause, f"disclosure-{consent}"), consent=consent, **self._said
        )

    def refused(self, because: WithheldBecause) -> RecordRefusedDisclosure:
        return RecordRefusedDisclosure(
            id=derived(self._cause, "disclosure-refused"), because=because, **self._said
        )
