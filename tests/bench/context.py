"""What measurements share: how long they may take, a folder, servers, and the town with both pipelines."""

from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from services.console.embedded import EmbeddedServers
from shared.settings import Settings
from tests.bench.town import Town, open_town

T = TypeVar("T")


@dataclass
class Context:
    """One run of the bench."""

    quick: bool
    folder: Path
    say: Callable[[str], None]
    _stack: ExitStack = field(default_factory=ExitStack)
    _town: Town | None = None

    def choose(self, *, quick: T, full: T) -> T:
        """Return one of two, such as a number of messages."""
        return quick if self.quick else full

    @contextmanager
    def servers(self, name: str) -> Generator[Settings]:
        """Have a nats-server and a Postgres of one's own while inside; only in the main thread."""
        with EmbeddedServers.start(self.folder / name) as started:
            yield settings_of(started)

    def town(self) -> Town:
        """Return both pipelines on the same servers; they run until `leave_town`."""
        if self._town is None:
            self.say("starting servers, every service and the bare pipeline")
            settings = self._stack.enter_context(self.servers("town"))
            self._town = self._stack.enter_context(open_town(settings, self.folder / "town"))
        return self._town

    def leave_town(self) -> None:
        """Stop both pipelines, so that they take nothing from what is measured next."""
        self._town = None
        self._stack.close()


def settings_of(servers: EmbeddedServers) -> Settings:
    """Return the settings of services on these servers, as they are by default."""
    return Settings(
        nats_url=servers.nats_url,
        database_url=servers.database_url,
        nats_monitor_url=servers.nats_monitor_url,
        identifier_key="a key of the bench alone",
        mllp_port=0,
        fhir_port=0,
    )
