"""Timers: the server publishes a command at its time, once, also after a restart."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import pytest
from nats.aio.client import Client

from services.console.embedded import NatsServer
from shared.commands.aftercare import CloseFollowUpWindow
from shared.eventlog.clock import utc_now
from shared.eventlog.errors import LogUnavailableError
from shared.eventlog.policies import Delivery
from shared.eventlog.runtime import Runtime
from shared.eventlog.timers import STREAM
from shared.settings import Settings
from tests.integration.eventlog.conftest import open_service, until


@dataclass
class Fired:
    """The timer consumer's policy: notes which command came when."""

    commands: list[UUID] = field(default_factory=list[UUID])
    recorded: list[datetime] = field(default_factory=list[datetime])

    async def __call__(self, delivery: Delivery) -> None:
        self.commands.append(msgspec.json.decode(delivery.payload, type=CloseFollowUpWindow).follow_up)
        self.recorded.append(delivery.recorded_at)

    async def until(self, *follow_ups: UUID) -> None:
        async def fired() -> bool:
            return set(follow_ups) <= set(self.commands)

        await until(fired)


def close_window(follow_up: UUID) -> CloseFollowUpWindow:
    now = utc_now()
    return CloseFollowUpWindow(
        id=uuid4(),
        participant=uuid4(),
        actor="timer:aftercare",
        now=now,
        follow_up=follow_up,
        today=now.date(),
    )


@pytest.fixture
async def aftercare(nats: Client, settings: Settings) -> AsyncGenerator[Runtime]:
    async with open_service("aftercare", settings) as runtime:
        yield runtime


@pytest.fixture
async def fired(aftercare: Runtime) -> Fired:
    policy = Fired()
    aftercare.policies.subscribe(STREAM, "aftercare-timers", policy)
    await aftercare.broker.start()
    return policy


async def test_a_timer_fires_at_its_time_and_not_before(aftercare: Runtime, fired: Fired):
    at, follow_up = utc_now() + timedelta(seconds=1.4), uuid4()
    await aftercare.timers.set("one", at, close_window(follow_up))
    await fired.until(follow_up)
    late = (fired.recorded[0] - at).total_seconds()
    assert 0 <= late < 2


async def test_a_timer_whose_time_is_past_fires_at_once(aftercare: Runtime, fired: Fired):
    began, follow_up = utc_now(), uuid4()
    await aftercare.timers.set("one", began - timedelta(days=400), close_window(follow_up))
    await fired.until(follow_up)
    assert (fired.recorded[0] - began).total_seconds() < 2


async def test_a_timer_that_is_set_again_fires_once_and_with_its_last_command(
    aftercare: Runtime, fired: Fired
):
    first, last, after = uuid4(), uuid4(), uuid4()
    soon = utc_now() + timedelta(seconds=1)
    await aftercare.timers.set("one", soon, close_window(first))
    await aftercare.timers.set("one", soon + timedelta(seconds=0.5), close_window(last))
    await aftercare.timers.set("two", soon + timedelta(seconds=1), close_window(after))
    await fired.until(after)
    assert fired.commands == [last, after]


async def test_timers_of_other_names_do_not_replace_each_other(aftercare: Runtime, fired: Fired):
    soon, follow_ups = utc_now() + timedelta(seconds=0.5), [uuid4() for _ in range(20)]
    for each in follow_ups:
        await aftercare.timers.set(str(each), soon, close_window(each))
    await fired.until(*follow_ups)
    assert sorted(fired.commands) == sorted(follow_ups)


async def test_a_timer_survives_a_kill_of_the_server_and_fires_when_it_is_back(
    aftercare: Runtime, fired: Fired, nats_server: NatsServer
):
    due_while_down, due_later = uuid4(), uuid4()
    now = utc_now()
    await aftercare.timers.set("one", now + timedelta(seconds=0.3), close_window(due_while_down))
    await aftercare.timers.set("two", now + timedelta(seconds=2), close_window(due_later))
    nats_server.kill()
    nats_server.start()
    await fired.until(due_while_down, due_later)
    assert fired.commands == [due_while_down, due_later]


async def test_a_timer_that_the_server_did_not_take_is_not_believed_to_be_set(
    aftercare: Runtime, nats: Client
):
    await nats.request(f"$JS.API.STREAM.DELETE.{STREAM}", b"", timeout=10)
    with pytest.raises(LogUnavailableError):
        await aftercare.timers.set("one", utc_now(), close_window(uuid4()))
