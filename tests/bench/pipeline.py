"""One pipeline under load, ours or the bare one: where it is fed, and how one sees what came of it."""

import asyncio
import time
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Self

import msgspec
from asyncpg import Record
from nats.aio.client import Client
from nats.aio.msg import Msg

from shared.projections.postgres import Connection
from tests.bench.bare.log import listen
from tests.bench.bare.projector import NOTICE
from tests.flushed import flushed

_VISIBLE_SECONDS = 120.0
_RECEIVED = "throughcare.intake.ReferralReceived"


class NotVisibleError(Exception):
    """What was sent did not become visible in time."""


@dataclass(frozen=True)
class Pipeline:
    """Names of one pipeline."""

    port: int
    schema: str  # where its timeline is
    log: str  # the stream
    consumers: tuple[tuple[str, str], ...]  # stream and durable
    notices: str  # subject on which its projector tells a commit

    @classmethod
    def ours(cls, port: int) -> Self:
        return cls(port, "read", "CARE_0", _consumers(""), "projected.0")

    @classmethod
    def bare(cls, port: int) -> Self:
        return cls(port, "bare", "BARE_CARE_0", _consumers("bare-"), NOTICE)

    async def settled(self, client: Client) -> None:
        """Wait until every consumer has handled everything."""
        async with asyncio.timeout(_VISIBLE_SECONDS):
            for stream, consumer in self.consumers:
                while await _pending(client, stream, consumer):  # noqa: ASYNC110 -- the server tells nobody
                    await asyncio.sleep(0.02)

    async def last_seq(self, client: Client) -> int:
        """Return the sequence of the log's last event."""
        reply = await client.request(f"$JS.API.STREAM.INFO.{self.log}", timeout=10)
        return msgspec.json.decode(reply.data, type=_StreamInfo).state.last_seq

    async def receipts(self, connection: Connection, control_ids: Sequence[str]) -> dict[str, int]:
        """Return the position of each message's referral, as far as the timeline shows it."""
        query = f"select control_id, seq from {self.schema}.timeline where type = $1 and control_id = any($2)"  # noqa: S608
        rows: list[Record] = await connection.fetch(query, _RECEIVED, list(control_ids))
        return {row["control_id"]: row["seq"] for row in rows}


class Notice(NamedTuple):
    """A commit of the projector: how far, and when we heard of it."""

    seq: int
    at: float


@dataclass
class Watch:
    """Hears of a projector's commits."""

    notices: list[Notice] = field(default_factory=list[Notice])
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    async def on(cls, client: Client, subject: str) -> Self:
        watch = cls()
        await listen(client, subject, watch._hear)
        await flushed(client)
        return watch

    async def until(self, seq: int, seconds: float = _VISIBLE_SECONDS) -> float:
        """Wait until everything up to a sequence is visible; returns when it was."""
        try:
            async with asyncio.timeout(seconds):
                while not self.notices or self.notices[-1].seq < seq:
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            reached = self.notices[-1].seq if self.notices else 0
            raise NotVisibleError(f"Event {seq} is not visible after {seconds:g} s, but {reached}.") from None
        return self.visible_at(seq)

    def visible_at(self, seq: int) -> float:
        """Return when a sequence became visible."""
        return self.notices[bisect_left(self.notices, seq, key=lambda notice: notice.seq)].at

    async def _hear(self, message: Msg) -> None:
        self.notices.append(Notice(int(message.data), time.perf_counter()))
        self._moved.set()


class _State(msgspec.Struct):
    last_seq: int


class _StreamInfo(msgspec.Struct):
    state: _State


class _ConsumerInfo(msgspec.Struct):
    num_pending: int
    num_ack_pending: int


async def _pending(client: Client, stream: str, consumer: str) -> int:
    reply = await client.request(f"$JS.API.CONSUMER.INFO.{stream}.{consumer}", timeout=10)
    info = msgspec.json.decode(reply.data, type=_ConsumerInfo)
    return info.num_pending + info.num_ack_pending


def _consumers(prefix: str) -> tuple[tuple[str, str], ...]:
    stream = "BARE_" if prefix else ""
    care = tuple(
        (f"{stream}CARE_0", f"{prefix}{service}-0") for service in ("intake", "care_plan", "aftercare")
    )
    return ((f"{stream}INBOUND", f"{prefix}intake"), *care)
