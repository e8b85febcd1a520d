"""Reads one partition of the log in order, ahead of whoever asks.

The checkpoint in Postgres alone says where to go on, so the consumer on the server is thrown away and made
anew whenever something is odd: no acknowledgements, and nothing that could disagree with the checkpoint.
"""

import asyncio
from collections import deque
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from shared.eventlog.subjects import stream_of
from shared.projections.history import HistoryLostError
from shared.projections.jetstream import add_consumer, subscribe
from shared.projections.journal import Journalled, LogMessage, journalled

RECORDED_AT: Final = "Throughcare-Recorded-At"
"""Header of a restored message: when it was first recorded (RFC 3339)."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PULL_SECONDS: Final = 5.0
_HEARTBEAT_SECONDS: Final = 1.0
_SILENCE_SECONDS: Final = 3.5  # three heartbeats missed
_UNUSED_SECONDS: Final = 30.0
_NANO: Final = 1_000_000_000
_HEARTBEAT: Final = "100"
# $JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>, or with a domain and
# an account before the stream and a token behind.
_SHORT_REPLY: Final = 9


class ReaderLostError(Exception):
    """The consumer fell silent or was removed; a new one goes on where the last message was."""


class LogReader:
    """An ordered pull consumer, two batches ahead; with `gaps` it reads on where messages are missing."""

    def __init__(self, nats: Client, k: int, batch: int, *, gaps: bool = False) -> None:
        self._nats = nats
        self._k = k
        self._batch = batch
        self._gaps = gaps
        self._subscription: Subscription | None = None
        self._forget()

    async def open(self, after: int) -> None:
        """Start behind a sequence; what was read ahead before is forgotten. Raises nats' errors."""
        await self.close()
        self._forget()
        self._last = after
        consumer = await add_consumer(self._nats, stream_of(self._k), _configuration(after))
        self._next = f"$JS.API.CONSUMER.MSG.NEXT.{stream_of(self._k)}.{consumer.name}"
        self._inbox = self._nats.new_inbox()
        self._subscription = await subscribe(self._nats, self._inbox, self._receive)
        self._reconnects = self._nats.stats["reconnects"]
        await self._ask()

    async def close(self) -> None:
        """Stop reading; the server removes the consumer after a while by itself."""
        if self._subscription and not self._nats.is_closed:
            await self._subscription.unsubscribe()
        self._subscription = None

    async def next(self, wait: float) -> list[Journalled]:
        """Return what is there: at most a batch, in order, without gaps; empty after `wait` seconds.

        Raises ReaderLostError (open again behind what was last processed) and HistoryLostError.
        """
        if not self._ready:
            await self._until_ready(wait)
        if self._failure:
            raise self._failure
        messages = [self._ready.popleft() for _ in range(min(self._batch, len(self._ready)))]
        if self._asked <= 0:
            await self._ask()
        return messages

    @property
    def has_batch(self) -> bool:
        """Whether a whole batch is there already."""
        return len(self._ready) >= self._batch

    def behind(self, seq: int) -> int:
        """Return how many events are behind a sequence, as far as the last message that was read tells."""
        return self._last - seq + (_pending(self._reply) if self._reply else 0)

    def _forget(self) -> None:
        self._ready: deque[Journalled] = deque()
        self._asked = 0
        self._delivery: int = 0
        self._reply = ""
        self._failure: Exception | None = None
        self._arrived = asyncio.Event()
        self._heard = 0.0

    async def _until_ready(self, wait: float) -> None:
        self._arrived.clear()
        patience = min(wait, _HEARTBEAT_SECONDS)
        try:
            # Not `wait_for`: before Python 3.12 it forgets a cancellation that comes together with a message.
            async with asyncio.timeout(patience):
                await self._arrived.wait()
        except TimeoutError:
            self._check_silence()

    def _check_silence(self) -> None:
        silent = monotonic() - self._heard
        if silent > _SILENCE_SECONDS or self._nats.stats["reconnects"] != self._reconnects:
            self._failure = ReaderLostError("The consumer is silent.")

    async def _ask(self) -> None:
        if len(self._ready) > self._batch:
            return
        self._asked = self._batch
        self._heard = monotonic()
        await self._nats.publish(self._next, _pull(self._batch), reply=self._inbox)

    async def _receive(self, message: Msg) -> None:
        self._heard = monotonic()
        if message.reply.startswith("$JS.ACK."):
            self._take(message)
        elif message.headers and "Status" in message.headers:
            self._take_status(message.headers["Status"], message.headers.get("Description", ""))
        if self._asked <= 0 and not self._failure:
            await self._ask()
        self._arrived.set()

    def _take(self, message: Msg) -> None:
        self._asked -= 1
        read, delivery = _log_message(self._k, message)
        if read.seq <= self._last or self._failure:
            return
        if delivery != self._delivery + 1:
            # The server sent some while the connection was down, and will not send them again.
            self._failure = ReaderLostError("Deliveries were missed.")
            return
        if read.seq != self._last + 1 and not self._gaps:
            self._failure = _gap(self._k, self._last, read.seq)
            return
        self._last, self._delivery, self._reply = read.seq, delivery, message.reply
        self._ready.append(journalled(read))  # decoded while Postgres is busy with the batch before

    def _take_status(self, status: str, description: str) -> None:
        if status == _HEARTBEAT:
            return
        if status in ("404", "408") or "Batch Completed" in description:
            self._asked = 0  # the pull has ended; the next one may begin
        else:
            self._failure = ReaderLostError(f"The consumer answered {status} {description}.")


def _configuration(after: int) -> ConsumerConfig:
    return ConsumerConfig(
        description="throughcare projector",
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=after + 1,
        ack_policy=AckPolicy.NONE,
        inactive_threshold=_UNUSED_SECONDS,
        mem_storage=True,
        num_replicas=1,
    )


def _pull(batch: int) -> bytes:
    return msgspec.json.encode(
        {
            "batch": batch,
            "expires": int(_PULL_SECONDS * _NANO),
            "idle_heartbeat": int(_HEARTBEAT_SECONDS * _NANO),
        }
    )


def _log_message(k: int, message: Msg) -> tuple[LogMessage, int]:
    """Return the message and which delivery of its consumer it is, from 1."""
    tokens = message.reply.split(".")
    at = 5 if len(tokens) == _SHORT_REPLY else 7
    seq, delivery, nanoseconds = int(tokens[at]), int(tokens[at + 1]), int(tokens[at + 2])
    first = message.headers.get(RECORDED_AT) if message.headers else None
    recorded_at = (
        datetime.fromisoformat(first) if first else _EPOCH + timedelta(microseconds=nanoseconds // 1000)
    )
    return LogMessage(k, seq, message.subject, recorded_at, message.data), delivery


def _pending(reply: str) -> int:
    tokens = reply.split(".")
    return int(tokens[8 if len(tokens) == _SHORT_REPLY else 10])


def _gap(k: int, last: int, seq: int) -> HistoryLostError:
    missing = f"message {last + 1}" if seq == last + 2 else f"messages {last + 1} to {seq - 1}"
    return HistoryLostError(f"History was lost: {missing} of {stream_of(k)} cannot be read any more.")
