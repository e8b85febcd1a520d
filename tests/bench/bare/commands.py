"""Bare request to append: a responder that appends one event for each request, and answers."""

import asyncio
from typing import Final
from uuid import uuid4

from nats.aio.client import Client
from nats.aio.msg import Msg

from tests.bench.bare.captured import Captured, id_of, subject_of
from tests.bench.bare.log import append, listen

ON_REFERRALS: Final = "bare.command.referral"
ON_PARTICIPANTS: Final = "bare.command.participant"
_IN_FLIGHT: Final = 64  # as ours


async def serve(client: Client, captured: Captured) -> None:
    """Answer requests, several at a time."""
    await _serve(client, captured, ON_REFERRALS, captured.message_events)
    await _serve(client, captured, ON_PARTICIPANTS, captured.participant)


async def _serve(client: Client, captured: Captured, subject: str, number: int) -> None:
    event = captured.events[number]
    room = asyncio.Semaphore(_IN_FLIGHT)
    tasks: set[asyncio.Task[None]] = set()

    async def one(message: Msg) -> None:
        try:
            control_id = f"{str(uuid4())[:-1]}0"
            entity = subject_of(event, control_id, number)
            await append(client, entity, event.payload, id_of(control_id, number))
            await client.publish(message.reply, captured.answer)
        finally:
            room.release()

    async def receive(message: Msg) -> None:
        await room.acquire()
        task = asyncio.ensure_future(one(message))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    await listen(client, subject, receive, queue="bare")
