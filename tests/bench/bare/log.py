"""Appending with plain nats-py: the headers that ours sends, and the durable ack."""

from collections.abc import Awaitable, Callable, Sequence
from uuid import uuid4

from nats.aio.client import Client
from nats.aio.msg import Msg

from tests.bench.bare.captured import PREFIX, Stored

TIMEOUT_SECONDS = 10.0


class BareRefusedError(Exception):
    """The server refused an append of the bare pipeline."""


async def listen(
    client: Client, subject: str, receive: Callable[[Msg], Awaitable[None]], *, queue: str = ""
) -> None:
    """Have the messages of a subject received, one at a time."""
    await client.subscribe(subject, queue=queue, cb=receive)  # pyright: ignore[reportUnknownMemberType]


async def append(client: Client, subject: str, payload: bytes, id_: str, *, expected: int = 0) -> None:
    """Append one event to an entity."""
    headers = {"Nats-Msg-Id": id_, "Nats-Expected-Last-Subject-Sequence": str(expected)}
    await store(client, subject, payload, headers)


async def append_batch(client: Client, subject: str, events: Sequence[Stored], ids: Sequence[str]) -> None:
    """Append several events to a new entity, or none; one alone needs no batch."""
    if len(events) == 1:
        await append(client, subject, events[0].payload, ids[0])
        return
    batch = str(uuid4())
    for number, (event, id_) in enumerate(zip(events, ids, strict=True), 1):
        headers = {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number), "Nats-Msg-Id": id_}
        if number == 1:
            headers["Nats-Expected-Last-Subject-Sequence"] = "0"
        if number < len(events):
            await client.publish(subject, event.payload, headers=headers)
        else:
            await store(client, subject, event.payload, {**headers, "Nats-Batch-Commit": "1"})


async def store(client: Client, subject: str, payload: bytes, headers: dict[str, str]) -> None:
    """Publish to a stream and wait for its ack."""
    reply = await client.request(subject, payload, timeout=TIMEOUT_SECONDS, headers=headers)
    if b'"error"' in reply.data:
        raise BareRefusedError(reply.data.decode())


async def get_next(client: Client, stream: str, subject: str, after: int = 0) -> Msg:
    """Read the first message of a subject behind a sequence directly; a 404 is an answer, too."""
    body = b'{"seq":%d,"next_by_subj":"%s"}' % (after + 1, subject.encode())
    return await client.request(f"$JS.API.DIRECT.GET.{stream}", body, timeout=TIMEOUT_SECONDS)


def bare(subject: str) -> str:
    """Return a subject of the bare pipeline."""
    return PREFIX + subject
