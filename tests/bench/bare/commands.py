"""Bare request to append: a responder that appends one event for each request, and answers."""

import asyncio
from uuid import uuid4

from nats.aio.client import Client
from nats.aio.msg import Msg

from tests.bench.bare.captured import Captured
from tests.bench.bare.log import append, bare, listen

SUBJECT = "bare.command"
_IN_FLIGHT = 64  # as ours


async def serve(client: Client, captured: Captured) -> None:
    """Answer requests, several at a time."""
    event = captured.accepted
    entity = bare(event.subject.rpartition(".")[0])
    room = asyncio.Semaphore(_IN_FLIGHT)
    tasks: set[asyncio.Task[None]] = set()

    async def one(message: Msg) -> None:
        try:
            id_ = str(uuid4())
            await append(client, f"{entity}.{id_}", event.payload, id_)
            await client.publish(message.reply, captured.answer)
        finally:
            room.release()

    async def receive(message: Msg) -> None:
        await room.acquire()
        task = asyncio.ensure_future(one(message))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    await listen(client, SUBJECT, receive, queue="bare")
