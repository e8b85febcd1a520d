"""Every service on three NATS servers: referrals go on with two of them; with one they wait for another."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.e2e.cluster import NODES, Cluster, ClusterServers, Node
from tests.e2e.deployment import Deployment
from tests.e2e.hospital import patients, steady_flow

pytestmark = pytest.mark.timeout(180)

PATIENTS = 60


@pytest.fixture
async def deployment() -> AsyncGenerator[Deployment]:
    with tempfile.TemporaryDirectory(prefix="throughcare-") as directory:
        deployment = await Deployment.start(Path(directory), clustered=True)
        try:
            await deployment.wait_ready()
            yield deployment
        finally:
            await deployment.stop()


async def test_referrals_are_taken_and_followed_while_one_of_three_servers_is_down(deployment: Deployment):
    nats = cluster_of(deployment)
    nats.leader("INBOUND").kill()
    await deployment.hospital.send(steady_flow(patients(PATIENTS)))
    await deployment.account()


async def test_what_is_sent_while_two_of_three_servers_die_again_and_again_is_there_once(
    deployment: Deployment,
):
    nats = cluster_of(deployment)
    hospital = deployment.hospital
    for first in range(NODES):
        down = [nats.nodes[first], nats.nodes[(first + 1) % NODES]]
        before, unanswered = hospital.accepted, hospital.unanswered
        flow = asyncio.create_task(hospital.send(steady_flow(patients(PATIENTS))))
        await deployment.until("messages flow", lambda before=before: hospital.accepted > before + PATIENTS)
        for node in down:
            node.kill()
        await deployment.until("a sender notices", lambda told=unanswered: hospital.unanswered > told)
        for node in down:
            node.start()
        await flow
        nats.wait_healthy()
    await deployment.account()
    assert [node.node for node in nats.nodes if has_a_compressed_block(node)] == []


def cluster_of(deployment: Deployment) -> Cluster:
    assert isinstance(deployment.servers, ClusterServers)
    return deployment.servers.nats


def has_a_compressed_block(node: Node) -> bool:
    """Tell whether any block of a stream is compressed: what is appended behind it would be lost (ADR 1)."""
    blocks = (node.directory / "store").glob("**/streams/*/msgs/*.blk")
    return any(block.read_bytes()[:3] == b"cmp" for block in blocks)
