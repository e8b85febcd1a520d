"""What every deciding service is made of: the log, entities, commands, policies and timers, put together."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import structlog
from faststream.nats import NatsBroker
from nats.aio.client import Client
from nats.errors import Error as NatsError

from shared import metrics
from shared.eventlog import streams
from shared.eventlog.clock import Clock, utc_now
from shared.eventlog.connection import close, connect, options, security, servers
from shared.eventlog.draining import drain
from shared.eventlog.durability import require_synced, still_synced
from shared.eventlog.entities import Entities
from shared.eventlog.errors import UnsyncedLogError
from shared.eventlog.execute import Executor
from shared.eventlog.in_flight import InFlight
from shared.eventlog.journal import Journal, open_pool
from shared.eventlog.log import Log
from shared.eventlog.policies import Policies
from shared.eventlog.streams import StreamsError
from shared.eventlog.timers import Timers
from shared.health import Check, NotReadyError
from shared.process import Process
from shared.settings import Settings

_STOP_SECONDS: Final = 4.0
_CLOSE_SECONDS: Final = 1.0
_log = structlog.get_logger()


@dataclass(frozen=True)
class Runtime:
    """The parts of a service, for its composition root."""

    settings: Settings
    clock: Clock
    log: Log
    executor: Executor
    broker: NatsBroker
    in_flight: InFlight
    policies: Policies
    timers: Timers


@asynccontextmanager
async def open_runtime(service: str, settings: Settings, process: Process) -> AsyncGenerator[Runtime]:
    """Connect everything; nothing is consumed before the caller starts the broker.

    Raises UnsyncedLogError, or StreamsError where the streams were not applied.
    """
    async with AsyncExitStack() as parts:
        client = await connect(
            settings,
            name=service,
            closed=process.nats_closed,
            reconnected=still_synced(settings, process.fail),
        )
        parts.push_async_callback(close, client)
        parts.callback(process.closes)
        await _expect_fit(client, settings, process)
        pool = await open_pool(settings)
        parts.push_async_callback(_close_pool, pool)
        log = Log(client)
        broker = _broker(service, settings, process)
        in_flight = InFlight()
        policies = Policies(service, broker, in_flight, log, utc_now)
        parts.push_async_callback(_stop, broker, in_flight, policies)
        parts.callback(process.closes)
        process.ready("log", log.ping)
        process.ready("consumers", _consumers(log, policies))
        yield Runtime(
            settings=settings,
            clock=utc_now,
            log=log,
            executor=Executor(log, Entities(log, Journal(pool), keep=settings.state_cache), settings),
            broker=broker,
            in_flight=in_flight,
            policies=policies,
            timers=Timers(service, log),
        )


async def _expect_fit(client: Client, settings: Settings, process: Process) -> None:
    try:
        await require_synced(settings)
        await streams.require(client, settings.partitions)
    except (UnsyncedLogError, StreamsError) as error:
        process.fail(str(error))
        raise


async def _stop(broker: NatsBroker, in_flight: InFlight, policies: Policies) -> None:
    """End what was begun, for 4 s. What was not is delivered again, and a command's asker asks again."""
    policies.hand_back()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await drain(broker, in_flight)
            await broker.stop()
    except (TimeoutError, NatsError, OSError) as error:  # a server is away, so that nothing can be ended
        _log.warning("stopped-with-work-begun", reason=type(error).__name__)


async def _close_pool(pool: "asyncpg.Pool[Any]") -> None:
    try:
        async with asyncio.timeout(_CLOSE_SECONDS):
            await pool.close()
    except TimeoutError:
        pool.terminate()


def _broker(service: str, settings: Settings, process: Process) -> NatsBroker:
    return NatsBroker(
        servers(settings),
        apply_types=False,  # handlers decode with a typed decoder themselves
        logger=None,
        graceful_timeout=15.0,
        security=security(settings),
        **options(name=f"{service}-broker", closed=process.nats_closed),
    )


def _consumers(log: Log, policies: Policies) -> Check:
    async def check() -> None:
        for stream, consumer in policies.consumers:
            pending = await log.pending(stream, consumer)
            if pending is None:
                raise NotReadyError(f"The consumer {consumer} of {stream} is not there.")
            metrics.CONSUMER_PENDING.labels(consumer).set(pending)

    return check
