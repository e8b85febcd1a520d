"""Three nats-servers as one JetStream cluster on loopback, to kill, freeze and start again one by one."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.request import urlopen

import msgspec
from msgspec import Struct, field

from services.console.embedded import NatsServer, PostgresServer, start_postgres
from services.console.server_process import LOOPBACK, START_SECONDS, free_port, wait_until

NODES: Final = 3
_TIMEOUT_SECONDS: Final = 2

_CLUSTER: Final = """
cluster {{
  name: care
  listen: "{host}:{port}"
  routes: [{routes}]
}}
"""


class _Led(Struct):
    leader: str | None = None


class _Stream(Struct):
    name: str
    cluster: _Led = field(default_factory=_Led)


class _Account(Struct):
    stream_detail: tuple[_Stream, ...] = ()


class _Jsz(Struct):
    account_details: tuple[_Account, ...] = ()


class Node(NatsServer):
    """One server of the cluster; ready alone once it answers, with JetStream once the others are there."""

    def __init__(self, directory: Path, number: int, routes: Sequence[int]) -> None:
        super().__init__(directory, free_port(), free_port())
        self.node = f"care-{number + 1}"
        self._routes = routes
        self._route = routes[number]

    @property
    def is_healthy(self) -> bool:
        """Whether its JetStream has a leader and is level with it."""
        return super()._is_ready()

    def _command(self) -> list[str]:
        command = super()._command()
        routes = ", ".join(f"nats://{LOOPBACK}:{port}" for port in self._routes)
        text = self.configuration.read_text().replace("throughcare", self.node, 1)
        cluster = _CLUSTER.format(host=LOOPBACK, port=self._route, routes=routes)
        self.configuration.write_text(text + cluster)
        return command

    def _is_ready(self) -> bool:
        try:
            with urlopen(f"{self.monitor_url}/varz", timeout=_TIMEOUT_SECONDS):  # noqa: S310 -- always http
                return True
        except OSError:
            return False


class Cluster:
    """Three nodes, started."""

    def __init__(self, directory: Path) -> None:
        routes = [free_port() for _ in range(NODES)]
        self.nodes = [Node(_made(directory / str(number)), number, routes) for number in range(NODES)]

    @property
    def url(self) -> str:
        """Where clients connect: all nodes."""
        return ",".join(node.url for node in self.nodes)

    @property
    def monitor_url(self) -> str:
        """Where services ask each node how it syncs."""
        return ",".join(node.monitor_url for node in self.nodes)

    def node(self, name: str) -> Node:
        """Return a node by its server's name."""
        return next(node for node in self.nodes if node.node == name)

    def leader(self, stream: str) -> Node:
        """Return who leads a stream now, as a node that runs knows it; raises StopIteration without one."""
        told = (_leader(node, stream) for node in self.nodes if node.is_running)
        return self.node(next(name for name in told if name is not None))

    def followers(self, stream: str) -> list[Node]:
        """Return the others."""
        leader = self.leader(stream)
        return [node for node in self.nodes if node is not leader]

    def wait_healthy(self) -> None:
        """Wait until every node is level with the others."""
        assert wait_until(lambda: all(node.is_healthy for node in self.nodes), START_SECONDS)

    def kill(self) -> None:
        """End them all as a power cut would."""
        for node in self.nodes:
            node.kill()

    def start(self) -> None:
        """Start them all; they agree on leaders a moment later."""
        for node in self.nodes:
            node.start()

    def __enter__(self) -> Self:
        try:
            self.start()
            self.wait_healthy()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End them all, at once: a cluster that loses its majority has nothing to hand over."""
        self.kill()


class ClusterServers:
    """The cluster and a Postgres, where a demo has one nats-server and a Postgres."""

    def __init__(self, nats: Cluster, postgres: PostgresServer) -> None:
        self.nats = nats
        self.postgres = postgres

    @classmethod
    def start(cls, directory: Path) -> Self:
        """Start all below an empty directory."""
        nats = Cluster(directory / "cluster").__enter__()
        try:
            return cls(nats, start_postgres(directory / "postgres"))
        except BaseException:
            nats.stop()
            raise

    @property
    def nats_url(self) -> str:
        return self.nats.url

    @property
    def nats_monitor_url(self) -> str:
        return self.nats.monitor_url

    @property
    def database_url(self) -> str:
        return self.postgres.url

    def stop(self) -> None:
        """Stop all."""
        try:
            self.postgres.stop()
        finally:
            self.nats.stop()


def _leader(node: Node, stream: str) -> str | None:
    """Return whom a node takes for the stream's leader."""
    with urlopen(f"{node.monitor_url}/jsz?streams=true", timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
        told = msgspec.json.decode(answer.read(), type=_Jsz)
    streams = [each for account in told.account_details for each in account.stream_detail]
    return next((each.cluster.leader for each in streams if each.name == stream), None)


def _made(directory: Path) -> Path:
    directory.mkdir(parents=True)
    return directory
