"""An MLLP client: sends messages and tells, for each, what the receiver answered."""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from typing import NamedTuple

from msgspec import Struct

from services.gateway.hl7v2.error import Hl7Error
from services.gateway.hl7v2.header import read_header
from services.gateway.hl7v2.message import Message, parse
from services.gateway.mllp.framing import Decoder, Frame, framed

_CHUNK = 65_536
_LONGEST_ANSWER = 1_000_000
_ACCEPTED = {"AA", "CA"}
_REFUSALS_ONLY = {"NE", "ER"}
_OF_ANOTHER = "It answered another message: MSA-2 of the answer has to be MSH-10 of the message."
_REFUSAL_SECONDS = 1.0  # so long a refusal may take that would be the only answer


class Answer(Struct, frozen=True, kw_only=True):
    """What became of one message. An empty `code` means that nobody answered, and `error` says why."""

    control_id: str  # MSH-10 of what was sent
    code: str  # MSA-1: AA, AE, AR, CA, CE or CR
    error: str  # what the receiver said, empty where it accepted
    unasked: bool = False  # the message wants to hear of refusals only (MSH-15 NE or ER), and heard of none

    @property
    def is_accepted(self) -> bool:
        """Tell whether the receiver took the message."""
        return self.code in _ACCEPTED or self.unasked


async def send(
    host: str,
    port: int,
    messages: Iterable[bytes],
    *,
    timeout: float = 30.0,  # noqa: ASYNC109 - of each answer, not of the whole call
    window: int = 1,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Answer]:
    """Send messages over one connection and give their answers in order.

    At most `window` are unanswered at a time; `timeout` is in seconds, for connecting and for each answer.
    Where the connection breaks, the rest is given as not answered: nothing sent is passed over in silence.
    Raises OSError (TimeoutError is one) where no connection is made.
    """
    async with asyncio.timeout(timeout):
        reader, writer = await asyncio.open_connection(host, port, ssl=tls)
    try:
        async for answer in _Exchange(reader, writer, timeout).run(messages, max(window, 1)):
            yield answer
    finally:
        writer.close()
        with suppress(OSError):  # it may be closed already; every answer is told by then
            await writer.wait_closed()


class _Sent(NamedTuple):
    """A message on its way: whether sending could be tried, and whether it wants to hear of refusals only."""

    control_id: str
    tried: bool
    silent: bool
    at: float


class _Exchange:
    """One connection's messages and answers."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, timeout: float) -> None:
        self._reader = reader
        self._writer = writer
        self._timeout = timeout
        self._decoder = Decoder(_LONGEST_ANSWER)
        self._arrived: deque[Frame] = deque()
        self._broken = ""

    async def run(self, messages: Iterable[bytes], window: int) -> AsyncIterator[Answer]:
        """Keep up to `window` messages on their way."""
        waiting: deque[_Sent] = deque()
        for message in messages:
            header = read_header(message)
            silent = header.field(15) in _REFUSALS_ONLY
            tried = await self._write(message)
            waiting.append(_Sent(header.field(10), tried, silent, asyncio.get_running_loop().time()))
            if len(waiting) >= window:
                yield await self._answer(waiting.popleft())
        while waiting:
            yield await self._answer(waiting.popleft())

    async def _write(self, message: bytes) -> bool:
        """Send a message; tell whether that could be tried."""
        if self._broken:
            return False
        try:
            self._writer.write(framed(message))
            async with asyncio.timeout(self._timeout):
                await self._writer.drain()
        except OSError as fault:
            self._broken = _reason(fault, self._timeout)
        return True

    async def _answer(self, message: "_Sent") -> Answer:
        """Wait for the answer to a message. What belongs to one given up before is passed over."""
        if message.silent and not self._broken:
            return await self._refusal(message)
        is_of_another = False
        try:
            async with asyncio.timeout(self._timeout):
                while not self._broken:
                    answer = _read(await self._frame(), message.control_id)
                    if answer is not None:
                        return answer
                    is_of_another = True
        except OSError as fault:
            self._broken = _reason(fault, self._timeout)
        if is_of_another:
            return Answer(control_id=message.control_id, code="", error=f"{self._broken} {_OF_ANOTHER}")
        told = self._broken if message.tried else f"Not sent: {self._broken[:1].lower()}{self._broken[1:]}"
        return Answer(control_id=message.control_id, code="", error=told)

    async def _refusal(self, message: "_Sent") -> Answer:
        """Wait a moment for a refusal; an answer to a later message says that there will be none."""
        with suppress(OSError):
            async with asyncio.timeout_at(message.at + min(_REFUSAL_SECONDS, self._timeout)):
                frame = await self._frame()
                answer = _read(frame, message.control_id)
                if answer is not None:
                    return answer
                self._arrived.appendleft(frame)
        return Answer(control_id=message.control_id, code="", error="", unasked=True)

    async def _frame(self) -> Frame:
        while not self._arrived:
            chunk = await self._reader.read(_CHUNK)
            if not chunk:
                raise ConnectionError("The receiver closed the connection without an answer.")
            self._arrived.extend(self._decoder.feed(chunk))
        return self._arrived.popleft()


def _read(frame: Frame, control_id: str) -> Answer | None:
    """Read an answer; None where it names another message."""
    if not isinstance(frame, bytes):
        return Answer(control_id=control_id, code="", error="The answer was too long to be one.")
    try:
        message = parse(frame)
    except Hl7Error as fault:
        return Answer(control_id=control_id, code="", error=f"The answer cannot be read: {fault.sentence}")
    told = {message.text("MSA", 2), _echoed(frame)} - {""}
    if told and control_id and control_id not in told:
        return None
    code = message.text("MSA", 1)
    return Answer(control_id=control_id, code=code, error="" if code in _ACCEPTED else _error(message))


def _echoed(frame: bytes) -> str:
    """Return MSA-2 as its bytes came: of a control id with delimiters in it, the parsed one is a part."""
    lines = frame.decode("latin-1").lstrip().replace("\n", "\r").split("\r")
    separator = lines[0][3:4]
    found = (each.split(separator) for each in lines if separator and each.startswith("MSA"))
    fields = next(found, list[str]())
    return fields[2] if len(fields) > 2 else ""  # noqa: PLR2004 -- the segment's name, MSA-1, MSA-2


def _error(message: Message) -> str:
    """Say what the receiver objects to, and where."""
    place = [message.text("ERR", 2, part) for part in (1, 3)]
    where = "-".join(part for part in place if part)
    sentence = message.text("ERR", 8) or message.text("ERR", 3, 2) or message.text("MSA", 3)
    if not sentence:
        return "No reason was given."
    return f"{where}: {sentence}" if where else sentence


def _reason(fault: OSError, timeout: float) -> str:
    if isinstance(fault, TimeoutError):
        return f"There was no answer within {timeout:g} seconds."
    return str(fault) or "The connection broke."
