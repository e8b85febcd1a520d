"""RRI^I12 to a sender's receiver, on a real log."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from services.console.embedded import NatsServer
from services.gateway.delivery.mllp_channel import control_id
from services.gateway.delivery.progress import ProgressStore
from tests.integration.gateway.delivery.edge import (
    Edge,
    agreed,
    edge_of,
    gateway,
    referral_of,
    status_of,
    until,
)
from tests.integration.gateway.delivery.receivers import MllpReceiver, free_port


@pytest.fixture
async def edge(nats_server: NatsServer) -> AsyncGenerator[Edge]:
    async with edge_of(nats_server) as made:
        yield made


async def test_every_status_reaches_the_sender_in_order_and_once(edge: Edge):
    owed = [("R-1", "received"), ("R-2", "received"), ("R-1", "accepted"), ("R-1", "scheduled")]
    await edge.owe(*owed)
    async with MllpReceiver() as hospital, gateway(edge, agreed(hospital.port)):
        await until(lambda: len(hospital.messages) == 4)
        await edge.owe(("R-2", "rejected"))
        await until(lambda: len(hospital.messages) == 5)
        assert hospital.heard == [*owed, ("R-2", "rejected")]
        last = hospital.messages[-1]
        assert last.kind == ("RRI", "I12")
        assert [last.text("MSH", field) for field in (5, 6)] == ["LAKEADT", "LAKESIDE"]
        assert last.text("RF1", 11) == str(referral_of("R-2"))
        assert last.text("NTE", 3) == "no-capacity"
        assert last.control_id == control_id(status_of("R-2", "rejected").id)


async def test_what_another_sender_is_owed_is_not_told(edge: Edge):
    await edge.owe(("X-1", "accepted"), source="elsewhere")
    await edge.owe(("R-1", "accepted"))
    async with MllpReceiver() as hospital, gateway(edge, agreed(hospital.port)):
        await until(lambda: len(hospital.messages) == 1)
    assert hospital.heard == [("R-1", "accepted")]


async def test_a_receiver_that_was_down_is_told_everything_in_order_when_it_is_back(edge: Edge):
    port = free_port()
    await edge.owe(("R-1", "received"), ("R-1", "accepted"))
    async with gateway(edge, agreed(port)) as deliveries:
        while (await edge.progress()).attempts < 3:  # noqa: ASYNC110 (it happens in servers)
            await asyncio.sleep(0.01)
        trouble = deliveries.trouble()
        assert trouble is not None
        assert trouble.startswith("lake.mllp: its receiver was not reached")
        async with MllpReceiver(port) as hospital:
            await until(lambda: len(hospital.messages) == 2)
            assert hospital.heard == [("R-1", "received"), ("R-1", "accepted")]
            await until(lambda: deliveries.trouble() is None)


async def test_a_message_that_is_refused_holds_up_its_referral_only(edge: Edge):
    async with MllpReceiver() as hospital, gateway(edge, agreed(hospital.port)) as deliveries:
        hospital.refuses = {"R-1"}
        await edge.owe(("R-1", "received"), ("R-1", "accepted"), ("R-2", "received"), ("R-2", "accepted"))
        await until(lambda: len(hospital.heard) == 2)
        assert hospital.heard == [("R-2", "received"), ("R-2", "accepted")]
        refused = await edge.progress()
        assert [each.referral for each in refused.waiting] == [referral_of("R-1")] * 2
        assert "1 refused by the receiver, 1 behind" in (deliveries.trouble() or "")
        hospital.messages.clear()
        hospital.refuses = set()
        await until(lambda: len(hospital.messages) >= 2)
        assert hospital.heard == [("R-1", "received"), ("R-1", "accepted")]


async def test_after_a_crash_between_the_answer_and_our_note_it_is_told_again_as_the_same(edge: Edge):
    await edge.owe(("R-1", "received"))
    store = ProgressStore(edge.log)
    async with MllpReceiver() as hospital:
        async with gateway(edge, agreed(hospital.port)):
            await until(lambda: len(hospital.messages) == 1)
        kept = await store.read("lake.mllp")
        await store.forget("lake.mllp")  # as if the note had never been written
        assert kept.progress.cursor
        async with gateway(edge, agreed(hospital.port)):
            await until(lambda: len(hospital.messages) == 2)
        assert len(set(hospital.control_ids)) == 1


async def test_what_was_delivered_is_not_delivered_again_after_a_restart(edge: Edge):
    async with MllpReceiver() as hospital:
        for status in ("received", "accepted", "scheduled"):
            async with gateway(edge, agreed(hospital.port)):
                await edge.owe(("R-1", status))
                await until(lambda: ("R-1", status) in hospital.heard)  # noqa: B023 -- awaited in the loop
        assert [status for _, status in hospital.heard] == ["received", "accepted", "scheduled"]


async def test_of_two_gateways_one_delivers_and_the_other_goes_on_when_it_stops(edge: Edge):
    numbers = [("R-1", status) for status in ("received", "accepted", "scheduled", "completed")]
    async with MllpReceiver(seconds=0.05) as hospital:
        async with gateway(edge, agreed(hospital.port)):
            async with gateway(edge, agreed(hospital.port)):
                await edge.owe(*numbers[:2])
                await until(lambda: len(hospital.messages) == 2)
            await edge.owe(*numbers[2:])
            await until(lambda: len(hospital.messages) == 4)
        assert hospital.heard == numbers
        assert hospital.at_once == 1
