"""Appending to an entity: all or nothing, and only on what the entity was decided on."""

import json
from uuid import UUID, uuid4

import pytest
from nats.aio.client import Client

from services.console.embedded import NatsServer
from shared.eventlog.connection import connect
from shared.eventlog.errors import ConflictError, LogUnavailableError, TooLargeError
from shared.eventlog.log import Log, Message
from shared.eventlog.subjects import EntityKey
from shared.settings import Settings
from tests.integration.eventlog.conftest import until

ADA = EntityKey(0, "participant", "ada")
BEN = EntityKey(0, "participant", "ben")


def message(text: str = "{}", id: UUID | None = None) -> Message:
    return Message(id or uuid4(), text.encode())


async def held(log: Log, key: EntityKey) -> list[bytes]:
    return [stored.payload async for stored in log.tail(key.stream, key.subject, 0)]


@pytest.fixture
def log(nats: Client) -> Log:
    return Log(nats)


async def test_an_append_answers_where_it_stands(log: Log):
    assert await log.append(ADA, [message("1")], 0) == 1
    assert await log.append(BEN, [message("2")], 0) == 2
    assert await log.append(ADA, [message("3")], 1) == 3
    assert await held(log, ADA) == [b"1", b"3"]


@pytest.mark.parametrize("expected", [0, 1, 3])
@pytest.mark.parametrize("count", [1, 3])
async def test_an_append_on_another_state_is_a_conflict_and_stores_nothing(
    log: Log, expected: int, count: int
):
    await log.append(ADA, [message("1")], 0)
    await log.append(ADA, [message("2")], 1)
    with pytest.raises(ConflictError):
        await log.append(ADA, [message("late") for _ in range(count)], expected)
    assert await held(log, ADA) == [b"1", b"2"]


async def test_several_events_are_stored_together_and_in_order(log: Log):
    await log.append(BEN, [message("before")], 0)
    assert await log.append(ADA, [message(str(n)) for n in range(50)], 0) == 51
    assert await held(log, ADA) == [str(n).encode() for n in range(50)]


async def test_of_several_events_with_one_stored_before_none_is_stored(log: Log):
    twice = message("1")
    await log.append(ADA, [twice], 0)
    with pytest.raises(ConflictError):
        await log.append(ADA, [message("2"), twice], 1)
    assert await held(log, ADA) == [b"1"]


async def test_of_several_events_with_one_too_large_none_is_stored(log: Log, settings: Settings):
    with pytest.raises(TooLargeError, match="does not take a message of"):
        await log.append(ADA, [message("1"), message("x" * (log.client.max_payload + 1))], 0)
    other = Log(await connect(settings, name="other"))
    assert await held(other, ADA) == []
    await other.client.close()


async def test_the_same_event_is_not_stored_twice_while_the_server_remembers_its_id(log: Log):
    event = message("1")
    await log.append(ADA, [event], 0)
    for expected in (0, 1):
        with pytest.raises(ConflictError):
            await log.append(ADA, [event], expected)
    assert await held(log, ADA) == [b"1"]


async def test_an_id_used_for_another_entity_is_never_acknowledged_without_being_stored(log: Log):
    await log.append(ADA, [message("1", UUID(int=1))], 0)
    with pytest.raises(ConflictError):
        await log.append(BEN, [message("2", UUID(int=1))], 0)
    assert await held(log, BEN) == []


async def test_the_same_event_is_not_stored_twice_when_the_server_has_forgotten_its_id(
    log: Log, nats: Client
):
    """The window is 2 min; here the least there is. Then the expected sequence alone has to hold it."""
    await shorten_duplicate_window(nats)
    event = message("1")
    await log.append(ADA, [event], 0)
    await until_forgotten(nats)
    with pytest.raises(ConflictError):
        await log.append(ADA, [event], 0)
    assert await held(log, ADA) == [b"1"]


async def shorten_duplicate_window(client: Client) -> None:
    info = json.loads((await client.request("$JS.API.STREAM.INFO.CARE_0", b"", timeout=10)).data)
    config = {**info["config"], "duplicate_window": 100_000_000}
    answer = await client.request("$JS.API.STREAM.UPDATE.CARE_0", json.dumps(config).encode(), timeout=10)
    assert "error" not in json.loads(answer.data)


async def until_forgotten(client: Client) -> None:
    """Wait until an id that was used after all the others can be used again."""
    probe = {"Nats-Msg-Id": str(uuid4())}
    await client.request("care.0.participant.probe", b"{}", timeout=10, headers=probe)

    async def forgotten() -> bool:
        answer = await client.request("care.0.participant.probe", b"{}", timeout=10, headers=probe)
        return not json.loads(answer.data).get("duplicate", False)

    await until(forgotten)


async def test_an_append_to_a_server_that_was_killed_says_that_the_log_is_away(
    nats: Client, nats_server: NatsServer
):
    await Log(nats).append(ADA, [message("1")], 0)
    nats_server.kill()
    log = Log(nats, timeout_seconds=0.3)
    for count in (1, 2):
        with pytest.raises(LogUnavailableError):
            await log.append(ADA, [message("lost") for _ in range(count)], 1)
    with pytest.raises(LogUnavailableError):
        await held(log, ADA)


async def test_what_was_acknowledged_before_the_kill_is_there_after_the_restart(
    nats: Client, nats_server: NatsServer
):
    log = Log(nats)
    last = 0
    for number in range(20):
        last = await log.append(ADA, [message(str(number))], last)
    nats_server.kill()
    nats_server.start()
    await until(lambda: answers(log))
    assert await held(log, ADA) == [str(number).encode() for number in range(20)]
    assert await log.append(ADA, [message("after")], last) == last + 1


async def answers(log: Log) -> bool:
    try:
        await log.ping()
    except LogUnavailableError:
        return False
    return True


async def test_a_log_without_its_stream_is_away(log: Log, nats: Client):
    await nats.request("$JS.API.STREAM.DELETE.CARE_0", b"", timeout=10)
    with pytest.raises(LogUnavailableError):
        await log.append(ADA, [message()], 0)
    with pytest.raises(LogUnavailableError):
        await held(log, ADA)
