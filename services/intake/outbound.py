"""When a referral moves, its sender is owed the news: a CloudEvent on `outbound.<source>.status`.

It always gets the status, for it sent the referral; what we say with it, only under the participant's consent
(ADR 9).
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from services.intake.deciders import referral
from services.intake.disclosing import Disclosing
from shared.commands.decision import derived
from shared.disclosure import NOTICE
from shared.eventlog.errors import NotYetError, TooLargeError
from shared.eventlog.execute import Executor
from shared.eventlog.log import Log, StoredMessage
from shared.eventlog.policies import Delivery
from shared.eventlog.subjects import EntityKey, parse_subject
from shared.events.base import EventData
from shared.events.envelope import Event
from shared.events.outbound import STATUS_TYPE, OutboundEnvelope, ReferralStatus
from shared.events.referral import (
    InformationRequested,
    IntakeAppointmentCancelled,
    ReferralCancellationRefused,
    ReferralDeclined,
    ReferralInterimNoteSent,
    ReferralOutcomeSent,
    ReferralReceived,
    ReferralStatusDelivered,
    Waitlisted,
)
from shared.events.registry import REGISTRY

_TRIES_IN_ORDER: Final = 8  # a quarter of a minute; then the later one is told all the same
_MOST_REMEMBERED: Final = 10_000


def consumer_of(partition: int) -> str:
    """Return the durable consumer whose messages the policy handles."""
    return f"intake-{partition}"


class OutboundPolicy:
    """Handles every event of a referral, in order also where several processes share the consumer.

    Another process may still have, or have died with, what happened to the referral before: that is told here
    first. OUTBOUND leaves out what it was given twice.
    """

    def __init__(self, executor: Executor, log: Log, disclosing: Disclosing) -> None:
        self._executor = executor
        self._log = log
        self._disclosing = disclosing
        self._told: dict[str, int] = {}  # by a referral's subject, the last event told by this process

    async def __call__(self, delivery: Delivery) -> None:
        """Publish where the referral is after this event, to whoever sent it by message."""
        event = REGISTRY.decode(delivery.payload)
        if isinstance(event.data, ReferralStatusDelivered):
            return  # that a sender was told is no news to it
        key = parse_subject(delivery.subject)
        if not isinstance(event.data, ReferralReceived):
            await self._tell_before(delivery, key)
        await self._tell(event, key, delivery.sequence)
        self._remember(delivery)

    async def _tell_before(self, delivery: Delivery, key: EntityKey) -> None:
        """Tell what happened to the referral before, unless it is known to be told or parked."""
        try:
            for earlier in await self._perhaps_untold(delivery, key):
                event = REGISTRY.decode(earlier.payload)
                if not isinstance(event.data, ReferralStatusDelivered):
                    await self._tell(event, key, earlier.sequence)
        except (NotYetError, TooLargeError) as error:
            if delivery.number < _TRIES_IN_ORDER:
                sentence = "What happened to the referral before cannot be told yet."
                raise NotYetError(sentence, tries=_TRIES_IN_ORDER) from error

    async def _perhaps_untold(self, delivery: Delivery, key: EntityKey) -> Sequence[StoredMessage]:
        told = self._told.get(delivery.subject, 0)
        first = await self._log.next(delivery.stream, delivery.subject, told + 1)
        if first is None or first.sequence >= delivery.sequence:
            return ()
        handled = await self._log.handled(delivery.stream, consumer_of(key.partition))
        found: list[StoredMessage] = []
        async for each in self._log.tail(delivery.stream, delivery.subject, max(told, handled)):
            if each.sequence >= delivery.sequence:
                break
            found.append(each)
        return found

    async def _tell(self, event: Event, key: EntityKey, sequence: int) -> None:
        state = await self._state_at(key, sequence)
        if state.asked is None or state.asked.message is None:
            return
        sender, words = state.asked.message.source, _said(event.data)
        id_, referral_id = derived(event.id, "outbound-status"), UUID(key.entity)
        is_told = bool(words) and await self._disclosing.may_be_told(event, referral_id, sender, id_)
        status = OutboundEnvelope(
            specversion="1.0",
            id=id_,
            source="/throughcare/intake",
            type=STATUS_TYPE,
            time=event.time,
            datacontenttype="application/json",
            inboundsequence=state.asked.message.inbound_seq,
            data=ReferralStatus(
                referral=referral_id,
                participant=event.subject,
                placer=state.asked.placer,
                status=state.status,
                because=event.type,
                at=event.time,
                reason=words if is_told else None,
                notice=NOTICE if is_told else None,
                withheld=bool(words) and not is_told,
            ),
        )
        subject = f"outbound.{sender}.status"
        await self._log.publish(subject, msgspec.json.encode(status), {"Nats-Msg-Id": str(status.id)})

    def _remember(self, delivery: Delivery) -> None:
        last = max(self._told.pop(delivery.subject, 0), delivery.sequence)
        self._told[delivery.subject] = last
        if len(self._told) > _MOST_REMEMBERED:
            del self._told[next(iter(self._told))]

    async def _state_at(self, key: EntityKey, sequence: int) -> referral.State:
        """Return the referral as of the event: it may have moved on since."""
        entity = await self._executor.entity(referral.DECIDER, key)
        if entity.sequence == sequence:
            return entity.state
        state = referral.DECIDER.initial
        async for message in self._log.tail(key.stream, key.subject, 0):
            if message.sequence > sequence:
                break
            state = referral.evolve(state, REGISTRY.decode(message.payload).data)
        return state


def _said(event: EventData) -> str | None:
    """Return the words that are meant for the sender."""
    match event:
        case ReferralDeclined(reason_code=words) | InformationRequested(what=words):
            return words
        case (
            ReferralCancellationRefused(reason=words)
            | IntakeAppointmentCancelled(reason=words)
            | Waitlisted(reason=words)
        ):
            return words
        case ReferralInterimNoteSent(note=words) | ReferralOutcomeSent(outcome=words):
            return words
        case _:
            return None
