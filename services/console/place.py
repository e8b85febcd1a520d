"""Where a command works: the run folder that it was given, the settings, and connections to the servers."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final, TypedDict
from urllib.parse import urlsplit

import asyncpg
import typer
from nats.aio.client import Client
from nats.errors import NoServersError

from services.console.faults import Failed
from services.console.run_folder import RunFolder
from shared import settings
from shared.eventlog.connection import servers, sign_in
from shared.projections.postgres import Connection
from shared.settings import Settings

_CONNECT_SECONDS = 5


class _Attempts(TypedDict):
    allow_reconnect: bool
    max_reconnect_attempts: int
    reconnect_time_wait: int


AT_ONCE: Final = _Attempts(allow_reconnect=False, max_reconnect_attempts=1, reconnect_time_wait=0)
"""For somebody waits at the terminal: by itself nats-py tries servers that are away for two minutes."""

_NO_SERVERS = (
    "No servers are known: start `./dev demo` in this folder, name another demo's folder with --run-dir, "
    "or set THROUGHCARE_NATS_URL, THROUGHCARE_DATABASE_URL and THROUGHCARE_IDENTIFIER_KEY."
)
_NEEDED = {"THROUGHCARE_NATS_URL", "THROUGHCARE_DATABASE_URL"}


class Place:
    """What every command is given. Settings are read when first needed: help needs none."""

    def __init__(self, folder: Path) -> None:
        self.folder = RunFolder(folder)

    def settings(self) -> Settings:
        """Return the settings of the environment, and of the demo that runs in the folder."""
        environment = self.folder.environment()
        if not _NEEDED & {name.removesuffix("_FILE") for name in environment}:
            raise Failed(_NO_SERVERS)
        return settings.load(environment)

    def nats(self) -> AbstractAsyncContextManager[Client]:
        """Connect to NATS while inside."""
        return nats_of(self.settings())

    def database(self) -> AbstractAsyncContextManager[Connection]:
        """Connect to Postgres while inside."""
        return database_of(self.settings())


@asynccontextmanager
async def nats_of(told: Settings) -> AsyncGenerator[Client]:
    """Connect to NATS, to the first of its servers that answers."""
    client = Client()
    refusals: list[Exception] = []

    async def keep(error: Exception) -> None:
        refusals.append(error)

    try:
        await client.connect(
            servers(told),
            name="console",
            **sign_in(told),
            connect_timeout=_CONNECT_SECONDS,
            error_cb=keep,
            **AT_ONCE,
        )
    except (NoServersError, OSError, TimeoutError):
        does = "does not let us in" if any(map(is_refusal, refusals)) else "does not answer"
        raise Failed(f"NATS {does} at {_addresses(servers(told))}.") from None
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def database_of(told: Settings) -> AsyncGenerator[Connection]:
    """Connect to Postgres."""
    try:
        connection = await asyncpg.connect(told.database_url, timeout=_CONNECT_SECONDS)
    except (OSError, TimeoutError):
        raise Failed(f"Postgres does not answer at {_address(told.database_url)}.") from None
    try:
        yield connection
    finally:
        await connection.close()


def place_of(context: typer.Context) -> Place:
    """Return the place that the command line named."""
    place = context.find_object(Place)
    if place is None:
        raise RuntimeError("The command runs outside of throughcare.")
    return place


def _address(url: str) -> str:
    """The host and port of a URL, without the password in it."""
    parts = urlsplit(url)
    return f"{parts.hostname or 'an unnamed host'}{f':{parts.port}' if parts.port else ''}"


def is_refusal(error: Exception) -> bool:
    """Tell whether NATS answers and does not let us in; nats-py has no error of its own for it."""
    return "authorization violation" in str(error).lower()


def _addresses(urls: Sequence[str]) -> str:
    return ", ".join(map(_address, urls))
