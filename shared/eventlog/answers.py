"""Answers of the server to what a client published, on one inbox for all of them.

nats-py's own `request` does the same with a random name and a waiting task for each message; where every
append waits for its ack, that is a tenth of a gateway's work.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol, cast

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError

_NO_RESPONDERS: Final = "503"


class _Subscribe(Protocol):
    async def __call__(self, subject: str, *, cb: Callable[[Msg], Awaitable[None]]) -> object: ...


class Answers:
    """Publishes with a reply subject and waits for what comes back; one instance a client."""

    def __init__(self, client: Client, *, timeout_seconds: float) -> None:
        self._client = client
        self._timeout = timeout_seconds
        self._inbox = f"{client.new_inbox()}."
        self._waiting: dict[str, asyncio.Future[Msg]] = {}
        self._count = 0
        self._listening = False
        self._lock = asyncio.Lock()

    @property
    def waiting(self) -> int:
        """How many have no answer yet."""
        return len(self._waiting)

    async def to(self, subject: str, payload: bytes, headers: dict[str, str] | None) -> Msg:
        """Publish and return the answer.

        Raises nats.errors.TimeoutError without one in time, NoRespondersError where nobody listens, and
        whatever publishing raises.
        """
        if not self._listening:
            await self._listen()
        loop = asyncio.get_running_loop()
        self._count += 1
        token = f"{self._count:x}"
        waiter: asyncio.Future[Msg] = loop.create_future()
        self._waiting[token] = waiter
        timer = loop.call_later(self._timeout, _give_up, waiter)
        try:
            await self._client.publish(subject, payload, self._inbox + token, headers)
            answer = await waiter
        finally:
            timer.cancel()
            del self._waiting[token]
        if answer.headers and answer.headers.get("Status") == _NO_RESPONDERS:
            raise NoRespondersError
        return answer

    async def _listen(self) -> None:
        async with self._lock:
            if not self._listening:
                subscribe = cast("_Subscribe", self._client.subscribe)  # nats-py leaves a future's type open
                await subscribe(f"{self._inbox}*", cb=self._answered)
                self._listening = True

    async def _answered(self, answer: Msg) -> None:
        """Hand the answer over; one that comes after its time is nobody's."""
        waiter = self._waiting.get(answer.subject[len(self._inbox) :])
        if waiter is not None and not waiter.done():
            waiter.set_result(answer)


def _give_up(waiter: asyncio.Future[Msg]) -> None:
    if not waiter.done():
        waiter.set_exception(NatsTimeoutError())
