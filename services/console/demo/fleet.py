"""Every service as a process of its own, as deployed: started, waited for until ready, stopped."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.error import HTTPError
from urllib.request import urlopen

import msgspec
from msgspec.structs import replace

from services.console.server_process import ends_with_parent, wait_until
from services.console.server_start import ServerStartError
from shared.health import Readiness
from shared.process import RunFile
from shared.settings import Settings, environment_of

SERVICES: Final = ("timeline", "intake", "care_plan", "aftercare", "gateway")
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 25.0

_ROOT: Final = Path(__file__).resolve().parents[3]
_MODULE: Final = "services.console"
_OURS: Final = "THROUGHCARE_"


class Service:
    """One service. Its log and its run file are in the folder; `start()` after `kill()` brings it back."""

    def __init__(self, name: str, settings: Settings, folder: Path) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._run_file = folder / f"{name}.json"
        self._settings = replace(settings, run_file=str(self._run_file), admin_port=0)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process id; raises ServerStartError where it was not started."""
        if self._process is None:
            raise ServerStartError(f"{self.name} was not started.")
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Its exit status; None while it runs. Killed by a signal, it is the signal's number, negative."""
        return self._process.poll() if self._process else None

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start the process; `is_ready` tells when it does its work. Only from the main thread (Linux)."""
        if self.is_running:
            return self
        self._run_file.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 -- our own interpreter and module
                [sys.executable, "-P", "-m", _MODULE, "run", self.name],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.log.parent,
                env=_environment(self._settings),
                start_new_session=True,  # Ctrl-C is for the demo, which stops its services in order
                preexec_fn=ends_with_parent(signal.SIGTERM),  # noqa: PLW1509 -- one call, nothing allocated
            )
        return self

    def reached(self) -> RunFile | None:
        """Return where the process says that it can be reached; None before it said so."""
        try:
            told = msgspec.json.decode(self._run_file.read_bytes(), type=RunFile)
        except (OSError, msgspec.DecodeError):
            return None
        return told if self._process and told.pid == self._process.pid else None

    def problem(self) -> str | None:
        """Ask whether it is ready; None when it is, else why not."""
        if not self.is_running:
            return f"it ended with status {self.status}"
        told = self.reached()
        if told is None:
            return "it has not started to listen"
        try:
            readiness = _readiness(told.admin)
        except (OSError, msgspec.DecodeError):
            return "it does not answer"
        return None if readiness.ready else " ".join(readiness.failing.values())

    def kill(self) -> None:
        """End it as a power cut would, and wait until it is gone."""
        self._end(signal.SIGKILL)

    def ask_to_stop(self) -> None:
        """Ask it to end in order; `until_stopped` waits for that."""
        if self._process is not None and self.is_running:
            self._process.terminate()

    def until_stopped(self) -> None:
        """Wait until it has ended, and end it where that takes too long."""
        try:
            if self._process is not None:
                self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def stop(self) -> None:
        """End it in order."""
        self.ask_to_stop()
        self.until_stopped()

    def last_words(self) -> str:
        """Return the last lines of its log."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-5:])

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(STOP_SECONDS)


class Fleet:
    """All services on the same servers."""

    def __init__(self, settings: Settings, folder: Path, names: Sequence[str] = SERVICES) -> None:
        folder = folder.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        self._services = {name: Service(name, settings, folder) for name in names}

    def __getitem__(self, name: str) -> Service:
        return self._services[name]

    def __iter__(self) -> Iterator[Service]:
        return iter(self._services.values())

    def start(self) -> Self:
        """Start every service, wait until each is ready; raises ServerStartError naming one that is not."""
        try:
            for service in self:
                service.start()
            self.wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def wait_until_ready(self, seconds: float = START_SECONDS) -> None:
        """Wait until every service is ready; raises ServerStartError naming one that is not."""
        deadline = time.monotonic() + seconds
        for service in self:
            _wait_for(service, max(0.1, deadline - time.monotonic()))

    def stop(self) -> None:
        """Stop every service, at the same time."""
        for service in self:
            service.ask_to_stop()
        for service in self:
            service.until_stopped()

    def reached(self) -> tuple[RunFile, ...]:
        """Return where each service can be reached."""
        return tuple(told for service in self if (told := service.reached()))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _wait_for(service: Service, seconds: float) -> None:
    problems: list[str | None] = []

    def settled() -> bool:
        problems[:] = [service.problem()]
        return problems[0] is None or not service.is_running

    wait_until(settled, seconds)
    if problems[0] is not None:
        raise ServerStartError(
            f"{service.name} is not ready: {problems[0]}. Its log is {service.log}:\n{service.last_words()}"
        )


def _readiness(admin: str) -> Readiness:
    try:
        with urlopen(f"{admin}/readyz", timeout=5) as answer:  # noqa: S310 -- always http
            return msgspec.json.decode(answer.read(), type=Readiness)
    except HTTPError as error:
        with error:
            return msgspec.json.decode(error.read(), type=Readiness)


def _environment(settings: Settings) -> dict[str, str]:
    """The environment of a service: ours, with these settings and no other."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return {**inherited, **environment_of(settings), "PYTHONPATH": str(_ROOT)}
