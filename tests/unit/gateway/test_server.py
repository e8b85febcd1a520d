import asyncio
import resource
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress

import pytest

from services.gateway.mllp.connection import Limits
from services.gateway.mllp.framing import Frame, Oversized, framed
from services.gateway.mllp.server import Server, serve

pytestmark = pytest.mark.timeout(20)

IDLE = 2_000

Handler = Callable[[Frame], Coroutine[None, None, bytes | None]]


async def echo(frame: Frame) -> bytes | None:
    return b"too long" if isinstance(frame, Oversized) else b"re " + frame


class Gate:
    """Holds messages back until each is let through."""

    def __init__(self) -> None:
        self.arrived: list[bytes] = []
        self._open: dict[bytes, asyncio.Event] = {}

    async def __call__(self, frame: Frame) -> bytes:
        assert isinstance(frame, bytes)
        self.arrived.append(frame)
        await self._event(frame).wait()
        return b"re " + frame

    def release(self, frame: bytes) -> None:
        self._event(frame).set()

    def _event(self, frame: bytes) -> asyncio.Event:
        return self._open.setdefault(frame, asyncio.Event())


@asynccontextmanager
async def serving(handler: Handler, limits: Limits | None = None) -> AsyncGenerator[Server]:
    server = await serve(handler, "127.0.0.1", 0, limits=limits)
    try:
        yield server
    finally:
        await server.close()


class Peer:
    """A sender on its own connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def say(self, *messages: bytes) -> None:
        self.writer.write(b"".join(map(framed, messages)))

    async def hear(self, count: int = 1) -> list[bytes]:
        return [(await self.reader.readuntil(b"\x1c\r"))[1:-2] for _ in range(count)]

    async def hear_out(self) -> bytes:
        """What is left until the other side hangs up, politely or not."""
        try:
            return await self.reader.read()
        except ConnectionError:
            return b""


@asynccontextmanager
async def peer(server: Server) -> AsyncGenerator[Peer]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        yield Peer(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - what is waited for is the server's own business
        await asyncio.sleep(0.005)


async def test_many_messages_in_one_packet_are_answered_in_their_order():
    async with serving(echo) as server, peer(server) as sender:
        sender.say(*(b"%d" % number for number in range(200)))
        assert await sender.hear(200) == [b"re %d" % number for number in range(200)]


async def test_a_message_in_many_packets_is_one_message():
    async with serving(echo) as server, peer(server) as sender:
        for byte in framed(b"slowly"):
            sender.writer.write(bytes([byte]))
            await sender.writer.drain()
        assert await sender.hear() == [b"re slowly"]


async def test_messages_are_handled_at_the_same_time_and_answered_in_order():
    gate = Gate()
    async with serving(gate) as server, peer(server) as sender:
        sender.say(b"1", b"2")
        await until(lambda: gate.arrived == [b"1", b"2"])
        gate.release(b"2")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(sender.reader.read(1), 0.05)
        gate.release(b"1")
        assert await sender.hear(2) == [b"re 1", b"re 2"]


async def test_no_more_is_read_while_too_much_is_unanswered():
    gate = Gate()
    async with serving(gate, Limits(in_flight=2)) as server, peer(server) as sender:
        sender.say(b"0", b"1")
        await until(lambda: len(gate.arrived) == 2)
        sender.say(b"2", b"3")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(until(lambda: len(gate.arrived) > 2), 0.05)
        for number in range(4):
            gate.release(b"%d" % number)
        assert await sender.hear(4) == [b"re 0", b"re 1", b"re 2", b"re 3"]


async def test_ten_thousand_messages_in_one_packet_leave_the_other_peers_their_turn():
    handled: list[bytes] = []

    async def note(frame: Frame) -> bytes | None:
        assert isinstance(frame, bytes)
        handled.append(frame)
        return None if frame == b"" else b"re " + frame

    limits = Limits(in_flight=20_000)
    async with serving(note, limits) as server, peer(server) as flood, peer(server) as sender:
        await until(lambda: server.connections == 2)
        flood.say(*[b""] * 10_000)
        sender.say(b"mine")
        assert await sender.hear() == [b"re mine"]
        assert handled.index(b"mine") < 5_000
        await until(lambda: len(handled) == 10_001)
        assert server.held == 0


async def test_a_message_over_the_limit_is_answered_and_its_connection_goes_on():
    async with serving(echo, Limits(message_size=1_000)) as server, peer(server) as sender:
        sender.say(b"x" * 100_000, b"next")
        assert await sender.hear(2) == [b"too long", b"re next"]


async def test_a_message_that_cannot_be_answered_closes_its_connection_and_no_later_one_is_answered():
    async def failing(frame: Frame) -> bytes | None:
        if frame == b"2":
            raise RuntimeError
        return await echo(frame)

    async with serving(failing) as server, peer(server) as sender:
        sender.say(b"1", b"2", b"3")
        assert await sender.hear_out() == framed(b"re 1")


async def test_a_message_whose_sender_wants_no_answer_gets_none():
    async def quiet(frame: Frame) -> bytes | None:
        return None if frame == b"hush" else await echo(frame)

    async with serving(quiet) as server, peer(server) as sender:
        sender.say(b"hush", b"say")
        assert await sender.hear() == [b"re say"]


async def test_a_sender_that_closes_its_side_still_gets_its_answers():
    gate = Gate()
    async with serving(gate) as server, peer(server) as sender:
        sender.say(b"last")
        sender.writer.write_eof()
        await until(lambda: bool(gate.arrived))
        gate.release(b"last")
        assert await sender.hear_out() == framed(b"re last")


@pytest.mark.parametrize(
    ("limits", "sent"),
    [(Limits(idle=0.05), b""), (Limits(message_time=0.05), b"\x0bhalf a message")],
)
async def test_silence_and_half_messages_end_in_time(limits: Limits, sent: bytes):
    async with serving(echo, limits) as server, peer(server) as sender:
        sender.writer.write(sent)
        assert await sender.hear_out() == b""
        await until(lambda: server.connections == 0)


async def test_a_peer_that_does_not_read_its_answers_is_cut_off():
    async def long_winded(_: Frame) -> bytes | None:
        return b"x" * 1_000_000

    async with serving(long_winded, Limits(message_time=0.05)) as server, peer(server) as sender:
        sender.say(*[b"1"] * 50)
        await until(lambda: server.connections == 0)


async def test_a_message_being_handled_is_no_silence():
    gate = Gate()
    async with serving(gate, Limits(idle=0.25)) as server, peer(server) as sender:
        sender.say(b"long")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(sender.reader.read(1), 0.75)
        gate.release(b"long")
        assert await sender.hear() == [b"re long"]


async def test_more_connections_than_allowed_are_refused_and_the_others_go_on():
    async with serving(echo, Limits(connections=1)) as server, peer(server) as sender:
        await until(lambda: server.connections == 1)
        async with peer(server) as refused:
            assert await refused.hear_out() == b""
        sender.say(b"1")
        assert await sender.hear() == [b"re 1"]


async def test_the_longest_half_message_gives_way_when_memory_runs_out():
    async with (
        serving(echo, Limits(total_size=10_000)) as server,
        peer(server) as sender,
        peer(server) as hog,
    ):
        sender.writer.write(b"\x0bshort ")
        hog.writer.write(b"\x0b" + b"x" * 20_000)
        assert await hog.hear_out() == b""
        sender.writer.write(b"enough\x1c\r")
        assert await sender.hear() == [b"re short enough"]
        assert server.held == 0


async def test_closing_answers_what_is_in_flight_first():
    gate = Gate()
    server = await serve(gate, "127.0.0.1", 0)
    async with peer(server) as sender:
        sender.say(b"1")
        await until(lambda: bool(gate.arrived))
        closing = asyncio.create_task(server.close())
        done, _ = await asyncio.wait([closing], timeout=0.02)
        assert not done
        gate.release(b"1")
        await closing
        assert await sender.hear_out() == framed(b"re 1")


async def test_closing_does_not_wait_for_ever():
    gate = Gate()
    server = await serve(gate, "127.0.0.1", 0)
    async with peer(server) as sender:
        sender.say(b"1")
        await until(lambda: bool(gate.arrived))
        await server.close(grace=0.05)
        assert await sender.hear_out() == b""
        gate.release(b"1")


@pytest.mark.timeout(90)
async def test_two_thousand_idle_peers_keep_nobody_from_working():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2 * IDLE + 500:
        pytest.skip(f"This process may open {hard} files at most; {2 * IDLE + 500} are needed.")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    writers: list[asyncio.StreamWriter] = []
    try:
        async with serving(echo) as server:
            for _ in range(IDLE // 100):
                opened = [asyncio.open_connection("127.0.0.1", server.port) for _ in range(100)]
                writers += [writer for _, writer in await asyncio.gather(*opened)]
            for writer in writers[::2]:
                writer.write(b"\x0bMSH|half a message")
            await until(lambda: server.connections == IDLE)
            async with peer(server) as sender:
                sender.say(*(b"%d" % number for number in range(500)))
                async with asyncio.timeout(5):
                    assert await sender.hear(500) == [b"re %d" % number for number in range(500)]
            for writer in writers:
                writer.transport.abort()
            await until(lambda: server.connections == 0)
            assert server.held == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_a_slow_sender_harms_only_itself():
    async with (
        serving(echo, Limits(message_time=0.3)) as server,
        peer(server) as slow,
        peer(server) as quick,
    ):

        async def drip() -> None:
            for byte in framed(b"never finished" * 100):
                slow.writer.write(bytes([byte]))
                await asyncio.sleep(0.01)

        dripping = asyncio.create_task(drip())
        for number in range(20):
            quick.say(b"%d" % number)
            assert await quick.hear() == [b"re %d" % number]
        assert await slow.hear_out() == b""
        dripping.cancel()
        await asyncio.wait([dripping])
        quick.say(b"still here")
        assert await quick.hear() == [b"re still here"]


async def test_a_message_far_over_the_limit_is_not_held_and_its_answer_comes_before_its_end():
    async with serving(echo, Limits(message_size=100_000)) as server, peer(server) as sender:
        sender.writer.write(b"\x0b" + b"x" * 200_000)
        assert await sender.hear() == [b"too long"]
        for _ in range(100):
            sender.writer.write(b"x" * 100_000)
            await sender.writer.drain()
            assert server.held < 200_000
        sender.writer.write(b"\x1c\r" + framed(b"next"))
        assert await sender.hear() == [b"re next"]
