"""Processes of the bare pipeline: started as the services are, and ended by their ids."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from services.console.server_process import ends_with_parent
from shared.settings import Settings, environment_of

_ROOT = Path(__file__).resolve().parents[2]
_STOP_SECONDS = 10


@contextmanager
def bare_process(role: str, settings: Settings, captured: Path) -> Generator[subprocess.Popen[bytes]]:
    """Have one process of the bare pipeline while inside; what it prints goes to a log beside `captured`."""
    captured.parent.mkdir(parents=True, exist_ok=True)
    with (captured.parent / f"bare-{role}.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.bench.bare", role, str(captured)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **environment_of(settings), "PYTHONPATH": str(_ROOT)},
            start_new_session=True,
            preexec_fn=ends_with_parent(signal.SIGTERM),  # noqa: PLW1509 -- one call, nothing allocated
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(_STOP_SECONDS)
