"""How a broker stops taking messages: FastStream's own stop drops what it was given and has not begun."""

import asyncio
from typing import Any, Final

import structlog
from faststream.nats import NatsBroker
from nats.errors import Error as NatsError

_LIMIT_SECONDS: Final = 3.0
_log = structlog.get_logger()


async def drain(broker: NatsBroker) -> None:
    """Take no more from the server, and return when all that came was begun; after 3 s in any case.

    What is under way then is waited for by the broker's own stop. What was not finished is delivered again
    after the consumer's `ack_wait`, and a command's asker asks again.
    """
    try:
        async with asyncio.timeout(_LIMIT_SECONDS):
            await asyncio.gather(*(_drain(subscriber) for subscriber in broker.subscribers))
    except (TimeoutError, NatsError) as error:
        _log.warning("stopped-with-messages-not-handled", reason=type(error).__name__)


async def _drain(subscriber: Any) -> None:  # noqa: ANN401 -- FastStream's kinds of subscriber share no such type
    subscription, subscriber.subscription = (
        subscriber.subscription,
        None,
    )  # the broker's stop would end it again
    if subscription is None:
        return
    await subscription.drain()
    if hasattr(subscriber, "limiter"):
        await _begin_all(subscriber)


async def _begin_all(subscriber: Any) -> None:  # noqa: ANN401 -- the same
    """Wait behind everything in the queue: a turn at each of its workers comes after theirs."""
    while subscriber.receive_stream.statistics().current_buffer_used:  # noqa: ASYNC110 -- it tells nobody
        await asyncio.sleep(0)
    for _ in range(subscriber.max_workers):
        await subscriber.limiter.acquire()
    for _ in range(subscriber.max_workers):
        subscriber.limiter.release()
