"""How a broker stops: it takes no more messages, and what it has begun is ended."""

import asyncio
from typing import Any, Final

import structlog
from faststream.nats import NatsBroker
from nats.errors import Error as NatsError

from shared.eventlog.in_flight import InFlight

_TAKING_SECONDS: Final = 3.0  # a server that is away does not answer at all
_ENDING_SECONDS: Final = 12.0
_ANSWER_SECONDS: Final = 0.1
_log = structlog.get_logger()


async def drain(broker: NatsBroker, in_flight: InFlight) -> None:
    """Take no more from the server, and return when all that came is handled, or cannot be now; within 15 s.

    What was not finished is delivered again after the consumer's `ack_wait`; a command's asker asks again.
    """
    try:
        async with asyncio.timeout(_TAKING_SECONDS):
            await asyncio.gather(*(_drain(subscriber) for subscriber in broker.subscribers))
        if await broker.ping(_ANSWER_SECONDS):  # else nothing under way can end
            async with asyncio.timeout(_ENDING_SECONDS):
                await in_flight.ended()
    except (TimeoutError, NatsError) as error:
        _log.warning("stopped-with-messages-not-handled", reason=type(error).__name__)


async def _drain(subscriber: Any) -> None:  # noqa: ANN401 -- FastStream's kinds of subscriber share no such type
    subscription, subscriber.subscription = subscriber.subscription, None  # else its stop would end it again
    if subscription is not None:
        await subscription.drain()
