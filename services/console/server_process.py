"""A real server as a child of this process: alone on its directory, and gone when this process is gone."""

import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from services.console.server_start import PortTakenError, ServerStartError
from services.console.system_account import SystemAccount

LOOPBACK = "127.0.0.1"
START_SECONDS = 60.0
STOP_SECONDS = 30.0
LOCK_SECONDS = 15.0
POLL_SECONDS = 0.005

_PR_SET_PDEATHSIG = 1


def free_port() -> int:
    """Return a TCP port of the loopback interface that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


class ServerProcess(ABC):
    """One server on one directory and one port.

    Ports and data outlive the process: after `kill()` or `stop()`, `start()` brings the same server back.
    On Linux it also stops when the thread that started it ends, so it is started from the main thread.
    """

    name: str
    stop_signal: signal.Signals

    def __init__(self, directory: Path, account: SystemAccount | None = None) -> None:
        self.directory = directory
        self.log = directory / "server.log"
        self._account = account
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients connect."""

    @abstractmethod
    def _command(self) -> list[str]: ...

    @abstractmethod
    def _is_ready(self) -> bool: ...

    def _forget_last_run(self) -> None:  # noqa: B027 (most servers clear it themselves)
        """Clear what a killed server left behind; called once nothing of it runs any more."""

    @property
    def pid(self) -> int:
        """The process id of the server itself (for Postgres the postmaster's)."""
        if self._process is None:
            raise ServerStartError(f"{self.name} was not started.")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start and wait until it answers; raises ServerStartError. Nothing happens when it runs already."""
        if self.is_running:
            return self
        if threading.current_thread() is not threading.main_thread():
            raise ServerStartError(f"{self.name} is started from the main thread: it ends with its thread.")
        lock = self._hold_directory()
        try:
            self._forget_last_run()
            log_start = self.log.stat().st_size if self.log.exists() else 0
            self._process = self._launch(lock)
        finally:
            os.close(lock)  # the server has it now, for as long as any of its processes lives
        self._wait_until_ready(log_start)
        return self

    def kill(self) -> None:
        """End it as a power cut would (SIGKILL), and wait until it is gone."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order; after 30 s, not."""
        try:
            self._end(self.stop_signal)
        except subprocess.TimeoutExpired:
            self.kill()

    def restart(self) -> Self:
        """Stop it if it runs and start it on the same port and data."""
        self.stop()
        return self.start()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        self._process.wait(STOP_SECONDS)

    def _hold_directory(self) -> int:
        """Return a descriptor that locks the directory, waiting for what a killed server left running."""
        lock = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if wait_until(lambda: _locks(lock), LOCK_SECONDS):
            return lock
        os.close(lock)
        raise ServerStartError(f"Another {self.name} uses {self.directory}; stop it first.")

    def _launch(self, lock: int) -> subprocess.Popen[bytes]:
        account = self._account
        self.log.touch(mode=0o600)  # its owner's only, as all that a server keeps
        with self.log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                env=server_environment(),
                pass_fds=(lock,),
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
                start_new_session=True,  # Ctrl-C is for us; we end servers in order
                preexec_fn=ends_with_parent(self.stop_signal),  # noqa: PLW1509 (one call, nothing allocated)
            )

    def _wait_until_ready(self, log_start: int) -> None:
        ended_or_ready = wait_until(lambda: not self.is_running or self._is_ready(), START_SECONDS)
        if ended_or_ready and self.is_running:
            return
        self.kill()
        said = self.log.read_bytes()[log_start:].decode(errors="replace")
        kind = PortTakenError if "address already in use" in said.lower() else ServerStartError
        raise kind(f"{self.name} did not start in {self.directory}. It said:\n{said[-2000:]}")


Server = TypeVar("Server", bound=ServerProcess)


def server_environment() -> dict[str, str]:
    """The environment of a server: nothing of ours that could change its settings or its language."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Ask the condition until it holds; False when it does not within the seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def start_on(port: int | None, make: Callable[[int], Server]) -> Server:
    """Start the server on the port given, or on a free one; again on another if somebody took that first."""
    if port is not None:
        return make(port).start()
    for _ in range(2):
        with suppress(PortTakenError):
            return make(free_port()).start()
    return make(free_port()).start()


def _locks(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def ends_with_parent(how: signal.Signals) -> Callable[[], None] | None:
    """Return what a child calls before it becomes the server, to be signalled when its parent dies."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, int(how)) and None
