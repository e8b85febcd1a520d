"""Takes what senders publish themselves, and stores it before it answers as a JetStream publish is answered.

A sender publishes to `inbound.<source>.<kind>` in its own account, which makes a request to
`native.<source>.<kind>` of it here (deploy/nats/accounts.example.conf): the server vouches for the source.
Nothing of its headers is looked at: an id in them, or a batch, would be shared with all other senders.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from time import perf_counter
from typing import Final, Protocol, cast, get_args

import msgspec
import structlog
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from services.gateway.equivalent import type_of
from services.gateway.inbound import Delivery, stored_as
from services.gateway.profiles import Profiles
from shared import metrics
from shared.eventlog.errors import LogUnavailableError, TooLargeError
from shared.eventlog.log import Log, Message
from shared.events.inbound import InboundMessage, Kind
from shared.events.publication import PublishAck, PublishError, PublishRefusal, RefusalCode
from shared.events.received import UnreadableMessageError, published
from shared.telemetry import failure

_SUBJECT: Final = "native.*.*"
_QUEUE: Final = "gateway"
_STREAM: Final = "INBOUND"
_AT_ONCE: Final = 64
_WAITING_BYTES: Final = 64 * 1024 * 1024  # what comes while there are more is dropped: its sender asks again
_ENVELOPE_OF_NATS: Final = 1_024  # subject and headers count towards the server's greatest payload
_DRAINING_SECONDS: Final = 3.0
_OUR_CODES: Final = 20_000  # nats-server's own are about 10 000
_FAULT: Final = "The message could not be processed for a fault of the receiver."
_KINDS: Final = frozenset(get_args(Kind))
_log = structlog.get_logger()


class RefusedError(Exception):
    """The message is not stored. The text says why, and nothing of its content."""

    def __init__(self, code: RefusalCode, sentence: str) -> None:
        super().__init__(sentence)
        self.code: RefusalCode = code


class _Subscription(Protocol):
    async def drain(self) -> None: ...


class _Subscribe(Protocol):
    async def __call__(
        self, subject: str, *, queue: str, cb: Callable[[Msg], Awaitable[None]], pending_bytes_limit: int
    ) -> _Subscription: ...


@asynccontextmanager
async def taking(log: Log, profiles: Callable[[], Profiles]) -> AsyncGenerator[None]:
    """Take messages while inside, every gateway its share; what was begun is answered before this returns."""
    room = asyncio.Semaphore(_AT_ONCE)

    async def take(asked: Msg) -> None:
        try:
            await _respond(asked, await _answer(log, profiles(), asked))
        finally:
            room.release()

    async with asyncio.TaskGroup() as tasks:

        async def begin(asked: Msg) -> None:
            await room.acquire()
            tasks.create_task(take(asked))

        subscribe = cast("_Subscribe", log.client.subscribe)  # nats-py leaves a future's type open
        subscription = await subscribe(_SUBJECT, queue=_QUEUE, cb=begin, pending_bytes_limit=_WAITING_BYTES)
        try:
            yield
        finally:
            await _drain(log, subscription)


async def _drain(log: Log, subscription: _Subscription) -> None:
    if log.client.is_closed:
        return
    try:
        async with asyncio.timeout(_DRAINING_SECONDS):
            await subscription.drain()
    except (TimeoutError, NatsError) as error:  # the server is away: whoever waits for an answer asks again
        _log.warning("native-not-drained", reason=type(error).__name__)


async def _respond(asked: Msg, answer: PublishAck | PublishRefusal) -> None:
    if not asked.reply:
        return
    try:
        await asked.respond(msgspec.json.encode(answer))
    except NatsError as error:  # the server is away: the sender asks again
        _log.info("native-not-answered", reason=type(error).__name__)


async def _answer(log: Log, profiles: Profiles, asked: Msg) -> PublishAck | PublishRefusal:
    began = perf_counter()
    _, source, kind = asked.subject.split(".")
    try:
        answer = await _store(log, _read(profiles, source, kind, asked.data))
        told = "stored"
    except RefusedError as error:
        answer, told = _refusal(error), str(error.code)
        _log.info("native-message-refused", source=source, code=error.code, reason=str(error))
    except Exception as fault:  # noqa: BLE001 -- a fault of ours is told to the sender, whatever it is
        answer, told = _refusal(RefusedError(500, _FAULT)), "500"
        _log.error("native-message-failed", **failure(fault))
    metrics.NATIVE_MESSAGES.labels(kind if kind in _KINDS else "other", told).inc()
    metrics.NATIVE_SECONDS.observe(perf_counter() - began)
    return answer


def _refusal(error: RefusedError) -> PublishRefusal:
    return PublishRefusal(PublishError(error.code, _OUR_CODES + error.code, str(error)))


def _read(profiles: Profiles, source: str, kind: str, payload: bytes) -> Delivery:
    """Return what is stored of a message; raises RefusedError."""
    try:
        told = published(source, payload)
    except UnreadableMessageError as error:
        raise RefusedError(400, str(error)) from None
    _check(profiles, told.message, source, kind)
    return stored_as(told.id, told.message, datetime.now(UTC))


def _check(profiles: Profiles, message: InboundMessage, source: str, kind: str) -> None:
    """Refuse what does not agree with the subject, or with what is agreed with the sender."""
    if message.source != source:
        raise RefusedError(403, "data.source names another sender than the subject.")
    if kind != message.kind:
        sentence = f"A {type(message).__name__} is of the kind {message.kind}; the subject ends otherwise."
        raise RefusedError(400, sentence)
    code, trigger = type_of(message)
    if not profiles.lets(source, code, trigger):
        sentence = (
            f"The profile of this source does not let it send this type: it counts as {code}^{trigger}."
        )
        raise RefusedError(403, sentence)


async def _store(log: Log, ready: Delivery) -> PublishAck:
    """Store a message; raises RefusedError."""
    largest = log.client.max_payload - _ENVELOPE_OF_NATS
    if len(ready.payload) > largest:
        raise _too_long(largest)
    try:
        kept = await log.publish_once(ready.subject, Message(ready.id, ready.payload))
    except TooLargeError:
        raise _too_long(largest) from None
    except LogUnavailableError:
        sentence = "The message could not be stored now; please send it again, with the same id."
        raise RefusedError(503, sentence) from None
    return PublishAck(_STREAM, kept.sequence, kept.is_duplicate)


def _too_long(largest: int) -> RefusedError:
    return RefusedError(413, f"The message makes more than the {largest} bytes that are stored.")
