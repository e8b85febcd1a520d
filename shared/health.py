"""What a process tells its operators over HTTP: whether it lives, whether it is ready, and its figures.

Readiness asks the real server each time (a client that believes it is connected may be wrong for minutes),
with a limit on each check. `/livez` answers as long as the event loop turns.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Any, Final

import msgspec
import uvicorn
from msgspec import Struct
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Check = Callable[[], Awaitable[object]]
"""Returns when ready; raises NotReadyError with a sentence, or any other error."""

Notice = Callable[[], str | None]
"""A sentence about something that needs a person though the process can work; None where all is well."""

CHECK_SECONDS: Final = 2.0
_OK, _NOT_FOUND, _UNAVAILABLE = 200, 404, 503
_JSON: Final = "application/json"

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class NotReadyError(Exception):
    """A check's answer: the process cannot do its work now. The text is a sentence without anybody's data."""


class Readiness(Struct, frozen=True):
    """The body of /readyz: each failing check by name, with a sentence; notices do not make it fail."""

    ready: bool
    failing: dict[str, str]
    checks: list[str]
    notices: dict[str, str] = {}


class _Reply(Struct, frozen=True):
    status: int
    content_type: str
    body: bytes


class Health:
    """The ASGI application, and the checks that it runs."""

    def __init__(self, *, check_seconds: float = CHECK_SECONDS) -> None:
        self._checks: dict[str, Check] = {}
        self._notices: dict[str, Notice] = {}
        self._seconds = check_seconds

    def register(self, name: str, check: Check) -> None:
        """Ask this check, too, before saying that the process is ready."""
        self._checks[name] = check

    def notify(self, name: str, notice: Notice) -> None:
        """Show this, too, where there is something to say."""
        self._notices[name] = notice

    async def readiness(self) -> Readiness:
        """Run every check at once and return what each says."""
        names = sorted(self._checks)
        answers = await asyncio.gather(*(self._ask(self._checks[name]) for name in names))
        failing = {name: answer for name, answer in zip(names, answers, strict=True) if answer is not None}
        notices = {name: told for name, notice in self._notices.items() if (told := notice())}
        return Readiness(ready=not failing, failing=failing, checks=names, notices=notices)

    async def _ask(self, check: Check) -> str | None:
        try:
            async with asyncio.timeout(self._seconds):
                await check()
        except TimeoutError:
            return f"There was no answer within {self._seconds:g} s."
        except NotReadyError as answer:
            return str(answer)
        except Exception as error:  # noqa: BLE001 -- whatever it is, it means "not ready"; its text may quote data
            return f"The check failed with {type(error).__name__}."
        return None

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] == "http":
            reply = await self._reply(scope["path"])
            headers = [(b"content-type", reply.content_type.encode()), (b"cache-control", b"no-store")]
            await send({"type": "http.response.start", "status": reply.status, "headers": headers})
            await send({"type": "http.response.body", "body": reply.body})

    async def _reply(self, path: str) -> _Reply:
        match path:
            case "/livez":
                return _Reply(_OK, _JSON, b'{"alive":true}')
            case "/readyz":
                readiness = await self.readiness()
                status = _OK if readiness.ready else _UNAVAILABLE
                return _Reply(status, _JSON, msgspec.json.encode(readiness))
            case "/metrics":
                return _Reply(_OK, CONTENT_TYPE_LATEST, generate_latest())
            case _:
                return _Reply(_NOT_FOUND, _JSON, b'{"error":"There are /livez, /readyz and /metrics."}')


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the process stops everything in its own order."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


class HealthServer:
    """Serves a `Health` over HTTP until closed. `port` is the one in use, also where 0 was asked for."""

    def __init__(self, health: Health, host: str, port: int) -> None:
        """Bind the address; raises OSError where it is taken."""
        self._socket = socket.create_server((host, port), family=_family(host), backlog=128)
        self.host = host
        self.port: int = self._socket.getsockname()[1]
        self._server = _Server(uvicorn.Config(health, log_config=None, access_log=False, lifespan="off"))
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Its base address."""
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"

    def start(self) -> None:
        """Begin to answer."""
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]), name="health")

    async def close(self) -> None:
        """Stop to answer."""
        self._server.should_exit = self._server.force_exit = True
        if self._task is not None:
            await self._task
        self._socket.close()


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
