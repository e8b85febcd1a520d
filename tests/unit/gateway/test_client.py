import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from services.gateway.hl7v2.acknowledgement import accept, refuse
from services.gateway.hl7v2.error import missing
from services.gateway.hl7v2.header import read_header
from services.gateway.mllp.client import Answer, send
from services.gateway.mllp.framing import Frame, framed
from services.gateway.mllp.server import serve
from tests.unit.gateway.messages import discharge

pytestmark = pytest.mark.timeout(20)

MESSAGES = [discharge(control_id=f"LK-{number}") for number in range(5)]


async def sent(port: int, messages: list[bytes], *, within: float = 5, window: int = 1) -> list[Answer]:
    return [answer async for answer in send("127.0.0.1", port, messages, timeout=within, window=window)]


@asynccontextmanager
async def scripted(answer: Callable[[int, bytes], bytes | None]) -> AsyncGenerator[int]:
    """A receiver that answers the nth message with what is told, and hangs up on None."""

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = 0
        while message := await _frame(reader):
            reply = answer(number, message)
            if reply is None:
                break
            writer.write(reply)
            number += 1
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve_one, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def _frame(reader: asyncio.StreamReader) -> bytes:
    try:
        return (await reader.readuntil(b"\x1c\r"))[1:-2]
    except asyncio.IncompleteReadError:
        return b""


@pytest.mark.parametrize("window", [1, 3, 100])
async def test_each_message_is_given_with_its_answer(window: int):
    async def handler(frame: Frame) -> bytes | None:
        assert isinstance(frame, bytes)
        header = read_header(frame)
        if header.field(10) == "LK-2":
            return refuse(header, missing("PID", 3, "An identifier is needed."))
        return accept(header)

    server = await serve(handler, "127.0.0.1", 0)
    answers = await sent(server.port, MESSAGES, window=window)
    await server.close()
    assert [answer.control_id for answer in answers] == ["LK-0", "LK-1", "LK-2", "LK-3", "LK-4"]
    assert [answer.code for answer in answers] == ["AA", "AA", "AE", "AA", "AA"]
    assert answers[2].error == "PID-3: An identifier is needed."


async def test_an_answer_to_another_message_is_passed_over():
    def answer(_: int, message: bytes) -> bytes:
        stale = b"MSH|^~\\&|||||||ACK|9|P|2.5\rMSA|AA|OLD\r"
        return framed(stale) + framed(accept(read_header(message)) or b"")

    async with scripted(answer) as port:
        assert [answer.code for answer in await sent(port, MESSAGES[:2])] == ["AA", "AA"]


@pytest.mark.parametrize("control_id", ["A~1", "A^B", "A&B^C~D", "A\\F\\1", "L\xe9\x85", "A 1"])
async def test_a_control_id_with_delimiters_in_it_is_known_again(control_id: str):
    message = discharge(control_id="LK-1").replace(b"LK-1", control_id.encode("latin-1"))
    async with scripted(lambda _, told: framed(accept(read_header(told)) or b"")) as port:
        [answer] = await sent(port, [message], within=2)
    assert (answer.code, answer.control_id) == ("AA", control_id)


async def test_where_the_connection_breaks_the_rest_is_told_as_not_sent():
    def answer(number: int, message: bytes) -> bytes | None:
        return framed(accept(read_header(message)) or b"") if number == 0 else None

    async with scripted(answer) as port:
        answers = await sent(port, MESSAGES[:3])
    assert [answer.code for answer in answers] == ["AA", "", ""]
    assert answers[1].error == "The receiver closed the connection without an answer."
    assert answers[2].error.startswith("Not sent: ")


async def test_no_answer_in_time_is_told():
    async with scripted(lambda _number, _message: b"") as port:
        [answer] = await sent(port, MESSAGES[:1], within=0.05)
    assert (answer.code, answer.error) == ("", "There was no answer within 0.05 seconds.")


async def test_who_answers_another_message_only_is_told_so():
    stale = framed(b"MSH|^~\\&|||||||ACK|9|P|2.5\rMSA|AA|OLD\r")
    async with scripted(lambda _number, _message: stale) as port:
        [answer] = await sent(port, MESSAGES[:1], within=0.5)
    assert answer.code == ""
    assert answer.error.startswith("There was no answer within 0.5 seconds. It answered another message")


async def test_an_answer_that_cannot_be_read_is_told():
    async with scripted(lambda _number, _message: framed(b"OK")) as port:
        [answer] = await sent(port, MESSAGES[:1])
    assert answer.code == ""
    assert answer.error.startswith("The answer cannot be read")


async def test_an_address_where_nobody_listens_is_an_error_of_the_whole():
    server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    with pytest.raises(ConnectionRefusedError):
        await sent(port, MESSAGES)
