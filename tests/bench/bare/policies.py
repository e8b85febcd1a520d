"""The bare consumers: for each message they write what ours writes, in the same order of round trips."""

import asyncio
from collections.abc import Awaitable, Callable

from nats.aio.client import Client
from nats.aio.msg import Msg

from tests.bench.bare.captured import Captured, id_of, subject_of
from tests.bench.bare.log import append, append_batch, bare, get_next, listen, store

_IN_FLIGHT = 64  # as ours

Handle = Callable[[Msg], Awaitable[None]]


async def serve_intake(client: Client, captured: Captured) -> None:
    """Receive referrals, and tell their senders."""
    intake = _Intake(client, captured)
    await _consume(client, "bare-intake", intake.receive)
    await _consume(client, "bare-intake-0", intake.tell)


async def serve_onlooker(client: Client, service: str) -> None:
    """Look at events that ask for nothing, as care_plan and aftercare do for a referral."""
    await _consume(client, f"bare-{service}-0", _nothing)


async def _nothing(_message: Msg) -> None:
    pass


class _Intake:
    def __init__(self, client: Client, captured: Captured) -> None:
        self._client = client
        self._captured = captured

    async def receive(self, message: Msg) -> None:
        control_id = _id(message)
        captured = self._captured
        await self._append(control_id, 0)
        await asyncio.gather(self._append(control_id, 1), self._register(control_id))
        await self._append(control_id, captured.referral)
        # What is held for the person: ours looks, and finds nothing.
        await get_next(self._client, "KV_HELD", f"$KV.HELD.{control_id}.>")

    async def tell(self, message: Msg) -> None:
        outbound = self._captured.outbound
        headers = {"Nats-Msg-Id": _id(message)}
        await store(self._client, bare(outbound.subject), outbound.payload, headers)

    async def _append(self, control_id: str, number: int) -> None:
        event = self._captured.events[number]
        subject = subject_of(event, control_id, number)
        await append(self._client, subject, event.payload, id_of(control_id, number))

    async def _register(self, control_id: str) -> None:
        captured, first = self._captured, self._captured.participant
        ids = [id_of(control_id, first + at) for at in range(len(captured.registration))]
        subject = subject_of(captured.registration[0], control_id, first)
        await append_batch(self._client, subject, captured.registration, ids)


async def _consume(client: Client, consumer: str, handle: Handle) -> None:
    """Handle what a durable consumer pushes, several at a time, and acknowledge it."""
    room = asyncio.Semaphore(_IN_FLIGHT)
    tasks: set[asyncio.Task[None]] = set()

    async def one(message: Msg) -> None:
        try:
            await handle(message)
            await message.ack()
        finally:
            room.release()

    async def receive(message: Msg) -> None:
        await room.acquire()
        task = asyncio.ensure_future(one(message))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    await listen(client, f"deliver.{consumer}", receive, queue=consumer)


def _id(message: Msg) -> str:
    return (message.headers or {})["Nats-Msg-Id"]
