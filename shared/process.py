"""One service as an operating system process: its signals, its background tasks, its health, its end.

    async def run(settings: Settings) -> None:
        async with Process("intake", settings) as process:
            process.ready("log", check)
            process.spawn("policies", consume())
            await process.stopped()

`stopped` returns when the process was asked to stop, so that what follows it, and the exits of context
managers inside, close things in order. It raises ProcessFailedError when something indispensable ended.
"""

import asyncio
import os
import signal
from collections.abc import Collection, Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec
import structlog
from msgspec import Struct

from shared import telemetry
from shared.collector import collect_rarely
from shared.health import Check, Health, HealthServer, NotReadyError
from shared.settings import Settings

GRACE_SECONDS: Final = 20.0
_AGAIN_SECONDS: Final = 5.0  # between two cancellations of a task: what it does at its end takes less
_START_AGAIN_SECONDS: Final = 1.0  # of the start, which leaves nothing to do at its end
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

_log = structlog.get_logger()


class ProcessFailedError(Exception):
    """Something that the process cannot do without ended; the text names it. It exits with status 1."""


class RunFile(Struct, frozen=True, omit_defaults=True):
    """Where a process can be reached, as it writes it into `settings.run_file`."""

    service: str
    pid: int
    admin: str  # base of /livez, /readyz and /metrics
    ports: dict[str, int] = {}


class Process:
    """A running service. One a process; used as an async context manager."""

    def __init__(self, service: str, settings: Settings, *, grace_seconds: float = GRACE_SECONDS) -> None:
        self.service = service
        self.health = Health()
        self._settings = settings
        self._grace = grace_seconds
        self._tasks: set[asyncio.Task[None]] = set()
        self._ports: dict[str, int] = {}
        self._server: HealthServer | None = None
        self._stop = asyncio.Event()
        self._has_started = False
        self._closes = False
        self._starting: asyncio.Task[Any] | None = None
        self._gives_up_starting = False
        self._failure: str | None = None
        self._limit: asyncio.TimerHandle | None = None

    @property
    def stopping(self) -> bool:
        """Whether the process was asked to stop, or has to."""
        return self._stop.is_set()

    @property
    def admin_url(self) -> str:
        """The base address of /livez, /readyz and /metrics."""
        if self._server is None:
            raise RuntimeError("The process has not started.")
        return self._server.url

    def ready(self, name: str, check: Check) -> None:
        """Ask this check, too, before saying that the process is ready."""
        self.health.register(name, check)

    def spawn(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run work in the background. When it ends before the process was asked to stop, the process ends."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def listens(self, name: str, port: int) -> None:
        """Tell others, in the run file, which port was taken."""
        self._ports[name] = port
        self._write_run_file()

    async def nats_closed(self) -> None:
        """Give this to the NATS client as its `closed_cb`: without the log there is nothing left to do."""
        if not (self.stopping or self._closes):
            self.fail("The connection to NATS is closed for good.")

    def closes(self) -> None:
        """Say that what it uses is closed now: that a connection ends is not why the process does."""
        self._closes = True

    def fail(self, reason: str) -> None:
        """End the process with status 1; the first reason counts."""
        if not self.stopping:
            self._failure = reason
            _log.error("failed", reason=reason)
        self._begin_stop()

    async def stopped(self) -> None:
        """Wait until the process was asked to stop; raises ProcessFailedError when it has to.

        Only from here on the process says that it is ready: whatever it needs was started before.
        """
        self._has_started = True
        if self._gives_up_starting:
            await asyncio.sleep(0)  # the cancellation that is on its way ends the wait here
        collect_rarely()
        _log.info("started", admin=self.admin_url, pid=os.getpid(), **self._ports)
        await self._stop.wait()
        if self._failure is not None:
            raise ProcessFailedError(self._failure)

    async def __aenter__(self) -> Self:
        telemetry.configure(self.service, self._settings)
        self._starting = asyncio.current_task()
        loop = asyncio.get_running_loop()
        for each in _SIGNALS:
            loop.add_signal_handler(each, self._signalled, each)
        self._server = HealthServer(self.health, self._settings.admin_host, self._settings.admin_port)
        self._server.start()
        self.ready("start", self._expect_started)
        self._write_run_file()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._starting = None
        self._begin_stop()
        await end(self._tasks)
        if self._server is not None:
            await self._server.close()
        self._finish()
        return self._gives_up_starting and kind is asyncio.CancelledError

    def _finish(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
        if self._settings.run_file:
            Path(self._settings.run_file).unlink(missing_ok=True)
        loop = asyncio.get_running_loop()
        for each in _SIGNALS:
            loop.remove_signal_handler(each)
        _log.info("stopped")

    async def _expect_started(self) -> None:
        # Its other checks are registered one after the other while it connects: none of them is no answer.
        if not self._has_started:
            raise NotReadyError("It is still starting.")

    def _signalled(self, which: signal.Signals) -> None:
        _log.info("stopping", signal=which.name)
        if not self.stopping:
            self._give_up_starting()
        self._begin_stop()

    def _give_up_starting(self) -> None:
        """Cancel the start, until it has ended: what it waits for, such as a server, may never come."""
        if self._starting is None or self._has_started:
            return
        self._gives_up_starting = True
        self._starting.cancel()
        # Again, since the cancellation may be forgotten (see `end`), here with each attempt to connect.
        asyncio.get_running_loop().call_later(_START_AGAIN_SECONDS, self._give_up_starting)

    def _begin_stop(self) -> None:
        if not self.stopping:
            self._stop.set()
            self._limit = asyncio.get_running_loop().call_later(self._grace, self._give_up)

    def _give_up(self) -> None:
        # Nothing was promised that is not stored: what was in flight is delivered again.
        _log.error("not-stopped-in-time", seconds=self._grace)
        os._exit(1)

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _log.error("task-failed", task=task.get_name(), exc_info=error)
        if not self.stopping:
            how = f"failed with {type(error).__name__}" if error else "ended"
            self.fail(f"The task {task.get_name()} {how}.")

    def _write_run_file(self) -> None:
        if self._settings.run_file:
            there = RunFile(self.service, os.getpid(), self.admin_url, self._ports)
            write_whole(Path(self._settings.run_file), msgspec.json.encode(there))


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader, only of the same account, sees the old content or all of the new."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.touch(mode=0o600)
    unfinished.write_bytes(content)
    unfinished.replace(path)


async def end(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancel tasks until they have ended, whatever they end with.

    Before Python 3.12 `asyncio.wait_for`, in which nats-py asks, forgets a cancellation that comes together
    with the answer, or with the error.
    """
    left = set(tasks)
    while left:
        for each in left:
            each.cancel()
        _, left = await asyncio.wait(left, timeout=_AGAIN_SECONDS)
