"""One inbox for every answer, on a real server."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError

from services.console.embedded import NatsServer
from shared.eventlog.answers import Answers
from tests.flushed import flushed


@asynccontextmanager
async def connected(server: NatsServer) -> AsyncGenerator[Client]:
    client = Client()
    await client.connect(server.url, max_reconnect_attempts=-1, reconnect_time_wait=1)
    try:
        yield client
    finally:
        await client.close()


async def echo(client: Client, subject: str) -> None:
    async def answer(message: Msg) -> None:
        await message.respond(message.data)

    await client.subscribe(subject, cb=answer)  # pyright: ignore[reportUnknownMemberType] -- of nats-py
    await flushed(client)


async def test_each_of_many_at_once_gets_its_own_answer(nats_server: NatsServer):
    async with connected(nats_server) as asking, connected(nats_server) as answering:
        await echo(answering, "echo")
        answers = Answers(asking, timeout_seconds=10)
        bodies = [str(number).encode() for number in range(500)]
        told = await asyncio.gather(*(answers.to("echo", body, {"N": "1"}) for body in bodies))
        assert [message.data for message in told] == bodies
        assert answers.waiting == 0


async def test_where_nobody_listens_it_says_so_at_once(nats_server: NatsServer):
    async with connected(nats_server) as client:
        answers = Answers(client, timeout_seconds=10)
        with pytest.raises(NoRespondersError):
            await answers.to("nobody", b"", None)


async def test_no_answer_in_time_is_an_error_and_a_late_one_is_nobodys(nats_server: NatsServer):
    async with connected(nats_server) as asking, connected(nats_server) as answering:
        asked: asyncio.Queue[Msg] = asyncio.Queue()
        await answering.subscribe("slow", cb=asked.put)  # pyright: ignore[reportUnknownMemberType]
        await flushed(answering)
        answers = Answers(asking, timeout_seconds=1)
        with pytest.raises(NatsTimeoutError):
            await answers.to("slow", b"1", None)
        assert answers.waiting == 0
        await (await asked.get()).respond(b"late")
        await flushed(answering)
        await echo(answering, "echo")
        assert (await answers.to("echo", b"2", None)).data == b"2"


async def test_who_no_longer_waits_is_forgotten(nats_server: NatsServer):
    async with connected(nats_server) as asking, connected(nats_server) as answering:
        asked: asyncio.Queue[Msg] = asyncio.Queue()
        await answering.subscribe("slow", cb=asked.put)  # pyright: ignore[reportUnknownMemberType]
        await flushed(answering)
        answers = Answers(asking, timeout_seconds=10)
        asking_still = asyncio.create_task(answers.to("slow", b"", None))
        await asked.get()
        assert answers.waiting == 1
        asking_still.cancel()
        await asyncio.wait([asking_still])
        assert answers.waiting == 0


async def test_it_answers_again_after_the_server_came_back(nats_server: NatsServer):
    async with connected(nats_server) as asking, connected(nats_server) as answering:
        await echo(answering, "echo")
        answers = Answers(asking, timeout_seconds=0.5)
        assert (await answers.to("echo", b"before", None)).data == b"before"
        nats_server.kill()
        nats_server.restart()
        while True:
            try:
                assert (await answers.to("echo", b"after", None)).data == b"after"
            except (NatsTimeoutError, NoRespondersError):
                continue
            break
