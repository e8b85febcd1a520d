"""Nothing is appended to a server that may lose what it acknowledged."""

import asyncio
import socket
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from services.console.embedded import NatsServer
from services.console.nats_server import CONFIGURATION
from services.console.server_process import free_port, start_on
from shared.eventlog.durability import monitor_urls, require_synced, still_synced
from shared.eventlog.errors import UnaskedLogError, UnsyncedLogError
from shared.settings import Settings
from tests.integration.eventlog.conftest import open_service

_STARTS = 100
_STRAY_FILES = 2_000
_SECONDS_TO_START = 30


class UnsyncedServer(NatsServer):
    """A nats-server as it comes: it syncs every two minutes."""

    def _command(self) -> list[str]:
        command = super()._command()
        self.configuration.write_text(self.configuration.read_text().replace("sync_interval: always", ""))
        return command


@pytest.fixture
def unsynced(servers_directory: Path) -> Generator[NatsServer]:
    directory = servers_directory / "unsynced"
    directory.mkdir()
    assert "sync_interval: always" in CONFIGURATION
    with start_on(None, lambda port: UnsyncedServer(directory, port, free_port())) as server:
        yield server


def of(server: NatsServer, *, allow: bool = False) -> Settings:
    return Settings(
        nats_url=server.url,
        nats_monitor_url=server.monitor_url,
        database_url="postgresql://127.0.0.1:1/none",
        identifier_key="a key of sixteen or more",
        allow_unsynced_log=allow,
    )


async def test_a_server_that_syncs_every_write_is_taken_without_a_word(nats_server: NatsServer):
    with capture_logs() as logs:
        await require_synced(of(nats_server))
    assert logs == []


async def test_a_server_that_syncs_now_and_then_is_refused_with_what_to_do(unsynced: NatsServer):
    with pytest.raises(UnsyncedLogError) as refused:
        await require_synced(of(unsynced))
    for told in ("sync_interval: always", "THROUGHCARE_NATS_MONITOR_URL", "THROUGHCARE_ALLOW_UNSYNCED_LOG"):
        assert told in str(refused.value)


async def test_a_service_does_not_start_on_a_server_that_syncs_now_and_then(unsynced: NatsServer):
    with pytest.raises(UnsyncedLogError):
        async with open_service("intake", of(unsynced)):
            pytest.fail("The service was opened.")


async def test_who_accepts_to_lose_events_may_but_is_warned(unsynced: NatsServer):
    with capture_logs() as logs:
        await require_synced(of(unsynced, allow=True))
    assert [(line["event"], line["log_level"]) for line in logs] == [("unsynced-log", "warning")]


@pytest.mark.parametrize(
    "monitor", ["http://127.0.0.1:1", "nats://127.0.0.1:4222", "http://127.0.0.1:x", "{nats}"]
)
async def test_a_server_whose_monitoring_cannot_be_asked_is_refused(nats_server: NatsServer, monitor: str):
    client_port = nats_server.url.replace("nats:", "http:")
    asked = replace(of(nats_server), nats_monitor_url=monitor.replace("{nats}", client_port))
    with pytest.raises(UnsyncedLogError):
        await require_synced(asked)


async def test_a_monitoring_that_hangs_is_refused_in_seconds(
    nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("shared.eventlog.durability._TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hangs = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(UnsyncedLogError):
            await require_synced(replace(of(nats_server), nats_monitor_url=hangs))


async def test_a_server_that_comes_back_may_take_a_moment_to_say_how_it_syncs(nats_server: NatsServer):
    failures: list[str] = []
    nats_server.kill()
    with capture_logs():
        check = asyncio.ensure_future(still_synced(of(nats_server), failures.append)())
        await refused_once(of(nats_server))
        assert not check.done()
        nats_server.start()
        await check
    assert failures == []


async def test_a_service_ends_where_another_server_came_back(unsynced: NatsServer):
    failures: list[str] = []
    await still_synced(of(unsynced), failures.append)()
    assert len(failures) == 1


class BareServer(NatsServer):
    """A nats-server without JetStream, which one that starts is too for a moment."""

    def _command(self) -> list[str]:
        command = super()._command()
        text = self.configuration.read_text()
        self.configuration.write_text(text[: text.index("jetstream {")])
        return command


async def test_a_server_without_jetstream_has_not_said_how_it_syncs(servers_directory: Path):
    directory = servers_directory / "bare"
    directory.mkdir()
    with (
        start_on(None, lambda port: BareServer(directory, port, free_port())) as bare,
        pytest.raises(UnaskedLogError, match="no JetStream"),
    ):
        await require_synced(of(bare))


async def test_a_server_whose_monitoring_was_asked_while_it_started_still_says_how_it_syncs(
    nats_server: NatsServer,
):
    # nats-server 2.15 keeps what /varz first told; before JetStream is up that has no `config`.
    for number in range(_STRAY_FILES):  # it looks through them before its JetStream is up
        (nats_server.directory / "store" / f"stray-{number}").touch()
    for _ in range(_STARTS):
        nats_server.stop()
        with ThreadPoolExecutor() as threads:
            first = threads.submit(first_varz, nats_server)
            nats_server.start()
        if "config" not in first.result()["jetstream"]:
            break
    else:
        pytest.fail("No start was slow enough to be asked in the middle.")
    with capture_logs() as logs:
        await require_synced(of(nats_server))
    assert logs == []


def first_varz(server: NatsServer) -> dict[str, dict[str, object]]:
    """Return what the server says as soon as its monitoring listens; urlopen would often ask too late."""
    deadline = time.monotonic() + _SECONDS_TO_START
    with socket.socket() as monitoring:
        while monitoring.connect_ex(("127.0.0.1", server.monitor_port)):
            assert time.monotonic() < deadline
        monitoring.sendall(b"GET /varz HTTP/1.0\r\n\r\n")
        reply = monitoring.makefile("rb").read()
    return msgspec.json.decode(reply[reply.index(b"{") :], type=dict[str, Any])


async def refused_once(settings: Settings) -> None:
    with pytest.raises(UnaskedLogError):
        await require_synced(settings)


def test_without_a_monitoring_url_port_8222_of_the_server_is_asked(nats_server: NatsServer):
    settings = replace(of(nats_server), nats_url="nats://log.example:4222", nats_monitor_url=None)
    assert monitor_urls(settings) == ["http://log.example:8222"]


async def test_of_several_servers_one_that_syncs_now_and_then_is_enough_to_refuse(
    nats_server: NatsServer, unsynced: NatsServer
):
    both = f"{nats_server.monitor_url},{unsynced.monitor_url}"
    with pytest.raises(UnsyncedLogError, match="sync_interval"):
        await require_synced(replace(of(nats_server), nats_monitor_url=both))


async def test_of_several_servers_one_may_be_down(nats_server: NatsServer):
    nobody = f"http://127.0.0.1:{free_port()}"
    with capture_logs() as logs:
        await require_synced(
            replace(of(nats_server), nats_monitor_url=f"{nobody}, {nats_server.monitor_url}")
        )
    assert [line["event"] for line in logs] == ["nats-server-not-asked"]
