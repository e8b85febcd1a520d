"""Messages that come more than once, or in another order than things happened."""

import asyncio
from collections import Counter
from uuid import UUID

import pytest

from shared.events.aftercare import AftercareScheduled, FollowUpSuperseded
from shared.events.encounter import (
    DeathNotified,
    DischargeCancelled,
    DischargeNotified,
    InpatientAdmissionNotified,
    ReversalUnmatched,
)
from shared.events.episode import StepDownPending
from shared.events.identity import IdentifierClaimed
from shared.events.participant import IdentifierLinked, ParticipantRegistered
from shared.events.referral import ReferralDuplicateDetected, ReferralReceived
from tests.e2e.deployment import Deployment
from tests.e2e.hospital import Patient

pytestmark = pytest.mark.timeout(120)


ABOUT_NUMBERS = (IdentifierClaimed, IdentifierLinked)


async def test_the_same_message_five_times_is_one_referral(deployment: Deployment) -> None:
    person = Patient()
    message = person.referral()
    await deployment.hospital.send([message] * 5)
    await deployment.account()
    assert await told_of(deployment, person) == {ParticipantRegistered: 1, ReferralReceived: 1}


async def test_the_same_message_five_times_at_once_is_one_referral(deployment: Deployment) -> None:
    person = Patient()
    message = person.referral()
    await asyncio.gather(*(deployment.hospital.send([message]) for _ in range(5)))
    await deployment.account()
    assert await told_of(deployment, person) == {ParticipantRegistered: 1, ReferralReceived: 1}


async def test_the_same_message_days_later_changes_nothing(deployment: Deployment) -> None:
    """The log knows a message id for two minutes only; after that the decisions know it."""
    person = Patient()
    await deployment.hospital.send([person.referral(), person.discharge()])
    await deployment.account()
    before = await told_of(deployment, person)
    for sequence in range(1, await deployment.last("INBOUND") + 1):
        stored = await deployment.log.get("INBOUND", sequence)
        assert stored is not None
        if person.number.encode() in stored.payload:
            await deployment.log.publish(stored.subject, stored.payload, {})
    await deployment.account()
    assert await told_of(deployment, person) == before


async def test_a_referral_in_five_messages_is_received_once_and_its_duplicates_are_recorded(
    deployment: Deployment,
) -> None:
    person = Patient()
    await deployment.hospital.send([person.referral() for _ in range(5)])
    await deployment.account()
    assert await told_of(deployment, person) == {
        ParticipantRegistered: 1,
        ReferralReceived: 1,
        ReferralDuplicateDetected: 4,
    }


async def test_a_discharge_before_its_referral_is_held_and_then_told(deployment: Deployment) -> None:
    person = Patient()
    await deployment.hospital.send([person.discharge()])
    await deployment.caught_up()
    assert await deployment.participant(person) is None
    await deployment.hospital.send([person.referral()])
    await deployment.account()
    assert await told_of(deployment, person) == {
        ParticipantRegistered: 1,
        ReferralReceived: 1,
        DischargeNotified: 1,
        StepDownPending: 1,
        AftercareScheduled: 2,
    }


@pytest.mark.parametrize("referred_first", [True, False])
async def test_a_cancellation_before_its_discharge_leaves_nothing_owed(
    deployment: Deployment, *, referred_first: bool
) -> None:
    person = Patient()
    notices = [person.discharge_cancelled(), person.discharge()]
    await in_turn(
        deployment, [person.referral(), *notices] if referred_first else [*notices, person.referral()]
    )
    await deployment.account()
    told = await told_of(deployment, person)
    assert told[ReversalUnmatched] == 1
    assert told[DischargeNotified] == told[DischargeCancelled] == 1
    assert told.get(FollowUpSuperseded, 0) == told.get(AftercareScheduled, 0)
    assert await owed(deployment, person) == 0


async def test_a_discharge_before_its_admission_is_no_readmission(deployment: Deployment) -> None:
    person = Patient()
    await in_turn(deployment, [person.referral(), person.discharge(), person.admission()])
    await deployment.account()
    told = await told_of(deployment, person)
    assert told[InpatientAdmissionNotified] == told[DischargeNotified] == 1
    assert FollowUpSuperseded not in told
    assert await owed(deployment, person) == 2
    participant = await deployment.participant(person)
    async with deployment.database() as connection:
        query = "select inpatient_since from read.participant where participant = $1"
        assert await connection.fetchval(query, participant) is None


async def test_a_readmission_known_before_the_discharge_that_it_follows_takes_its_follow_ups_place(
    deployment: Deployment,
) -> None:
    person = Patient()
    stay, again = person.told("A01", 1, day=20), person.told("A01", 2, day=3)
    await in_turn(deployment, [person.referral(), stay, again, person.told("A03", 1, day=20, left=10)])
    assert await owed(deployment, person) == 0
    await in_turn(deployment, [person.told("A11", 2, day=3)])
    await deployment.account()
    assert await owed(deployment, person) == 2


async def test_an_emergency_that_becomes_a_stay_is_a_readmission(deployment: Deployment) -> None:
    person = Patient()
    emergency = person.told("A04", 2, day=3).replace(b"PV1|1|I", b"PV1|1|E")
    await in_turn(deployment, [person.referral(), person.told("A03", 1, day=20, left=10), emergency])
    assert await owed(deployment, person) == 2
    await in_turn(deployment, [person.told("A06", 2, day=3)])
    assert await owed(deployment, person) == 0
    await in_turn(deployment, [person.told("A11", 2, day=3)])
    await deployment.account()
    assert await owed(deployment, person) == 2


async def test_whoever_dies_in_the_hospital_is_not_stepped_down(deployment: Deployment) -> None:
    person = Patient()
    await in_turn(deployment, [person.referral(), person.told("A03", 1, day=9, left=6, disposition="20")])
    told = await told_of(deployment, person)
    assert told[DischargeNotified] == told[DeathNotified] == 1
    assert StepDownPending not in told
    assert AftercareScheduled not in told


async def in_turn(deployment: Deployment, messages: list[bytes]) -> None:
    """Send each when all that followed from the one before is done."""
    for message in messages:
        await deployment.hospital.send([message])
        await deployment.caught_up()


async def told_of(deployment: Deployment, person: Patient) -> dict[type, int]:
    """Return how many events of each type the log has of a person, without those about their numbers."""
    held = await deployment.held()
    participant = await known(deployment, person)
    told = Counter(type(event.data) for event in held.about(participant))
    return {kind: times for kind, times in told.items() if kind not in ABOUT_NUMBERS}


async def known(deployment: Deployment, person: Patient) -> UUID:
    participant = await deployment.participant(person)
    assert participant is not None
    return participant


async def owed(deployment: Deployment, person: Patient) -> int:
    """Return how many follow-ups a person is owed."""
    query = "select count(*) from read.follow_up where participant = $1 and status in ('planned', 'missed')"
    async with deployment.database() as connection:
        return int(await connection.fetchval(query, await known(deployment, person)))
