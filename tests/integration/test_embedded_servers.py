import os
import signal
import socket
import subprocess
import sys
from datetime import date
from pathlib import Path
from urllib.request import urlopen

import asyncpg
import msgspec
import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import StreamConfig

from services.console.embedded import (
    EmbeddedServers,
    NatsServer,
    ServerStartError,
    start_nats,
    start_postgres,
)
from services.console.server_process import LOOPBACK, wait_until

ROOT = Path(__file__).parents[2]


class JetStreamSettings(msgspec.Struct):
    sync_always: bool
    store_dir: str


class JetStreamReport(msgspec.Struct):
    config: JetStreamSettings


async def append(url: str, text: str) -> int:
    connection = Client()
    await connection.connect(url, allow_reconnect=False)
    jetstream = JetStreamContext(connection)
    kept = StreamConfig(name="KEPT", subjects=["kept"])
    await jetstream.add_stream(kept)  # pyright: ignore[reportUnknownMemberType] (its **params)
    ack = await jetstream.publish("kept", text.encode())
    await connection.close()
    return ack.seq


async def insert(url: str, text: str) -> list[str]:
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE IF NOT EXISTS kept (text text)")
    await connection.execute("INSERT INTO kept VALUES ($1)", text)
    rows = await connection.fetch("SELECT text FROM kept")
    await connection.close()
    return [row["text"] for row in rows]


async def setting(url: str, name: str) -> str:
    connection = await asyncpg.connect(url)
    value = await connection.fetchval("SELECT current_setting($1)", name)
    await connection.close()
    return str(value)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0


def port_of(url: str) -> int:
    return int(url.partition("?")[0].rpartition(":")[2].partition("/")[0])


async def test_both_servers_answer_and_a_second_start_on_the_directory_has_the_data(servers_directory: Path):
    with EmbeddedServers.start(servers_directory) as servers:
        assert await append(servers.nats_url, "one") == 1
        assert await insert(servers.database_url, "one") == ["one"]
    with EmbeddedServers.start(servers_directory) as servers:
        assert await append(servers.nats_url, "two") == 2
        assert await insert(servers.database_url, "two") == ["one", "two"]


async def test_stopped_servers_are_gone(servers_directory: Path):
    servers = EmbeddedServers.start(servers_directory)
    ports = [port_of(servers.nats_url), port_of(servers.database_url)]
    assert all(listens(port) for port in ports)
    servers.stop()
    assert not any(listens(port) for port in ports)


def test_nats_syncs_every_write_and_says_so(nats_server: NatsServer):
    with urlopen(f"{nats_server.monitor_url}/jsz?config=true") as answer:  # noqa: S310 (always http)
        report = msgspec.json.decode(answer.read(), type=JetStreamReport)
    assert report.config.sync_always
    assert report.config.store_dir.startswith(str(nats_server.directory))


async def test_postgres_keeps_its_durable_settings(database: str):
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        assert await setting(database, name) == "on"


async def test_nats_killed_comes_back_on_its_port_with_every_acknowledged_message(nats_server: NatsServer):
    url, first = nats_server.url, nats_server.pid
    assert await append(url, "one") == 1
    os.kill(first, signal.SIGKILL)
    nats_server.restart()
    assert nats_server.url == url
    assert nats_server.pid != first
    assert await append(url, "two") == 2


async def test_postgres_killed_comes_back_on_its_port_with_every_commit(servers_directory: Path):
    with start_postgres(servers_directory / "postgres") as server:
        url = server.url
        await insert(url, "one")
        server.kill()
        assert not server.is_running
        server.start()
        assert server.url == url
        assert await insert(url, "two") == ["one", "two"]


async def test_postgres_killed_with_a_session_open_comes_back(servers_directory: Path):
    with start_postgres(servers_directory / "postgres") as server:
        session = await asyncpg.connect(server.url)
        server.kill()
        server.start()
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await session.execute("SELECT 1")
        assert await insert(server.url, "one") == ["one"]


async def test_the_log_of_postgres_quotes_no_row_and_only_its_owner_reads_it(servers_directory: Path):
    with start_postgres(servers_directory / "postgres") as server:
        connection = await asyncpg.connect(server.url)
        await connection.execute(
            "create table people (name text primary key, born date check (born < now()))"
        )
        insert = "insert into people values ($1, $2)"
        await connection.execute(insert, "Quillfeather", None)
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute(insert, "Quillfeather", None)
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute(insert, "Quillfeather", date(2947, 6, 13))
        await connection.close()
    said = server.log.read_text()
    assert "unique constraint" in said
    assert "check constraint" in said
    assert "Quillfeather" not in said
    assert "2947" not in said
    assert server.log.stat().st_mode & 0o777 == 0o600


async def test_a_stale_pid_file_that_names_a_live_process_is_not_believed(servers_directory: Path):
    with start_postgres(servers_directory / "postgres") as server:
        server.kill()
        pid_file = server.data / "postmaster.pid"
        stale = pid_file.read_text().replace(str(server.pid), str(os.getppid()), 1)
        pid_file.write_text(stale)
        server.start()
        assert await insert(server.url, "one") == ["one"]


def test_a_directory_serves_one_server_at_a_time(
    nats_server: NatsServer, servers_directory: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("services.console.server_process.LOCK_SECONDS", 0.05)
    with pytest.raises(ServerStartError, match="Another nats-server uses"):
        start_nats(servers_directory / "nats")
    assert nats_server.is_running


def test_a_port_that_is_taken_is_told(nats_server: NatsServer, servers_directory: Path):
    with pytest.raises(ServerStartError, match="address already in use"):
        start_nats(servers_directory / "other", port=nats_server.port)


PARENT = """
import sys
from pathlib import Path
from services.console.embedded import EmbeddedServers
servers = EmbeddedServers.start(Path(sys.argv[1]))
print(servers.nats_url, servers.database_url, flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_servers_end_when_their_parent_is_killed(servers_directory: Path):
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, servers_directory],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as parent:
        assert parent.stdout is not None
        ports = [port_of(url) for url in parent.stdout.readline().split()]
        assert all(listens(port) for port in ports)
        parent.kill()
    assert wait_until(lambda: not any(listens(port) for port in ports), seconds=30)


async def test_each_test_has_a_database_of_its_own(database: str):
    assert await insert(database, "mine") == ["mine"]


async def test_each_test_has_an_empty_log(nats_url: str):
    assert await append(nats_url, "mine") == 1
