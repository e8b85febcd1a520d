"""Peers that mean harm, or know no better, beside one that works: each is cut off, and none is felt by it."""

import asyncio
import resource
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from pathlib import Path

import msgspec
import pytest

from services.console.embedded import NatsServer
from services.gateway.mllp.framing import framed
from shared.process import RunFile
from tests.integration.gateway.test_certificates import Hospital, sent
from tests.integration.gateway.test_gateway import Gateway, gateway
from tests.integration.gateway.test_profiles import readiness
from tests.unit.gateway.messages import discharge

pytestmark = pytest.mark.timeout(120)

LIMITS = {
    "THROUGHCARE_MLLP_IDLE_SECONDS": "2",
    "THROUGHCARE_MLLP_MESSAGE_SECONDS": "2",
    "THROUGHCARE_MLLP_MAX_BYTES": "200000",
}
OF_EACH = 3
PAUSE = 0.02
GROWTH_MB = 40
SILENT = 2_000
HANDSHAKES = 200
CLIENT_HELLO_BEGUN = b"\x16\x03\x01\x02\x00\x01"
FEW_FILES = 256  # as many as the shell of some systems lets a process open


class Peer:
    """A connection to the gateway."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def say(self, told: bytes) -> None:
        self._writer.write(told)
        await self._writer.drain()

    async def answer(self) -> bytes:
        return await self._reader.readuntil(b"\x1c\r")

    async def ended(self) -> bytes:
        """What comes until the gateway hangs up."""
        with suppress(ConnectionError):
            return await self._reader.read()
        return b""

    def cut(self) -> None:
        self._writer.transport.abort()


def peer(edge: Gateway) -> AbstractAsyncContextManager[Peer]:
    return connected(edge.port)


@asynccontextmanager
async def connected(port: int) -> AsyncGenerator[Peer]:
    """A peer whose own buffer is small, so that what it does not read is the gateway's to keep."""
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    plain.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=plain, limit=2_048)
    try:
        yield Peer(reader, writer)
    finally:
        writer.transport.abort()


async def says_nothing(peer: Peer) -> None:
    await peer.ended()


async def stops_half_way(peer: Peer) -> None:
    await peer.say(framed(discharge())[:200])
    await peer.ended()


async def drips(peer: Peer) -> None:
    for byte in framed(discharge() * 100):
        await peer.say(bytes([byte]))
        await asyncio.sleep(0.02)


async def talks_before_it_begins(peer: Peer) -> None:
    await peer.say(
        b"GET / HTTP/1.1\r\n" + b"x" * 1_000_000 + framed(discharge(control_id="AFTER-JUNK")) + b"\x1c\x1c"
    )
    assert b"MSA|AA|AFTER-JUNK" in await peer.answer()
    await peer.ended()


async def says_too_much(peer: Peer) -> None:
    await peer.say(framed(discharge("NTE|1||" + "x" * 5_000_000, control_id="LONG")))
    assert b"MSA|AR|LONG" in await peer.answer()
    await peer.say(framed(discharge(control_id="SHORT")))
    assert b"MSA|AA|SHORT" in await peer.answer()
    await peer.ended()


async def never_ends_a_message(peer: Peer) -> None:
    await peer.say(b"\x0bMSH|^~\\&|")
    while True:
        await peer.say(b"x" * 10_000)
        await asyncio.sleep(0.01)


async def never_reads(peer: Peer) -> None:
    """The answers fill every buffer there is, and then the gateway reads no more, so this waits in `say`."""
    while True:
        await peer.say(framed(b"") * 1_000)


HOSTILE: tuple[Callable[[Peer], Awaitable[None]], ...] = (
    says_nothing,
    stops_half_way,
    drips,
    talks_before_it_begins,
    says_too_much,
    never_ends_a_message,
    never_reads,
)


async def until_cut_off(edge: Gateway, act: Callable[[Peer], Awaitable[None]]) -> None:
    async with peer(edge) as hostile:
        with suppress(ConnectionError):
            await act(hostile)


def port_of(run_file: Path, name: str) -> int:
    return msgspec.json.decode(run_file.read_bytes(), type=RunFile).ports[name]


def rss_mb(edge: Gateway) -> int:
    status = Path(f"/proc/{edge.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) // 1_024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Memory is read from /proc.")
async def test_no_peer_harms_another_and_each_is_cut_off_in_time(
    nats_server: NatsServer, servers_directory: Path
):
    async with gateway(nats_server, servers_directory, **LIMITS) as edge, peer(edge) as good:
        before, answered = rss_mb(edge), 0
        hostile = [asyncio.create_task(until_cut_off(edge, act)) for act in HOSTILE for _ in range(OF_EACH)]
        while not all(task.done() for task in hostile):
            await good.say(framed(discharge(control_id=f"GOOD-{answered}")))
            assert f"MSA|AA|GOOD-{answered}".encode() in await good.answer()
            answered += 1
            await asyncio.sleep(PAUSE)
        await asyncio.gather(*hostile)
        assert rss_mb(edge) - before < GROWTH_MB


@contextmanager
def few_files() -> Generator[None]:
    """Let what is started inside open few files; as many as the system allows it may open if it asks."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FEW_FILES, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def many_files() -> Generator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < SILENT + 500:
        pytest.skip(f"A process may open {hard} files at most here; {SILENT + 500} are needed.")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_a_gateway_that_may_open_few_files_asks_for_more_and_keeps_two_thousand_peers(
    nats_server: NatsServer, servers_directory: Path
):
    async with AsyncExitStack() as stack:
        with few_files():
            edge = await stack.enter_async_context(gateway(nats_server, servers_directory))
        stack.enter_context(many_files())
        silent = [await stack.enter_async_context(peer(edge)) for _ in range(SILENT)]
        for each in silent[::2]:
            await each.say(b"\x0bMSH|half a message")
        assert await edge.codes(discharge()) == ["AA"]
        await silent[-1].say(framed(discharge(control_id="LAST-OF-ALL")))
        assert b"MSA|AA|LAST-OF-ALL" in await silent[-1].answer()


async def test_handshakes_that_never_end_keep_nobody_out(
    nats_server: NatsServer, servers_directory: Path, tmp_path: Path
):
    hospital = Hospital(tmp_path)
    async with (
        gateway(nats_server, servers_directory, **hospital.settings()) as edge,
        AsyncExitStack() as stack,
    ):
        for _ in range(HANDSHAKES):
            half = await stack.enter_async_context(peer(edge))
            await half.say(CLIENT_HELLO_BEGUN)
        assert (await sent(edge, "GOOD", hospital.engine("engine.lakeside.example"))).code == "AA"


async def test_where_few_files_can_be_opened_neither_sort_of_peers_takes_those_of_the_other(
    nats_server: NatsServer, servers_directory: Path
):
    async with (
        gateway(nats_server, servers_directory, FEW_FILES) as edge,
        AsyncExitStack() as stack,
    ):
        first = await stack.enter_async_context(peer(edge))
        await first.say(framed(discharge(control_id="FIRST")))
        assert b"MSA|AA|FIRST" in await first.answer()
        http = port_of(servers_directory / "gateway.json", "fhir")
        for port in (http, edge.port):
            crowd = [await stack.enter_async_context(connected(port)) for _ in range(FEW_FILES)]
            await crowd[-1].ended()
        await first.say(framed(discharge(control_id="STILL")))
        assert b"MSA|AA|STILL" in await first.answer()
        assert (await asyncio.to_thread(readiness, servers_directory / "gateway.json"))[1].ready
