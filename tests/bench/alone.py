"""Processes that are measured by themselves: the gateway as deployed, and whom it is compared with."""

import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import uvloop

from services.console.commands.apply import apply_all
from services.console.demo.fleet import Fleet
from services.console.server_process import ends_with_parent
from shared.settings import Settings
from tests.bench.figure import MeasurementError

_ROOT = Path(__file__).resolve().parents[2]
_STOP_SECONDS = 10


@contextmanager
def gateway_process(settings: Settings, folder: Path, door: Literal["mllp", "fhir"]) -> Generator[int]:
    """Have the gateway as deployed while inside; gives a port of it."""
    uvloop.run(apply_all(settings))
    with Fleet(settings, folder, ("gateway",)) as fleet:
        (gateway,) = fleet.reached()
        yield gateway.ports[door]


@contextmanager
def peer_process(module: str) -> Generator[int]:
    """Have another's server while inside: a module of ours around it, which prints the port that it took."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", module],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PYTHONPATH": str(_ROOT)},
        preexec_fn=ends_with_parent(signal.SIGTERM),  # noqa: PLW1509 -- one call, nothing allocated
    )
    try:
        line = process.stdout.readline() if process.stdout else b""
        if not line:
            raise MeasurementError(f"{module} did not start.")
        yield int(line)
    finally:
        process.terminate()
        process.wait(_STOP_SECONDS)
