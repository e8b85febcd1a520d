"""The folder `.throughcare`: where a demo keeps its servers' data and, in run.json, how it is reached."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from shared.process import RunFile, write_whole

NAME: Final = ".throughcare"
_FILE: Final = "run.json"


class Running(Struct, frozen=True, kw_only=True):
    """A demo that runs: its process, its services, and the environment that leads to its servers."""

    pid: int
    mllp: str  # host:port, where hospitals send
    fhir: str  # base address
    fhir_token: str  # bearer token of the demo's hospital
    services: tuple[RunFile, ...]
    environment: dict[str, str]
    nats: str = ""  # where the demo's hospital publishes itself, and as whom; empty where it has no user
    nats_user: str = ""
    nats_password: str = ""

    @property
    def is_alive(self) -> bool:
        """Tell whether its process still is there: a demo that was killed leaves its file behind."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


class RunFolder:
    """The folder of one demo, by default `.throughcare` where the command was typed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path / _FILE

    def running(self) -> Running | None:
        """Return the demo that runs here; None where there is none, or it is gone."""
        try:
            running = msgspec.json.decode(self.file.read_bytes(), type=Running)
        except (OSError, msgspec.DecodeError):
            return None
        return running if running.is_alive else None

    def write(self, running: Running) -> None:
        """Say how the demo is reached. The file holds the database's password: only its owner reads it."""
        write_whole(self.file, msgspec.json.format(msgspec.json.encode(running)))

    def clear(self) -> None:
        """Say that nothing runs here any more."""
        self.file.unlink(missing_ok=True)

    def environment(self, told: Mapping[str, str] = os.environ) -> dict[str, str]:
        """Return the environment, where what is not set comes from the demo that runs here."""
        running = self.running()
        return {**(running.environment if running else {}), **told}
