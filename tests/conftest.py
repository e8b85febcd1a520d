"""Real servers for every test that asks for one: a nats-server of its own, a Postgres database of its own.

With THROUGHCARE_NATS_URL or THROUGHCARE_DATABASE_URL set, those servers are used instead. The NATS server
then has to be without streams: what a test leaves on it is deleted after the test.
"""

import gc
import logging
import os
import shutil
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
import structlog
from nats.aio.client import Client
from nats.js import JetStreamContext

from services.console.embedded import NatsServer, PostgresServer, start_nats, start_postgres

# Whole deployments wait most and take longest: begun last, they would leave a worker alone at the end.
FIRST_TO_LAST = ("fuzz", "e2e", "integration", "conformance", "unit")

NATS_URL = os.environ.get("THROUGHCARE_NATS_URL")
DATABASE_URL = os.environ.get("THROUGHCARE_DATABASE_URL")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long files first, each file's tests together and in their order."""
    folders = {name: place for place, name in enumerate(FIRST_TO_LAST)}
    tests = Path(__file__).parent
    items.sort(key=lambda item: folders.get(item.path.relative_to(tests).parts[0], len(folders)))


@pytest.fixture(autouse=True)
def own_process() -> Generator[None]:
    """A command or a service that runs in this process sets it up for itself: logs, and the collector."""
    root = logging.getLogger()
    handlers, level, configured = root.handlers, root.level, structlog.get_config()
    threshold = gc.get_threshold()
    yield
    if gc.get_threshold() != threshold:
        gc.set_threshold(*threshold)
        gc.unfreeze()
    root.handlers, root.level = handlers, level
    structlog.configure(**configured)
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def servers_directory() -> Generator[Path]:
    """An empty directory for servers; pytest's own is closed to the account that Postgres has under root."""
    directory = Path(tempfile.mkdtemp(prefix="throughcare-"))
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def nats_server(servers_directory: Path) -> Generator[NatsServer]:
    """A nats-server for this test alone (it starts in some 15 ms), to use, kill and start again."""
    server = start_nats(servers_directory / "nats")
    try:
        yield server
    finally:
        server.kill()  # nobody needs its data any more; to end in order takes it a quarter of a second


@pytest.fixture
async def nats_url(request: pytest.FixtureRequest) -> AsyncGenerator[str]:
    """Where a NATS server without any stream is."""
    if NATS_URL is None:
        server: NatsServer = request.getfixturevalue("nats_server")
        yield server.url
        return
    await _expect_no_streams(NATS_URL)
    yield NATS_URL
    await _delete_streams(NATS_URL)


@pytest.fixture(scope="session")
def postgres_server() -> Generator[PostgresServer]:
    """The Postgres of the whole session: a test that kills one starts its own, in `servers_directory`."""
    directory = Path(tempfile.mkdtemp(prefix="throughcare-"))
    with start_postgres(directory / "postgres") as server:
        yield server
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def database_server_url(request: pytest.FixtureRequest) -> str:
    """Where to make databases: the URL of a database on the session's Postgres, of a role that may."""
    if DATABASE_URL is not None:
        return DATABASE_URL
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.url


@pytest.fixture
async def database(database_server_url: str) -> AsyncGenerator[str]:
    """The URL of an empty database for this test alone."""
    name = f"test_{uuid4().hex}"
    await _execute(database_server_url, f"CREATE DATABASE {name} TEMPLATE template0")
    yield _with_database(database_server_url, name)
    await _execute(database_server_url, f"DROP DATABASE {name} WITH (FORCE)")


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _with_database(url: str, name: str) -> str:
    address, question, parameters = url.partition("?")
    return f"{address.rpartition('/')[0]}/{name}{question}{parameters}"


async def _expect_no_streams(url: str) -> None:
    async with _jetstream(url) as jetstream:
        streams = await jetstream.streams_info()
    if streams:
        pytest.fail(f"THROUGHCARE_NATS_URL has {len(streams)} streams already; tests delete what is there.")


async def _delete_streams(url: str) -> None:
    async with _jetstream(url) as jetstream:
        for stream in await jetstream.streams_info():
            await jetstream.delete_stream(stream.config.name or "")


@asynccontextmanager
async def _jetstream(url: str) -> AsyncGenerator[JetStreamContext]:
    connection = Client()
    await connection.connect(url)
    try:
        yield JetStreamContext(connection)
    finally:
        await connection.close()
