"""Steps that take a while say what they do, and how long it took."""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

TICK_SECONDS = 10


class StepFailedError(Exception):
    """A step of the set-up ended with an error; the message is a sentence for the person at the terminal."""


def say(line: str) -> None:
    print(f"./dev: {line}", file=sys.stderr, flush=True)


def run_step(what: str, command: Sequence[str | Path], variables: Mapping[str, str], cwd: Path) -> None:
    """Run a command, its own output shown, and tell the elapsed time; raises StepFailedError."""
    say(f"{what} ...")
    started = time.monotonic()
    with subprocess.Popen(command, env=variables, cwd=cwd, stdin=subprocess.DEVNULL, stdout=2) as process:
        while (status := _wait(process)) is None:
            say(f"{what}: {time.monotonic() - started:.0f} s so far")
    elapsed = time.monotonic() - started
    if status != 0:
        raise StepFailedError(f"{what} failed after {elapsed:.0f} s; what it said is above.")
    say(f"{what}: done in {elapsed:.1f} s")


def _wait(process: subprocess.Popen[bytes]) -> int | None:
    try:
        return process.wait(TICK_SECONDS)
    except subprocess.TimeoutExpired:
        return None
