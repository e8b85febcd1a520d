"""Notices about people nobody has referred: held, in no log, and told in order when a referral comes."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from uuid import UUID

import msgspec
import pytest
from nats.aio.client import Client

from services.intake.held import Held
from services.intake.identification import Identification
from services.intake.policies import InboundPolicy
from shared.eventlog.clock import utc_now
from shared.eventlog.errors import PolicyRefusedError
from shared.eventlog.policies import Delivery
from shared.events.inbound import InboundEnvelope
from shared.events.registry import REGISTRY
from tests.integration.eventlog.conftest import Office
from tests.integration.eventlog.stories import (
    NOW,
    discharge,
    discharge_cancelled,
    mrn,
    referral,
    subject_of,
)

A, B, C = mrn("A"), mrn("B"), mrn("C")


class HeldWithPause(Held):
    """Lets something happen just before a notice is held."""

    before: Callable[[], Awaitable[object]] | None = None

    async def hold(self, keys: Iterable[str], sequence: int) -> None:
        if self.before is not None:
            pause, self.before = self.before, None
            await pause()
        await super().hold(keys, sequence)


@dataclass
class Desk:
    """Intake's policy on messages, given them by hand: one at a time, in the order of the test."""

    office: Office
    held: HeldWithPause
    identification: Identification
    policy: InboundPolicy
    stored: dict[UUID, int] = field(default_factory=dict[UUID, int])

    async def store(self, envelope: InboundEnvelope) -> Delivery:
        payload = msgspec.json.encode(envelope)
        sequence = await self.office.log.publish(
            subject_of(envelope), payload, {"Nats-Msg-Id": str(envelope.id)}
        )
        return Delivery(
            stream="INBOUND",
            sequence=sequence,
            subject=subject_of(envelope),
            payload=payload,
            recorded_at=NOW,
        )

    async def handle(self, *envelopes: InboundEnvelope) -> None:
        for envelope in envelopes:
            await self.policy(await self.store(envelope))

    async def handle_elsewhere(self, envelope: InboundEnvelope) -> None:
        """As another process does: here, what is about one person waits for its turn."""
        policy = InboundPolicy(
            self.office.executor, self.identification, Held(self.office.log), self.office.log, utc_now
        )
        await policy(await self.store(envelope))

    async def told(self) -> list[str]:
        """What participants' records tell, but for the registrations."""
        stored = [message async for message in self.office.log.tail("CARE_0", "care.0.participant.>", 0)]
        names = [REGISTRY.decode(message.payload).type.rpartition(".")[2] for message in stored]
        return [name for name in names if name not in {"ParticipantRegistered", "IdentifierLinked"}]

    async def is_held(self) -> bool:
        return await self.office.log.next("KV_HELD", "$KV.HELD.>", 1) is not None

    async def log_is_empty(self) -> bool:
        return await self.office.log.next("CARE_0", "care.>", 1) is None


@pytest.fixture
def desk(office: Office, nats: Client) -> Desk:
    identification = Identification(office.executor, office.settings)
    held = HeldWithPause(office.log)
    policy = InboundPolicy(office.executor, identification, held, office.log, utc_now)
    return Desk(office, held, identification, policy)


async def test_a_notice_about_somebody_unknown_is_held_and_in_no_log(desk: Desk):
    await desk.handle(discharge("1", A))
    assert await desk.is_held()
    assert await desk.log_is_empty()


async def test_no_identifier_stands_in_the_subject_of_what_is_held(desk: Desk):
    await desk.handle(discharge("1", mrn("MRN4711")))
    entry = await desk.office.log.next("KV_HELD", "$KV.HELD.>", 1)
    assert entry is not None
    assert "4711" not in entry.subject
    assert b"4711" not in entry.payload


async def test_what_is_held_is_told_in_the_order_in_which_it_came_when_the_referral_comes(desk: Desk):
    await desk.handle(discharge("1", A), discharge_cancelled("1", A), discharge("2", A), referral("1", A))
    assert await desk.told() == ["DischargeNotified", "DischargeCancelled", "DischargeNotified"]
    assert not await desk.is_held()


async def test_a_referral_finds_what_is_held_by_any_of_its_identifiers(desk: Desk):
    await desk.handle(discharge("1", B), discharge("2", C, B), referral("1", A, B))
    assert await desk.told() == ["DischargeNotified", "DischargeNotified"]


async def test_a_later_referral_that_adds_an_identifier_finds_what_is_held_by_it(desk: Desk):
    await desk.handle(referral("1", A), discharge("1", B), referral("2", A, B))
    assert await desk.told() == ["DischargeNotified"]
    assert not await desk.is_held()


async def test_what_is_held_about_somebody_else_stays(desk: Desk):
    await desk.handle(discharge("1", A), discharge("2", B), referral("1", A))
    assert await desk.told() == ["DischargeNotified"]
    assert await desk.is_held()


async def test_the_same_notice_or_referral_again_tells_nothing_more(desk: Desk):
    notice, asked = discharge("1", A), referral("1", A)
    await desk.handle(notice, notice, asked, asked, notice)
    assert await desk.told() == ["DischargeNotified"]
    assert not await desk.is_held()


async def test_a_notice_that_was_looked_up_just_before_the_referral_came_is_not_forgotten(desk: Desk):
    desk.held.before = lambda: desk.handle_elsewhere(referral("1", A))
    await desk.handle(discharge("1", A))
    assert await desk.told() == ["DischargeNotified"]
    assert not await desk.is_held()


async def test_a_notice_that_meets_a_referral_half_done_does_not_throw_away_what_else_is_held(desk: Desk):
    """The referral has claimed the identifier and not looked at what is held yet."""
    asked = referral("1", A)
    await desk.handle(discharge("1", A))
    desk.held.before = lambda: desk.identification.identify(asked, NOW)
    await desk.handle(discharge("2", A))
    await desk.handle(asked)
    assert sorted(await desk.told()) == ["DischargeNotified", "DischargeNotified"]
    assert not await desk.is_held()


async def test_a_notice_held_while_others_are_being_told_stays_held(desk: Desk):
    """Its own second look, which is yet to come, finds the participant."""
    keys = desk.identification.keys([A])
    first = await desk.store(discharge("1", A))
    await desk.policy(first)
    await desk.held.hold(keys, first.sequence + 7)
    await desk.held.release(keys, first.sequence)
    assert await desk.held.sequences(keys) == [first.sequence + 7]


async def test_identifiers_that_name_two_participants_are_refused_and_nothing_is_told(desk: Desk):
    await desk.handle(referral("1", A), referral("2", B))
    before = await desk.office.log.next("CARE_0", "care.>", 1)
    for disagreeing in (discharge("1", A, B), referral("3", A, B)):
        with pytest.raises(PolicyRefusedError, match="identifiers-disagree"):
            await desk.handle(disagreeing)
    assert before == await desk.office.log.next("CARE_0", "care.>", 1)
    assert not await desk.is_held()


async def test_a_notice_that_was_told_by_one_identifier_is_not_told_by_its_other_to_somebody_else(desk: Desk):
    await desk.handle(discharge("1", A, B), referral("1", A))
    assert await desk.told() == ["DischargeNotified"]
    assert not await desk.is_held()
    await desk.handle(referral("2", B))
    assert await desk.told() == ["DischargeNotified"]
