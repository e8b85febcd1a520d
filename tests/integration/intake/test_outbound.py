"""What a sender is owed stands on OUTBOUND in the order in which its referral moved."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec
import pytest
from nats.aio.subscription import Subscription

from services.console.embedded import NatsServer
from services.intake.deciders import referral
from services.intake.outbound import consumer_of
from shared.commands.intake import (
    AcceptReferral,
    ReceiveInformation,
    ReceiveReferral,
    RequestInformation,
)
from shared.eventlog import streams
from shared.eventlog.connection import connect
from shared.eventlog.execute import Executor
from shared.eventlog.log import Log
from shared.events.base import Identifier, MessageReference
from shared.events.outbound import OutboundEnvelope
from shared.settings import Settings
from tests.integration.intake.conftest import open_intake, settings_of, until
from tests.integration.intake.hospital import NOW

REFERRALS: Final = 50
SOURCE: Final = "genhosp"
STATUSES: Final = ["received", "accepted", "awaiting-information", "accepted"]


@pytest.fixture
def settings(nats_server: NatsServer, database: str) -> Settings:
    return settings_of(nats_server, database, 1)


@pytest.fixture
async def log(settings: Settings) -> AsyncGenerator[Log]:
    nats = await connect(settings, name="test")
    await streams.apply(nats, 1)
    yield Log(nats)
    await nats.close()


@pytest.mark.timeout(60)
async def test_of_two_intakes_none_overtakes_the_other_within_a_referral(settings: Settings, log: Log):
    async with open_intake(settings) as one, open_intake(settings):
        await asyncio.gather(*(moved(one.executor, uuid4()) for _ in range(REFERRALS)))
        await until(lambda: are_owed(log, REFERRALS * len(STATUSES)))
    told = await statuses_told(log)
    assert [each for each in told if each != STATUSES] == []


@pytest.mark.timeout(60)
async def test_what_a_process_holds_that_stopped_answering_is_told_by_the_others_in_order_and_once(
    settings: Settings, log: Log
):
    async with open_intake(settings) as intake:
        silent = await a_process_that_never_answers(log)
        await asyncio.gather(*(moved(intake.executor, uuid4()) for _ in range(REFERRALS)))
        await until(lambda: all_but_held_is_handled(log, silent))
        held = [await silent.next_msg() for _ in range(silent.pending_msgs)]
        await silent.unsubscribe()
        before = await statuses_told(log)
        for message in held:
            await message.nak()
        await until(lambda: is_handled(log))
    after = await statuses_told(log)
    assert len(held) > REFERRALS  # some half of four for each
    assert [each for each in before if each != STATUSES[: len(each)]] == []
    assert sum(len(each) for each in before) > REFERRALS * len(STATUSES) - len(held)
    assert after == [STATUSES] * REFERRALS


async def a_process_that_never_answers(log: Log) -> Subscription:
    """Share intake's consumer; what it is given it holds."""
    subject, queue = f"deliver.{consumer_of(0)}", consumer_of(0)
    return await log.client.subscribe(subject, queue=queue)  # pyright: ignore[reportUnknownMemberType]


async def all_but_held_is_handled(log: Log, silent: Subscription) -> bool:
    return await log.pending("CARE_0", consumer_of(0)) == silent.pending_msgs > 0


async def is_handled(log: Log) -> bool:
    return await log.pending("CARE_0", consumer_of(0)) == 0


async def statuses_told(log: Log) -> list[list[str]]:
    """Return each referral's statuses as OUTBOUND has them."""
    told: dict[UUID, list[str]] = defaultdict(list)
    for status in await owed(log):
        told[status.data.referral].append(status.data.status)
    return list(told.values())


async def moved(executor: Executor, id_: UUID) -> None:
    """Have a referral go through all the statuses."""
    about: dict[str, Any] = {"participant": uuid4(), "referral": id_, "actor": "c:7", "now": NOW}
    message = MessageReference(source=SOURCE, control_id="1", trigger="REF^I12", inbound_id=str(id_))
    answer = MessageReference(source=SOURCE, control_id="2", trigger="Task", inbound_id=str(uuid4()))
    placer = Identifier("GENHOSP", str(id_), "PLAC")
    commands = [
        ReceiveReferral(id=uuid4(), placer=placer, source="hospital", message=message, **about),
        AcceptReferral(id=uuid4(), owner="c:7", **about),
        RequestInformation(id=uuid4(), what="Which medicines?", **about),
        ReceiveInformation(id=uuid4(), what="None.", message=answer, **about),
    ]
    for command in commands:
        await executor.execute(referral.DECIDER, command)


async def owed(log: Log) -> list[OutboundEnvelope]:
    """Return what a sender is owed, each status once: a delivery may repeat it."""
    stored = log.tail("OUTBOUND", f"outbound.{SOURCE}.status", 0)
    return [msgspec.json.decode(each.payload, type=OutboundEnvelope) async for each in stored]


async def are_owed(log: Log, count: int) -> bool:
    return len(await owed(log)) >= count
