"""The gateway as a process, with a real log that goes away and comes back."""

import asyncio
import os
import resource
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import msgspec
from nats.aio.client import Client
from nats.js import JetStreamContext

from services.console.embedded import NatsServer
from services.gateway.mllp.client import Answer, send
from shared.eventlog import streams
from shared.events.inbound import Discharge, InboundEnvelope, Referral
from shared.process import RunFile
from tests.unit.gateway.messages import PID, discharge, msh, referral, text

ROOT = Path(__file__).resolve().parents[3]


class Gateway:
    """A running gateway and the log behind it."""

    def __init__(self, port: int, nats: NatsServer, process: asyncio.subprocess.Process) -> None:
        self.port = port
        self.nats = nats
        self.process = process

    async def answers(self, *messages: bytes, window: int = 1) -> list[Answer]:
        return [answer async for answer in send("127.0.0.1", self.port, messages, timeout=20, window=window)]

    async def codes(self, *messages: bytes, window: int = 1) -> list[str]:
        return [answer.code for answer in await self.answers(*messages, window=window)]

    async def stored(self) -> list[InboundEnvelope]:
        async with _client(self.nats.url) as client:
            jetstream = JetStreamContext(client)
            last = (await jetstream.stream_info("INBOUND")).state.last_seq
            found = [await jetstream.get_msg("INBOUND", number) for number in range(1, last + 1)]
        return [msgspec.json.decode(message.data or b"", type=InboundEnvelope) for message in found]


@asynccontextmanager
async def _client(url: str) -> AsyncGenerator[Client]:
    client = Client()
    await client.connect(url)
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def gateway(
    nats: NatsServer, directory: Path, files: int | None = None, /, **settings: str
) -> AsyncGenerator[Gateway]:
    """Run a gateway; `files` is the most that its process may open, whatever it asks for."""
    async with _client(nats.url) as client:
        await streams.apply(client, 1)
    run_file = directory / "gateway.json"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "services.console", "run", "gateway"),
        cwd=ROOT,
        env={**os.environ, **_environment(nats, run_file), **settings},
        preexec_fn=partial(resource.setrlimit, resource.RLIMIT_NOFILE, (files, files)) if files else None,
    )
    try:
        yield Gateway(await _port(run_file, process), nats, process)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _environment(nats: NatsServer, run_file: Path) -> dict[str, str]:
    return {
        "THROUGHCARE_NATS_URL": nats.url,
        "THROUGHCARE_NATS_MONITOR_URL": nats.monitor_url,
        "THROUGHCARE_DATABASE_URL": "postgresql://127.0.0.1/not-used-by-the-gateway",
        "THROUGHCARE_IDENTIFIER_KEY": "a key of these tests only",
        "THROUGHCARE_MLLP_PORT": "0",
        "THROUGHCARE_FHIR_PORT": "0",
        "THROUGHCARE_RUN_FILE": str(run_file),
    }


async def _port(run_file: Path, process: asyncio.subprocess.Process) -> int:
    """Wait until the gateway listens, for FHIR, too."""
    while process.returncode is None:
        if port := _listening(run_file):
            return port
        await asyncio.sleep(0.02)
    raise AssertionError(f"The gateway ended with status {process.returncode}.")


def _listening(run_file: Path) -> int | None:
    if not run_file.exists():
        return None
    ports = msgspec.json.decode(run_file.read_bytes(), type=RunFile).ports
    return ports["mllp"] if {"mllp", "fhir"} <= ports.keys() else None


async def test_what_is_accepted_is_in_the_log_and_what_is_refused_is_not(
    nats_server: NatsServer, servers_directory: Path
):
    async with gateway(nats_server, servers_directory) as edge:
        refused = text(msh("ADT^A60"), PID)
        assert await edge.codes(referral(), refused, discharge(), b"nonsense") == ["AA", "AR", "AA", "AR"]
        first, second = await edge.stored()
    assert isinstance(first.data, Referral)
    assert isinstance(second.data, Discharge)


async def test_a_message_sent_again_is_accepted_and_stored_once(
    nats_server: NatsServer, servers_directory: Path
):
    async with gateway(nats_server, servers_directory) as edge:
        assert await edge.codes(*[discharge()] * 5, window=5) == ["AA"] * 5
        assert len(await edge.stored()) == 1


async def test_while_the_log_is_away_senders_are_told_to_try_again_and_then_all_is_stored(
    nats_server: NatsServer, servers_directory: Path
):
    async with gateway(nats_server, servers_directory) as edge:
        assert await edge.codes(discharge(control_id="BEFORE")) == ["AA"]
        nats_server.kill()
        [answer] = await edge.answers(discharge(control_id="DURING"))
        assert answer.code == "AE"
        assert answer.error == "MSH: The message could not be stored now; please send it again later."
        nats_server.restart()
        while await edge.codes(discharge(control_id="DURING")) != ["AA"]:
            pass
        ids = [envelope.data.original.control_id for envelope in await edge.stored()]
        assert ids == ["BEFORE", "DURING"]


async def test_a_message_larger_than_allowed_is_rejected_by_its_control_id(
    nats_server: NatsServer, servers_directory: Path
):
    async with gateway(nats_server, servers_directory, THROUGHCARE_MLLP_MAX_BYTES="100000") as edge:
        large = discharge("NTE|1||" + "x" * 200_000, control_id="LARGE")
        answers = await edge.answers(large, discharge(control_id="NEXT"))
        assert [(answer.control_id, answer.code) for answer in answers] == [("LARGE", "AR"), ("NEXT", "AA")]


async def test_a_message_larger_than_the_log_takes_is_rejected_and_not_put_off(
    nats_server: NatsServer, servers_directory: Path
):
    async with gateway(nats_server, servers_directory, THROUGHCARE_MLLP_MAX_BYTES="50000000") as edge:
        assert await edge.codes(discharge("NTE|1||" + "x" * 34_000_000), discharge()) == ["AR", "AA"]


async def test_a_message_of_ten_megabytes_is_stored(nats_server: NatsServer, servers_directory: Path):
    async with gateway(nats_server, servers_directory) as edge:
        large = discharge("NTE|1||" + "é x " * 2_000_000)
        assert await edge.codes(large) == ["AA"]
        assert len((await edge.stored())[0].data.original.text) > 8_000_000


async def test_when_told_to_stop_it_answers_what_is_in_flight_and_ends_well(
    nats_server: NatsServer, servers_directory: Path
):
    async with gateway(nats_server, servers_directory) as edge:
        messages = [discharge(control_id=f"LK-{number}") for number in range(300)]
        answers = send("127.0.0.1", edge.port, messages, timeout=20, window=300)
        accepted = [(await anext(answers)).control_id]
        edge.process.send_signal(signal.SIGTERM)
        accepted += [answer.control_id async for answer in answers if answer.code == "AA"]
        assert await edge.process.wait() == 0
        stored = {envelope.data.original.control_id for envelope in await edge.stored()}
    assert set(accepted) <= stored
