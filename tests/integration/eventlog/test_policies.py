"""Policies: at least once, retried with patience, parked where that is no use, replayed by a person."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from uuid import uuid4

import msgspec
import pytest
from nats.aio.client import Client

from services.care_plan.policies import CarePolicy
from services.intake.deciders import participant as participants
from shared.commands.intake import CorrectDemographics
from shared.eventlog.clock import utc_now
from shared.eventlog.errors import LogUnavailableError, NotYetError
from shared.eventlog.parking import GivenUp, Parked, Parking, ReplayAnswer, ReplayRequest
from shared.eventlog.policies import TRIES_BEFORE_PARKING, Delivery, carry_out, delay_after
from shared.eventlog.runtime import Runtime
from shared.events.base import Demographics
from shared.records import Records
from shared.settings import Settings
from shared.site import site_of
from tests.integration.eventlog.conftest import is_subscribed, open_service, until
from tests.integration.eventlog.stories import NOW

CONSUMER = "care_plan-0"
SECRET = "Jane Example, born 1990-01-01"


@dataclass
class Seen:
    """A policy that notes what it was given, and then does as it is told."""

    does: Callable[[Delivery], Awaitable[None]] | None = None
    deliveries: list[tuple[bytes, int, datetime]] = field(default_factory=list[tuple[bytes, int, datetime]])
    done: Counter[bytes] = field(default_factory=Counter[bytes])

    async def __call__(self, delivery: Delivery) -> None:
        self.deliveries.append((delivery.payload, delivery.number, utc_now()))
        if self.does is not None:
            await self.does(delivery)
        self.done[delivery.payload] += 1

    def numbers_of(self, payload: bytes) -> list[int]:
        return [number for given, number, _ in self.deliveries if given == payload]


async def publish(client: Client, *payloads: bytes) -> None:
    for payload in payloads:
        await client.request(f"care.0.participant.{uuid4()}", payload, timeout=10)


@pytest.fixture
async def service(nats: Client, settings: Settings) -> AsyncGenerator[Runtime]:
    async with open_service("care_plan", settings) as runtime:
        yield runtime


async def start(service: Runtime, policy: Callable[[Delivery], Awaitable[None]]) -> None:
    service.policies.subscribe("CARE_0", CONSUMER, policy)
    service.policies.serve_replays()
    await service.broker.start()
    await until(lambda: is_subscribed(service.log.client, "replay.care_plan"))


async def until_handled(service: Runtime) -> None:
    """Wait until the whole stream is acknowledged; what is pending may lag behind what was published."""
    last = await service.log.client.request("$JS.API.STREAM.INFO.CARE_0", b"", timeout=10)
    last_seq = json.loads(last.data)["state"]["last_seq"]

    async def handled() -> bool:
        info = await service.log.client.request(f"$JS.API.CONSUMER.INFO.CARE_0.{CONSUMER}", b"", timeout=10)
        return bool(json.loads(info.data)["ack_floor"]["stream_seq"] == last_seq)

    await until(handled)


async def parked(service: Runtime) -> list[Parked]:
    return [entry for _, entry in await Parking(service.log).entries()]


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries follow each other in milliseconds."""
    monkeypatch.setattr("shared.eventlog.policies._FIRST_DELAY_SECONDS", 0.005)


async def test_a_transient_failure_is_tried_again_with_growing_delays_and_not_parked(
    nats: Client, service: Runtime
):
    async def away_at_first(delivery: Delivery) -> None:
        if delivery.number < 3:
            raise LogUnavailableError("Away.")

    policy = Seen(away_at_first)
    await start(service, policy)
    await publish(nats, b"1")
    await until_handled(service)
    times = [at for _, _, at in policy.deliveries]
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    assert policy.numbers_of(b"1") == [1, 2, 3]
    assert gaps[0] >= 0.19
    assert gaps[1] >= 0.39
    assert await parked(service) == []


async def test_a_transient_failure_is_never_parked_however_often_it_was_tried(
    nats: Client, service: Runtime, hasty: None
):
    tries = TRIES_BEFORE_PARKING + 3

    async def long_away(delivery: Delivery) -> None:
        if delivery.number < tries:
            raise OSError

    policy = Seen(long_away)
    await start(service, policy)
    await publish(nats, b"1")
    await until_handled(service)
    assert policy.done == {b"1": 1}
    assert await parked(service) == []


def test_tries_are_further_and_further_apart_up_to_half_a_minute_for_ever():
    assert [delay_after(tries) for tries in (1, 2, 3, 9, 100_000)] == [0.2, 0.4, 0.8, 5.0, 5.0]


async def test_what_a_policy_trips_over_is_parked_after_some_tries_and_the_rest_goes_on(
    nats: Client, service: Runtime, hasty: None
):
    async def trips(delivery: Delivery) -> None:
        if delivery.payload == b"bad":
            raise ValueError(SECRET)

    policy = Seen(trips)
    await start(service, policy)
    await publish(nats, b"1", b"bad", b"2")
    await until_handled(service)
    assert policy.numbers_of(b"bad") == list(range(1, TRIES_BEFORE_PARKING + 1))
    assert policy.done == {b"1": 1, b"2": 1}
    (entry,) = await parked(service)
    assert (entry.service, entry.consumer, entry.stream, entry.sequence) == (
        "care_plan",
        CONSUMER,
        "CARE_0",
        2,
    )
    assert (entry.reason.split()[0], entry.deliveries) == ("ValueError", TRIES_BEFORE_PARKING)
    assert SECRET not in entry.reason


async def test_what_cannot_be_decoded_is_parked_at_once_and_the_rest_goes_on(
    nats: Client, service: Runtime, settings: Settings
):
    records = Records(service.executor, settings.partitions)
    await start(service, CarePolicy(service.executor, records, site_of(settings), utc_now))
    await publish(nats, b"not an event", b'{"specversion":"1.0"}')
    await until_handled(service)
    entries = await parked(service)
    assert [(entry.sequence, entry.deliveries) for entry in entries] == [(1, 1), (2, 1)]
    assert all(entry.reason.startswith("The event cannot be read") for entry in entries)


async def test_a_command_that_is_refused_is_parked_at_once_with_the_sentence(nats: Client, service: Runtime):
    async def correct_somebody_unknown(_: Delivery) -> None:
        command = CorrectDemographics(
            id=uuid4(),
            participant=uuid4(),
            actor="policy:test",
            now=NOW,
            demographics=Demographics(family="X"),
        )
        await carry_out(service.executor, participants.DECIDER, command)

    await start(service, correct_somebody_unknown)
    await publish(nats, b"1")
    await until_handled(service)
    (entry,) = await parked(service)
    assert entry.reason == "participant-unknown: This participant is not registered."
    assert entry.deliveries == 1


async def test_a_refusal_that_was_to_be_expected_is_done_with(nats: Client, service: Runtime):
    async def correct_somebody_unknown(_: Delivery) -> None:
        command = CorrectDemographics(
            id=uuid4(),
            participant=uuid4(),
            actor="policy:test",
            now=NOW,
            demographics=Demographics(family="X"),
        )
        await carry_out(service.executor, participants.DECIDER, command, unless={"participant-unknown"})

    await start(service, correct_somebody_unknown)
    await publish(nats, b"1")
    await until_handled(service)
    assert await parked(service) == []


async def test_what_waits_for_something_else_is_given_more_time(nats: Client, service: Runtime, hasty: None):
    async def not_yet(delivery: Delivery) -> None:
        if delivery.number < TRIES_BEFORE_PARKING + 2:
            raise NotYetError

    policy = Seen(not_yet)
    await start(service, policy)
    await publish(nats, b"1")
    await until_handled(service)
    assert policy.done == {b"1": 1}


async def replay(client: Client, consumer: str, sequence: int) -> ReplayAnswer:
    request = msgspec.json.encode(ReplayRequest(consumer, "CARE_0", sequence))
    answer = await client.request("replay.care_plan", request, timeout=5)
    return msgspec.json.decode(answer.data, type=ReplayAnswer)


async def test_after_a_fix_a_parked_message_is_replayed_and_nothing_else_is_disturbed(
    nats: Client, service: Runtime, hasty: None
):
    broken = {b"one", b"other"}

    async def trips(delivery: Delivery) -> None:
        if delivery.payload in broken:
            raise ValueError(SECRET)

    policy = Seen(trips)
    await start(service, policy)
    await publish(nats, b"1", b"one", b"other", b"2")
    await until_handled(service)
    still = await replay(nats, CONSUMER, 2)
    assert not still.done
    assert still.sentence.startswith("It failed again (ValueError at test_policies.py:")
    broken.remove(b"one")
    assert await replay(nats, CONSUMER, 2) == ReplayAnswer(done=True)
    assert policy.done == {b"1": 1, b"2": 1, b"one": 1}
    assert {entry.sequence for entry in await parked(service)} == {2, 3}  # the asker takes out what is done
    assert await service.log.pending("CARE_0", CONSUMER) == 0


async def test_what_cannot_be_replayed_is_answered_with_why(nats: Client, service: Runtime):
    await start(service, Seen())
    assert (await replay(nats, "intake", 1)).sentence == "care_plan has no such consumer."
    assert (await replay(nats, CONSUMER, 9)).sentence == "The message is no longer in its stream."
    garbage = await nats.request("replay.care_plan", b"?", timeout=5)
    assert not msgspec.json.decode(garbage.data, type=ReplayAnswer).done


async def test_an_entry_that_is_taken_out_leaves_the_others(service: Runtime):
    parking = Parking(service.log)
    for sequence in (1, 2, 2, 3):  # parked twice is parked once
        await parking.park(
            Parked(
                service="care_plan",
                consumer=CONSUMER,
                stream="CARE_0",
                sequence=sequence,
                subject="care.0.participant.x",
                reason="Test.",
                deliveries=1,
                parked_at=NOW,
            )
        )
    first, second, third = [number for number, _ in await parking.entries()]
    await parking.remove(second)
    assert [number for number, _ in await parking.entries()] == [first, third]
    assert await parking.entry(second) is None


async def test_an_entry_that_is_given_up_waits_no_more_and_is_kept_with_who_and_why(service: Runtime):
    parking = Parking(service.log)
    parked = Parked(
        service="care_plan",
        consumer=CONSUMER,
        stream="CARE_0",
        sequence=7,
        subject="care.0.participant.x",
        reason="Test.",
        deliveries=1,
        parked_at=NOW,
    )
    await parking.park(parked)
    [(number, waiting)] = await parking.entries()
    given_up = GivenUp(by="coordinator:7", reason="Told by telephone.", at=NOW)
    await parking.give_up(number, waiting, given_up)
    assert await parking.entries() == []
    [(kept, told)] = await parking.given_up()
    assert (await parking.entry(kept), told.given_up, told.sequence) == (told, given_up, 7)


async def test_two_instances_share_the_messages_and_none_is_handled_twice(
    nats: Client, service: Runtime, settings: Settings
):
    policies = Seen(), Seen()
    async with open_service("care_plan", settings) as other:
        for runtime, policy in zip((service, other), policies, strict=True):
            await start(runtime, policy)
        payloads = [str(number).encode() for number in range(200)]
        await publish(nats, *payloads)
        await until_handled(service)
    assert policies[0].done + policies[1].done == dict.fromkeys(payloads, 1)
    assert all(policy.done for policy in policies)


async def test_the_messages_of_one_entity_are_handled_in_order_and_others_beside_them(
    nats: Client, service: Runtime
):
    may_end, begun = asyncio.Event(), list[bytes]()

    async def linger(delivery: Delivery) -> None:
        begun.append(delivery.payload)
        await (may_end.wait() if delivery.payload == b"A1" else asyncio.sleep(0))

    policy = Seen(linger)
    await start(service, policy)
    for entity, payload in (("A", b"A1"), ("A", b"A2"), ("B", b"B1"), ("A", b"A3"), ("C", b"C1")):
        await nats.request(f"care.0.participant.{entity}", payload, timeout=10)

    async def others_done() -> bool:
        return {b"B1", b"C1"} <= policy.done.keys()

    await until(others_done)
    assert begun == [b"A1", b"B1", b"C1"]
    may_end.set()
    await until_handled(service)
    assert [payload for payload in begun if payload.startswith(b"A")] == [b"A1", b"A2", b"A3"]


async def test_a_message_that_takes_long_does_not_hold_up_the_others(nats: Client, service: Runtime):
    may_end = asyncio.Event()

    async def linger(delivery: Delivery) -> None:
        if delivery.payload == b"slow":
            await may_end.wait()

    policy = Seen(linger)
    await start(service, policy)
    others = [str(number).encode() for number in range(100)]
    await publish(nats, b"slow", *others)

    async def others_done() -> bool:
        return policy.done == dict.fromkeys(others, 1)

    await until(others_done)
    may_end.set()
    await until_handled(service)
    assert policy.done[b"slow"] == 1
