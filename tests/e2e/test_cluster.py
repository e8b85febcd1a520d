"""Three NATS servers with three replicas: what was acknowledged is there for whoever asks, and stays."""

import asyncio
import os
import signal
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from services.console.waiting import until
from shared.eventlog import streams
from shared.eventlog.connection import close, connect
from shared.eventlog.errors import LogUnavailableError
from shared.eventlog.log import Log
from shared.settings import Settings
from tests.e2e.cluster import NODES, Cluster, Node

_STREAM = "CARE_0"
_SUBJECT = "care.0.participant.ada"
_MESSAGES = 1000  # so many that a replica needs a moment for them
_ELECTED_SECONDS = 30


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(Path(tmp_path_factory.mktemp("cluster"))) as cluster:
        yield cluster


@contextmanager
def frozen(node: Node) -> Generator[None]:
    os.kill(node.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(node.pid, signal.SIGCONT)


def settings_of(url: str) -> Settings:
    return Settings(nats_url=url, database_url="postgresql://127.0.0.1:1/none", identifier_key="k" * 32)


async def appended(log: Log) -> int:
    """Append until one is stored: after a leader's end nobody answers until the others have elected one."""
    stored: list[int] = []

    async def one() -> bool:
        with suppress(LogUnavailableError):
            stored.append(await log.publish(_SUBJECT, b"event", {}))
        return bool(stored)

    assert await until(one, _ELECTED_SECONDS)
    return stored[0]


async def test_what_was_acknowledged_is_read_even_through_a_replica_that_is_behind(cluster: Cluster):
    nats = await connect(settings_of(cluster.nodes[0].url), name="tests")
    await streams.apply(nats, 1, replicas=NODES)
    log = Log(await connect(settings_of(cluster.leader(_STREAM).url), name="tests"))
    follower = cluster.followers(_STREAM)[0]
    behind = Log(await connect(settings_of(follower.url), name="tests"))
    try:
        await behind.ping()
        for _ in range(2):
            with frozen(follower):
                last = [await log.publish(_SUBJECT, b"event", {}) for _ in range(_MESSAGES)][-1]
                asked = [asyncio.ensure_future(behind.next(_STREAM, _SUBJECT, last)) for _ in range(20)]
                await log.next(_STREAM, _SUBJECT, last)  # the 20 are on their way by now
            read = await asyncio.gather(*asked)
            assert [each.sequence for each in read if each is not None] == [last] * 20
    finally:
        for client in (behind.client, log.client, nats):
            await close(client)


async def test_nothing_acknowledged_is_lost_when_a_follower_and_then_the_leader_are_killed(cluster: Cluster):
    nats = await connect(settings_of(cluster.url), name="tests")
    try:
        await streams.apply(nats, 1, replicas=NODES)
        log = Log(nats, timeout_seconds=1)
        stored = [await appended(log) for _ in range(20)]
        for victim in (cluster.followers(_STREAM)[0], cluster.leader(_STREAM)):
            victim.kill()
            stored += [await appended(log) for _ in range(20)]
            victim.start()
            cluster.wait_healthy()
        read = [each.sequence async for each in log.tail(_STREAM, _SUBJECT, 0)]
        assert set(stored) <= set(read)
    finally:
        await close(nats)
