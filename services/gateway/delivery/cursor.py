"""Answers `status.<source>.next`: a sender reads what became of its referrals, from where it was last.

The server lets each sender ask for its own source only. A consumer of its own on OUTBOUND would not do: who
may make one, or fetch from one, has the server write its messages to any subject.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, Protocol, cast

import msgspec
import structlog
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from services.gateway.delivery.owed import STREAM, after, subject_of
from shared.eventlog.errors import LogUnavailableError
from shared.eventlog.log import Log
from shared.events.outbound import StatusEntry, StatusPage, StatusRequest

_SUBJECT: Final = "status.*.next"
_QUEUE: Final = "gateway"
_DECODER: Final = msgspec.json.Decoder(StatusRequest)
_log = structlog.get_logger()


class _Subscription(Protocol):
    async def unsubscribe(self) -> None: ...


class _Subscribe(Protocol):
    async def __call__(
        self, subject: str, *, queue: str, cb: Callable[[Msg], Awaitable[None]]
    ) -> _Subscription: ...


@asynccontextmanager
async def answering(log: Log) -> AsyncGenerator[None]:
    """Answer while inside, every gateway its share."""

    async def answer(asked: Msg) -> None:
        try:
            await asked.respond(msgspec.json.encode(await _page(log, asked)))
        except NatsError as error:  # asked without a reply subject, or while the server was away
            _log.info("status-not-answered", reason=type(error).__name__)

    subscribe = cast("_Subscribe", log.client.subscribe)  # nats-py leaves a future's type open
    subscription = await subscribe(_SUBJECT, queue=_QUEUE, cb=answer)
    try:
        yield
    finally:
        if not log.client.is_closed:
            await subscription.unsubscribe()


async def _page(log: Log, asked: Msg) -> StatusPage:
    try:
        request = _DECODER.decode(asked.data or b"{}")
        return StatusPage(entries=tuple([entry async for entry in _entries(log, _source_of(asked), request)]))
    except msgspec.DecodeError as error:
        return StatusPage(entries=(), error=f"The request cannot be read: {error}.")
    except LogUnavailableError:
        return StatusPage(entries=(), error="The statuses cannot be read at this moment; ask again later.")


async def _entries(log: Log, source: str, request: StatusRequest) -> AsyncGenerator[StatusEntry]:
    cursor, left = await _start(log, source, request), request.most
    while cursor is not None and left and (owed := await after(log, source, cursor)) is not None:
        cursor = owed.sequence
        if owed.envelope is not None:
            left -= 1
            yield StatusEntry(sequence=owed.sequence, recorded=owed.recorded_at, event=owed.envelope)


async def _start(log: Log, source: str, request: StatusRequest) -> int | None:
    """Return the cursor to read behind; None where nothing is that new."""
    if request.since is None:
        return request.after
    first = await log.since(STREAM, subject_of(source), request.since)
    return None if first is None else max(request.after, first.sequence - 1)


def _source_of(asked: Msg) -> str:
    _, source, _ = asked.subject.split(".")
    return source
