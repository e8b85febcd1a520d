"""Real servers for the demo, the tests and the bench: a nats-server and a Postgres below one directory."""

from pathlib import Path
from types import TracebackType
from typing import Self

from services.console.nats_server import NatsServer, start_nats
from services.console.postgres_server import PostgresServer, start_postgres
from services.console.server_start import ServerStartError

__all__ = [
    "EmbeddedServers",
    "NatsServer",
    "PostgresServer",
    "ServerStartError",
    "start_nats",
    "start_postgres",
]


class EmbeddedServers:
    """Both servers, started. Their data stays in the directory: a later start on it goes on with it."""

    def __init__(self, nats: NatsServer, postgres: PostgresServer) -> None:
        self.nats = nats
        self.postgres = postgres

    @classmethod
    def start(
        cls, directory: Path, *, nats_port: int | None = None, postgres_port: int | None = None
    ) -> Self:
        """Start both below the directory and wait until they answer; raises ServerStartError.

        Only from the main thread. The first start on a directory takes a second: Postgres makes its files.
        """
        nats = start_nats(directory / "nats", port=nats_port)
        try:
            postgres = start_postgres(directory / "postgres", port=postgres_port)
        except BaseException:
            nats.stop()
            raise
        return cls(nats, postgres)

    @property
    def nats_url(self) -> str:
        return self.nats.url

    @property
    def nats_monitor_url(self) -> str:
        return self.nats.monitor_url

    @property
    def nats_pid(self) -> int:
        return self.nats.pid

    @property
    def database_url(self) -> str:
        """Where Postgres is, with the password in it: for processes, not for a screen or a log."""
        return self.postgres.url

    def stop(self) -> None:
        """Stop both in order and wait until they are gone."""
        try:
            self.postgres.stop()
        finally:
            self.nats.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
