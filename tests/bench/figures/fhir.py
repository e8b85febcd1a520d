"""FHIR referrals a second, each stored durably before its answer, to Litestar returning a constant."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import msgspec
import uvloop
from nats.aio.client import Client

from services.console.server_process import ends_with_parent
from shared.eventlog import streams
from shared.process import RunFile
from shared.settings import Settings, environment_of
from tests.bench.context import Context
from tests.bench.figure import Figure, Measurement, MeasurementError, Target, figure
from tests.bench.http_peer import HttpPeer
from tests.bench.rounds import interleaved, rounds_of
from tests.unit.gateway.fhir_write.resources import contained_referral

_TARGET = Target(">=", 0.35)
_ROOT = Path(__file__).resolve().parents[3]
_START_SECONDS = 30.0
_STOP_SECONDS = 20
_ANSWER_SECONDS = 120.0
_CONNECTIONS = 128  # one request on its way on each: as many as the MLLP figure keeps in flight
_TOKEN = "token-of-the-bench"


def run(context: Context) -> Sequence[Figure]:
    """Give referrals a second over 128 connections, one request at a time on each."""
    count = context.choose(quick=1_500, full=6_000)
    rounds = context.choose(quick=3, full=5)
    with (
        context.servers("fhir") as settings,
        _gateway(settings, context.folder / "fhir") as ours,
        _litestar() as bare,
    ):
        for port in (bare, ours):  # the first requests meet cold caches
            uvloop.run(_rate(port, count))
        rates = rounds_of(
            interleaved(
                rounds,
                ours=lambda: uvloop.run(_rate(ours, count)),
                bare=lambda: uvloop.run(_rate(bare, count)),
            )
        )
    name = f"FHIR referrals by POST, {_CONNECTIONS} connections"
    return [figure(name, rates.value, "requests/s", rates.ceiling, _TARGET)]


async def _rate(port: int, count: int) -> float:
    requests = list(_requests(count))
    peers = [await HttpPeer.open(port) for _ in range(_CONNECTIONS)]
    begun = time.perf_counter()
    async with asyncio.timeout(_ANSWER_SECONDS):
        await asyncio.gather(*(peer.send(requests[at::_CONNECTIONS]) for at, peer in enumerate(peers)))
    seconds = time.perf_counter() - begun
    for peer in peers:
        peer.close()
    return count / seconds


def _requests(count: int) -> Iterator[bytes]:
    """Give requests as an interface engine sends them: a ServiceRequest with its Patient inside."""
    for _ in range(count):
        number = uuid4().hex
        body = msgspec.json.encode(contained_referral(f"R{number}", number))
        head = (
            "POST /fhir/ServiceRequest HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/fhir+json\r\n"
            f"Authorization: Bearer {_TOKEN}\r\nPrefer: return=minimal\r\n"
            f"Content-Type: application/fhir+json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        yield head.encode() + body


@contextmanager
def _gateway(settings: Settings, folder: Path) -> Generator[int]:
    """Have the gateway as deployed while inside; gives its port of FHIR."""
    uvloop.run(_apply(settings))
    folder.mkdir(parents=True, exist_ok=True)
    run_file = folder / "gateway.json"
    told = msgspec.structs.replace(
        settings, run_file=str(run_file), fhir_port=0, mllp_port=0, fhir_tokens=f"bench={_TOKEN}"
    )
    command = [sys.executable, "-P", "-m", "services.console", "run", "gateway"]
    with (folder / "gateway.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stderr=log,
            env={**environment_of(told), "PYTHONPATH": str(_ROOT)},
            preexec_fn=ends_with_parent(signal.SIGTERM),  # noqa: PLW1509 -- one call, nothing allocated
        )
    with _ended(process):
        yield _port(run_file, process)


def _port(run_file: Path, process: subprocess.Popen[bytes]) -> int:
    until = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        if run_file.exists():
            ports = msgspec.json.decode(run_file.read_bytes(), type=RunFile).ports
            if port := ports.get("fhir"):
                return port
        time.sleep(0.05)
    raise MeasurementError("The gateway did not start; its log says why.")


@contextmanager
def _litestar() -> Generator[int]:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "tests.bench.litestar_constant"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PYTHONPATH": str(_ROOT)},
        preexec_fn=ends_with_parent(signal.SIGTERM),  # noqa: PLW1509 -- one call, nothing allocated
    )
    with _ended(process):
        line = process.stdout.readline() if process.stdout else b""
        if not line:
            raise MeasurementError("Litestar did not start.")
        yield int(line)


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Generator[None]:
    try:
        yield
    finally:
        process.terminate()
        process.wait(_STOP_SECONDS)


async def _apply(settings: Settings) -> None:
    client = Client()
    await client.connect(settings.nats_url)
    await streams.apply(client, settings.partitions)
    await client.close()


MEASUREMENT = Measurement("fhir", run)
