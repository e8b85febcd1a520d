"""Messages a second over MLLP, each stored durably before its ack, to python-hl7's storing nothing."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import uvloop
from nats.aio.client import Client

from services.console.server_process import ends_with_parent
from shared.eventlog import streams
from shared.process import RunFile
from shared.settings import Settings, environment_of
from tests.bench.context import Context
from tests.bench.figure import Figure, Measurement, MeasurementError, Target, figure
from tests.bench.peer import Peer
from tests.bench.referrals import referrals
from tests.bench.rounds import interleaved, rounds_of

_TARGET = Target(">=", 0.6)
_ROOT = Path(__file__).resolve().parents[3]
_START_SECONDS = 30.0
_STOP_SECONDS = 20
_ANSWER_SECONDS = 120.0

# How many connections, and how many messages are on their way on each.
_SHAPES = ((1, 128), (50, 8))


def run(context: Context) -> Sequence[Figure]:
    """Give messages a second on one pipelined connection and over fifty."""
    count = context.choose(quick=1_500, full=6_000)
    rounds = context.choose(quick=3, full=5)
    with (
        context.servers("mllp") as settings,
        _gateway(settings, context.folder / "mllp") as ours,
        _python_hl7() as bare,
    ):
        return [_figure(ours, bare, shape, count, rounds) for shape in _SHAPES]


def _figure(ours: int, bare: int, shape: tuple[int, int], count: int, rounds: int) -> Figure:
    def rate(port: int) -> float:
        return uvloop.run(_rate(port, shape, count))

    for port in (bare, ours):  # the first messages meet cold caches
        rate(port)
    rates = rounds_of(interleaved(rounds, ours=lambda: rate(ours), bare=lambda: rate(bare)))
    connections, window = shape
    name = f"MLLP, {connections} connection{'s' if connections > 1 else ''}, {window} in flight on each"
    return figure(name, rates.value, "messages/s", rates.ceiling, _TARGET)


async def _rate(port: int, shape: tuple[int, int], count: int) -> float:
    connections, window = shape
    frames = [message.frame for message in referrals(count)]
    peers = [await Peer.open(port) for _ in range(connections)]
    begun = time.perf_counter()
    async with asyncio.timeout(_ANSWER_SECONDS):
        await asyncio.gather(*(peer.send(frames[at::connections], window) for at, peer in enumerate(peers)))
    seconds = time.perf_counter() - begun
    for peer in peers:
        peer.close()
    return count / seconds


@contextmanager
def _gateway(settings: Settings, folder: Path) -> Generator[int]:
    """Have the gateway as deployed while inside; gives its port."""
    uvloop.run(_apply(settings))
    folder.mkdir(parents=True, exist_ok=True)
    run_file = folder / "gateway.json"
    told = msgspec.structs.replace(settings, run_file=str(run_file), fhir_port=0)
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
            if port := ports.get("mllp"):
                return port
        time.sleep(0.05)
    raise MeasurementError("The gateway did not start; its log says why.")


@contextmanager
def _python_hl7() -> Generator[int]:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "tests.bench.python_hl7"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PYTHONPATH": str(_ROOT)},
        preexec_fn=ends_with_parent(signal.SIGTERM),  # noqa: PLW1509 -- one call, nothing allocated
    )
    with _ended(process):
        line = process.stdout.readline() if process.stdout else b""
        if not line:
            raise MeasurementError("python-hl7's server did not start.")
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


MEASUREMENT = Measurement("mllp", run)
