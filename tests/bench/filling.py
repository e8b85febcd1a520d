"""Fills a log fast, in atomic batches."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple
from uuid import uuid4

import msgspec
from nats.aio.client import Client

TIMEOUT_SECONDS = 30.0
_BATCH = 500
_AT_ONCE = 4


class Told(NamedTuple):
    """An event on its way into the log."""

    subject: str
    message: bytes


class FillError(Exception):
    """The log did not take a batch."""


class _Ack(msgspec.Struct):
    seq: int = 0
    error: object = None


async def fill(client: Client, events: Iterable[Told]) -> AsyncGenerator[list[tuple[int, Told]]]:
    """Append the events of a partition that nobody else appends to; gives them with their sequences."""
    left = iter(events)
    while batches := list(_batches(left)):
        placed: list[tuple[int, Told]] = []
        ends = await asyncio.gather(*(_append(client, batch) for batch in batches))
        for batch, last in zip(batches, ends, strict=True):
            placed += enumerate(batch, last - len(batch) + 1)
        yield placed


def _batches(events: Iterator[Told]) -> Iterator[list[Told]]:
    for _ in range(_AT_ONCE):
        if batch := list(islice(events, _BATCH)):
            yield batch


async def _append(client: Client, batch: Sequence[Told]) -> int:
    """Append an atomic batch; returns the sequence of its last event."""
    id_ = str(uuid4())
    for number, (subject, message) in enumerate(batch[:-1], 1):
        await client.publish(
            subject, message, headers={"Nats-Batch-Id": id_, "Nats-Batch-Sequence": str(number)}
        )
    headers = {"Nats-Batch-Id": id_, "Nats-Batch-Sequence": str(len(batch)), "Nats-Batch-Commit": "1"}
    reply = await client.request(
        batch[-1].subject, batch[-1].message, timeout=TIMEOUT_SECONDS, headers=headers
    )
    ack = msgspec.json.decode(reply.data, type=_Ack)
    if ack.error:
        raise FillError(f"The log refused a batch: {ack.error}")
    return ack.seq
