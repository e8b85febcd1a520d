"""The one way to write to the log, and the reads behind it, which its leader answers."""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import MaxPayloadError
from uuid_utils import uuid4

from shared.eventlog.answers import Answers
from shared.eventlog.errors import ConflictError, LogUnavailableError, TooLargeError
from shared.eventlog.subjects import EntityKey

_EXPECTED: Final = "Nats-Expected-Last-Subject-Sequence"
_MESSAGE_ID: Final = "Nats-Msg-Id"
_WRONG_LAST_SEQUENCE: Final = (10071, 10164)  # the server has a code for each form of the expectation
_DUPLICATE_IN_BATCH: Final = 10201
_NO_MESSAGE: Final = 10037


class Message(Struct, frozen=True):
    """An encoded event and its id, which is also the log's duplicate id."""

    id: UUID
    payload: bytes


class StoredMessage(Struct, frozen=True):
    """A message of the log, as read from it."""

    subject: str
    sequence: int
    recorded_at: datetime
    payload: bytes


class _Error(Struct):
    err_code: int = 0
    description: str = ""


class _Ack(Struct):
    seq: int = 0
    duplicate: bool = False
    error: _Error | None = None


class _AckFloor(Struct, frozen=True):
    stream_seq: int = 0


class _ConsumerInfo(Struct):
    ack_floor: _AckFloor = _AckFloor()
    num_pending: int = 0
    num_ack_pending: int = 0
    error: _Error | None = None


class Kept(Struct, frozen=True):
    """Where a message stands in its stream, and whether it stood there before it was published."""

    sequence: int
    is_duplicate: bool


class _Get(Struct, omit_defaults=True):
    next_by_subj: str
    seq: int = 0
    start_time: datetime | None = None


class _Got(Struct):
    subject: str
    seq: int
    time: str
    data: bytes = b""  # base64; left out where the message is empty


class _Answer(Struct):
    message: _Got | None = None
    error: _Error | None = None


_ACK: Final = msgspec.json.Decoder(_Ack)
_CONSUMER: Final = msgspec.json.Decoder(_ConsumerInfo)
_ANSWER: Final = msgspec.json.Decoder(_Answer)


class Log:
    """Appends to entities of the log and reads them back; every append waits for the durable ack."""

    def __init__(self, client: Client, *, timeout_seconds: float = 5.0) -> None:
        self.client = client
        self._answers = Answers(client, timeout_seconds=timeout_seconds)

    async def append(self, key: EntityKey, messages: Sequence[Message], expected: int) -> int:
        """Append all messages to the entity, or none; returns the sequence of the last.

        `expected` is the sequence of the entity's last event, 0 for a new entity. Raises ConflictError where
        somebody was first, LogUnavailableError where no answer came, TooLargeError.
        """
        if len(messages) == 1:
            headers = {_MESSAGE_ID: str(messages[0].id), _EXPECTED: str(expected)}
            return _stored_at(await self._request(key.subject, messages[0].payload, headers))
        return await self._append_batch(key, messages, expected)

    async def _append_batch(self, key: EntityKey, messages: Sequence[Message], expected: int) -> int:
        """Publish an atomic batch: only the commit is answered, for the batch as a whole (NATS ADR-50)."""
        return await self._publish_batch(
            [(key.subject, message) for message in messages], {_EXPECTED: str(expected)}
        )

    async def _publish_batch(self, messages: Sequence[tuple[str, Message]], on_first: dict[str, str]) -> int:
        batch = str(uuid4())
        last = len(messages)
        for number, (subject, message) in enumerate(messages[:-1], 1):
            headers = _batch_headers(batch, number, message)
            if number == 1:
                headers |= on_first
            await self._publish(subject, message.payload, headers)
        subject, message = messages[-1]
        commit = {**_batch_headers(batch, last, message), "Nats-Batch-Commit": "1"}
        return _stored_at(await self._request(subject, message.payload, commit))

    async def publish(self, subject: str, payload: bytes, headers: dict[str, str]) -> int:
        """Publish to a stream other than the log and wait for its durable ack; returns the sequence."""
        return _ack(await self._request(subject, payload, headers)).seq

    async def publish_once(self, subject: str, message: Message) -> Kept:
        """Publish to a stream other than the log, unless it holds the id, and wait for the durable ack.

        Raises LogUnavailableError, TooLargeError.
        """
        ack = _ack(await self._request(subject, message.payload, {_MESSAGE_ID: str(message.id)}))
        return Kept(ack.seq, ack.duplicate)

    async def publish_together(self, messages: Sequence[tuple[str, Message]]) -> None:
        """Publish all messages, each under its subject of one stream that allows it, or none.

        What is there already, by its id, is there: that is no error. Raises LogUnavailableError.
        """
        if len(messages) == 1:
            [(subject, message)] = messages
            await self.publish(subject, message.payload, {_MESSAGE_ID: str(message.id)})
            return
        try:
            await self._publish_batch(messages, {})
        except ConflictError:
            return

    async def tail(self, stream: str, subject: str, after: int) -> AsyncIterator[StoredMessage]:
        """Read the subject's messages behind a sequence, in order, to the end."""
        while message := await self.next(stream, subject, after + 1):
            yield message
            after = message.sequence

    async def latest(self, stream: str, subject: str) -> Collection[StoredMessage]:
        """Return the last message of each subject, also of one that is replaced while they are read."""
        return {each.subject: each async for each in self.tail(stream, subject, 0)}.values()

    async def next(self, stream: str, subject: str, sequence: int) -> StoredMessage | None:
        """Read the subject's first message from a sequence on; the subject may hold wildcards."""
        return await self._first(stream, _Get(subject, seq=sequence))

    async def since(self, stream: str, subject: str, recorded: datetime) -> StoredMessage | None:
        """Read the subject's first message that was stored at a time or later."""
        return await self._first(stream, _Get(subject, start_time=recorded))

    async def _first(self, stream: str, wanted: _Get) -> StoredMessage | None:
        # Not a direct get: that may be answered by a replica that is behind, which does not have yet what was
        # acknowledged a moment ago (ADR 12). This one is answered by the stream's leader.
        body = msgspec.json.encode(wanted)
        reply = await self._request(f"$JS.API.STREAM.MSG.GET.{stream}", body, None)
        return _stored(reply)

    async def get(self, stream: str, sequence: int) -> StoredMessage | None:
        """Read one message of a stream."""
        message = await self.next(stream, ">", sequence)
        return message if message and message.sequence == sequence else None

    async def delete(self, stream: str, sequence: int) -> None:
        """Delete a message of a stream that allows it; the log's own do not."""
        body = msgspec.json.encode({"seq": sequence, "no_erase": True})
        await self._request(f"$JS.API.STREAM.MSG.DELETE.{stream}", body, None)

    async def pending(self, stream: str, consumer: str) -> int | None:
        """Return how many messages a durable consumer has not handled yet; None without such a consumer."""
        info = await self._consumer(stream, consumer)
        return None if info.error else info.num_pending + info.num_ack_pending

    async def handled(self, stream: str, consumer: str) -> int:
        """Return up to where a durable consumer has handled everything; 0 without such a consumer."""
        return (await self._consumer(stream, consumer)).ack_floor.stream_seq

    async def _consumer(self, stream: str, consumer: str) -> _ConsumerInfo:
        reply = await self._request(f"$JS.API.CONSUMER.INFO.{stream}.{consumer}", b"", None)
        return _CONSUMER.decode(reply.data)

    async def ping(self) -> None:
        """Return when the server's JetStream answers; raises LogUnavailableError."""
        await self._request("$JS.API.INFO", b"", None)

    async def _publish(self, subject: str, payload: bytes, headers: dict[str, str]) -> None:
        try:
            await self.client.publish(subject, payload, headers=headers)
        except MaxPayloadError as error:
            raise TooLargeError(_too_large(payload)) from error
        except NatsError as error:
            raise LogUnavailableError(f"The log cannot be reached ({type(error).__name__}).") from error

    async def _request(self, subject: str, payload: bytes, headers: dict[str, str] | None) -> Msg:
        try:
            return await self._answers.to(subject, payload, headers)
        except MaxPayloadError as error:
            raise TooLargeError(_too_large(payload)) from error
        except (NatsError, TimeoutError) as error:
            raise LogUnavailableError(f"The log did not answer ({type(error).__name__}).") from error


def _too_large(payload: bytes) -> str:
    return f"The log's server does not take a message of {len(payload)} bytes."


def _batch_headers(batch: str, number: int, message: Message) -> dict[str, str]:
    return {
        "Nats-Batch-Id": batch,
        "Nats-Batch-Sequence": str(number),
        _MESSAGE_ID: str(message.id),
    }


def _stored_at(reply: Msg) -> int:
    ack = _ack(reply)
    if ack.duplicate:
        # The id is one of another append, perhaps to another entity: nothing was stored by this one.
        raise ConflictError("The event is in the log already.")
    return ack.seq


def _ack(reply: Msg) -> _Ack:
    try:
        ack = _ACK.decode(reply.data)
    except msgspec.DecodeError as error:
        raise LogUnavailableError("The log gave an answer that cannot be read.") from error
    if ack.error is None:
        return ack
    if ack.error.err_code in (*_WRONG_LAST_SEQUENCE, _DUPLICATE_IN_BATCH):
        # A duplicate id means that the same decision is there already: reloading shows it.
        raise ConflictError(ack.error.description)
    raise LogUnavailableError(f"The log refused an append: {ack.error.description}.")


def _stored(reply: Msg) -> StoredMessage | None:
    try:
        answer = _ANSWER.decode(reply.data)
    except msgspec.DecodeError as error:
        raise LogUnavailableError("The log gave an answer that cannot be read.") from error
    if (message := answer.message) is not None:
        recorded = datetime.fromisoformat(message.time)
        return StoredMessage(message.subject, message.seq, recorded, message.data)
    if answer.error is not None and answer.error.err_code == _NO_MESSAGE:
        return None
    reason = answer.error.description if answer.error else "without a message"
    raise LogUnavailableError(f"The log answered a read with: {reason}.")
