"""POST /batch: many messages in one request, each answered by a line; resumable, in little memory.

The answer begins when the last message is read: a client that does not read while it sends is common, and
neither would go on if both waited. Until then the answers are in a temporary file.
"""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Sequence
from typing import IO, Final, Literal

import msgspec
from litestar import post
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream
from msgspec import Struct

from services.gateway.fhir.auth import Caller
from services.gateway.fhir.door import Door, FhirRequest
from services.gateway.fhir.outcome import FhirError, Issue, refused
from services.gateway.fhir.write.uploaded import Form, messages
from services.gateway.fhir.write.uploaded_message import Read, read
from shared.eventlog.errors import LogUnavailableError
from shared.eventlog.log import Message

BUCKET: Final = "BATCHES"
_AT_ONCE: Final = 64
_IN_MEMORY: Final = 256 * 1024
_CHUNK: Final = 64 * 1024
_NDJSON: Final = "application/x-ndjson"
_LONGEST_KEY: Final = 255
_FORMS: Final[dict[str, Form]] = {
    _NDJSON: "ndjson",
    "application/ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "application/fhir+ndjson": "ndjson",
    "application/hl7-v2": "hl7v2",
    "application/hl7-v2+er7": "hl7v2",
    "x-application/hl7-v2+er7": "hl7v2",
    "text/hl7v2": "hl7v2",
    "text/plain": "hl7v2",
}
_NOT_STORED: Final = Issue("error", "transient", "It could not be stored now; please send the batch again.")
_encoder = msgspec.json.Encoder()


class Line(Struct, frozen=True, omit_defaults=True):
    """What became of a message: `number` counts messages from 1, `ids` are CloudEvents ids in INBOUND."""

    number: int
    status: Literal["stored", "refused", "not-stored"]
    control_id: str = ""
    ids: tuple[str, ...] = ()
    again: bool = False  # the same batch had stored it before
    issue: Sequence[Issue] = ()


class Summary(Struct, frozen=True):
    """The last line. `complete` is false where the log went away: the rest was not read."""

    stored: int
    refused: int
    complete: bool


class _Last(Struct, frozen=True):
    summary: Summary


class _Reached(Struct, frozen=True):
    """How far a batch came: messages from its beginning, and their digest."""

    messages: int
    digest: str


def upload_routes(door: Door) -> list[HTTPRouteHandler]:
    """Return the route of batches."""

    @post("/batch", status_code=200, request_max_body_size=None)
    async def upload(request: FhirRequest) -> Stream:
        caller = door.caller(request)
        form = _form(request.headers.get("content-type", ""))
        batch = _Batch(door, caller, form, _key(request.headers.get("idempotency-key"), caller))
        return Stream(_content(await batch.take(request.stream())), media_type=_NDJSON)

    return [upload]


class _Batch:
    """One request's messages."""

    def __init__(self, door: Door, caller: Caller, form: Form, key: str | None) -> None:
        self._door = door
        self._caller = caller
        self._form: Form = form
        self._subject = f"$KV.{BUCKET}.{key}" if key else None
        self._digest = hashlib.sha256()
        self._number = 0
        self._counts = {"stored": 0, "refused": 0, "not-stored": 0}

    async def take(self, chunks: AsyncIterator[bytes]) -> IO[bytes]:
        """Store the messages; returns the file of answers. Raises FhirError where it is another batch."""
        reached = await self._reached()
        answers = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 -- closed when it was sent
        try:
            await self._write(chunks, reached, answers)
        except BaseException:
            answers.close()
            raise
        answers.seek(0)
        return answers

    async def _write(self, chunks: AsyncIterator[bytes], reached: _Reached, answers: IO[bytes]) -> None:
        some: list[bytes] = []
        async for message in messages(chunks, self._form, largest=self._door.largest_payload()):
            some.append(message)
            if len(some) == _AT_ONCE or self._number + len(some) == reached.messages:
                await self._chunk(some, reached, answers)
                some = []
                if self._counts["not-stored"]:
                    break
        if some:
            await self._chunk(some, reached, answers)
        if self._number < reached.messages and not self._counts["not-stored"]:
            raise _other_batch()
        complete = not self._counts["not-stored"]
        summary = Summary(self._counts["stored"], self._counts["refused"], complete)
        answers.write(_encoder.encode(_Last(summary)) + b"\n")

    async def _chunk(self, some: Sequence[bytes], reached: _Reached, answers: IO[bytes]) -> None:
        first = self._number + 1
        again = first <= reached.messages
        lines = await asyncio.gather(
            *(self._one(number, raw, again=again) for number, raw in enumerate(some, first))
        )
        for raw, line in zip(some, lines, strict=True):
            self._digest.update(len(raw).to_bytes(8, "big") + raw)
            self._counts[line.status] += 1
            answers.write(_encoder.encode(line) + b"\n")
        self._number += len(some)
        if self._number == reached.messages and self._digest.hexdigest() != reached.digest:
            raise _other_batch()
        if not self._counts["not-stored"] and self._number > reached.messages:
            await self._checkpoint()

    async def _one(self, number: int, raw: bytes, *, again: bool) -> Line:
        try:
            found = await read(self._door, self._caller, raw, self._form)
            if not again:
                await self._store(found)
        except FhirError as error:
            status = "not-stored" if error.status >= 500 else "refused"  # noqa: PLR2004 -- ours
            return Line(number, status, issue=error.issues)
        except LogUnavailableError:
            return Line(number, "not-stored", issue=[_NOT_STORED])
        ids = tuple(str(each.id) for each in found.deliveries)
        issues = [Issue("warning", "informational", each) for each in found.warnings]
        return Line(number, "stored", found.control_id, ids, again, issues)

    async def _store(self, found: Read) -> None:
        await self._door.log.publish_together(
            [(each.subject, Message(each.id, each.payload)) for each in found.deliveries]
        )

    async def _reached(self) -> _Reached:
        nothing = _Reached(0, "")
        if self._subject is None:
            return nothing
        stored = await self._door.log.next(f"KV_{BUCKET}", self._subject, 1)
        return msgspec.json.decode(stored.payload, type=_Reached) if stored else nothing

    async def _checkpoint(self) -> None:
        if self._subject is None:
            return
        reached = _encoder.encode(_Reached(self._number, self._digest.hexdigest()))
        try:
            await self._door.log.publish(self._subject, reached, {})
        except LogUnavailableError:
            return  # what is stored stays stored: sent again, some is stored again under the same ids


def _form(content_type: str) -> Form:
    form = _FORMS.get(content_type.partition(";")[0].strip().lower())
    if form is None:
        sentence = "A batch has to be application/x-ndjson, or application/hl7-v2."
        raise refused(415, "not-supported", sentence, "http.Content-Type")
    return form


def _key(told: str | None, caller: Caller) -> str | None:
    if told is None:
        return None
    if not told or len(told) > _LONGEST_KEY:
        sentence = f"An Idempotency-Key has 1 to {_LONGEST_KEY} characters."
        raise refused(400, "value", sentence, "http.Idempotency-Key")
    return f"{caller.source}.{hashlib.sha256(told.encode()).hexdigest()[:32]}"


def _other_batch() -> FhirError:
    sentence = "Under this Idempotency-Key another batch was sent: a new one needs a new key."
    return refused(422, "conflict", sentence, "http.Idempotency-Key")


async def _content(answers: IO[bytes]) -> AsyncIterator[bytes]:
    with answers:
        while chunk := answers.read(_CHUNK):
            yield chunk
