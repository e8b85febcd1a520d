"""What the on-call person sees of a channel, and does about it: `throughcare outbound`."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from services.console.commands.outbound import ask_all_again, ask_now, read_channels
from services.console.embedded import NatsServer
from services.console.faults import Failed
from services.console.place import Place
from shared.settings import environment_of
from tests.integration.gateway.delivery.edge import (
    PATIENCE_SECONDS,
    Edge,
    agreed,
    edge_of,
    gateway,
    settings_of,
    until,
)
from tests.integration.gateway.delivery.receivers import MllpReceiver, free_port

CHANNEL = "lake.mllp"


@pytest.fixture
async def edge(nats_server: NatsServer) -> AsyncGenerator[Edge]:
    async with edge_of(nats_server) as made:
        yield made


@pytest.fixture
def place(nats_server: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    settings = replace(settings_of(nats_server), delivery_lease_seconds=0.5)
    for name, value in environment_of(settings).items():
        monkeypatch.setenv(name, value)
    return Place(tmp_path)


async def test_a_channel_that_no_gateway_tells_is_said_to_stand_still(edge: Edge, place: Place):
    await edge.owe(("R-1", "received"))
    async with MllpReceiver() as hospital, gateway(edge, agreed(hospital.port)):
        await edge.until_progress(lambda progress: progress.delivered == 1)
    [all_told] = await read_channels(place)
    assert (all_told.undelivered, all_told.problems) == (0, ())
    await edge.owe(("R-1", "accepted"))
    async with asyncio.timeout(PATIENCE_SECONDS):  # on a busy machine the gateway's lease has to end first
        while (owing := (await read_channels(place))[0]).is_led:  # noqa: ASYNC110 (as time goes by)
            await asyncio.sleep(0.05)
    assert owing.undelivered == 1
    assert owing.problems[0].startswith("No gateway tells it")


async def test_a_receiver_that_lost_what_it_had_is_told_all_since_then_again(edge: Edge, place: Place):
    async with MllpReceiver() as hospital, gateway(edge, agreed(hospital.port)):
        await edge.owe(("R-1", "received"))
        await edge.until_progress(lambda progress: progress.delivered == 1)
        lost = datetime.now(UTC)
        owed = [("R-1", "accepted"), ("R-2", "received"), ("R-1", "completed")]
        await edge.owe(*owed)
        await edge.until_progress(lambda progress: progress.delivered == 4)
        hospital.messages.clear()
        assert await ask_all_again(place, CHANNEL, lost) == {CHANNEL: 3}
        await edge.until_progress(lambda progress: progress.delivered == 7)
        assert hospital.heard == owed
        with pytest.raises(Failed, match="told nothing since"):
            await ask_all_again(place, CHANNEL, datetime.now(UTC) + timedelta(minutes=1))
        with pytest.raises(Failed, match="no channel"):
            await ask_all_again(place, "elsewhere.mllp", lost)


async def test_a_receiver_that_is_well_again_is_told_at_once_when_asked(edge: Edge, place: Place):
    port = free_port()
    await edge.owe(("R-1", "received"))
    async with gateway(edge, agreed(port), first=7_200.0, longest=7_200.0):
        await edge.until_progress(lambda progress: progress.attempts == 1)
        async with MllpReceiver(port) as hospital:
            await ask_now(place, CHANNEL)
            await until(lambda: hospital.heard == [("R-1", "received")])
