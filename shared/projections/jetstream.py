"""What we ask of nats-py that its annotations leave open."""

from asyncio import Future
from collections.abc import Awaitable, Callable

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, ConsumerInfo, PubAck


def jetstream(nats: Client) -> JetStreamContext:
    """Return the streams of a connection."""
    return nats.jetstream()  # pyright: ignore[reportUnknownMemberType] -- its **opts have no types


async def subscribe(nats: Client, subject: str, receive: Callable[[Msg], Awaitable[None]]) -> Subscription:
    """Have every message of a subject received, one at a time."""
    return await nats.subscribe(subject, cb=receive)  # pyright: ignore[reportUnknownMemberType] -- a bare Future


async def add_consumer(nats: Client, stream: str, configuration: ConsumerConfig) -> ConsumerInfo:
    """Make a consumer."""
    return await jetstream(nats).add_consumer(stream, configuration)  # pyright: ignore[reportUnknownMemberType] -- **params


async def publish_async(
    streams: JetStreamContext, subject: str, payload: bytes, headers: dict[str, str]
) -> "Future[PubAck]":
    """Publish without waiting; the acknowledgement, or the refusal, comes later."""
    return await streams.publish_async(subject, payload, headers=headers)  # pyright: ignore[reportUnknownMemberType] -- a bare dict
