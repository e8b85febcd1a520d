"""NATS silent for longer than clients wait for a pong: services find back by themselves."""

import asyncio

import pytest

from services.console.embedded import EmbeddedServers
from tests.e2e.deployment import SERVICES, Deployment
from tests.e2e.hospital import patients, steady_flow

pytestmark = pytest.mark.timeout(150)

CLIENTS = {"gateway": 1, "intake": 2, "care_plan": 2, "aftercare": 2, "timeline": 1}


# nats-py leaves a connection that the server never answered to the garbage collector.
@pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <function StreamWriter.__del__:pytest.PytestUnraisableExceptionWarning"
)
async def test_services_recover_from_a_connection_that_was_dead_for_longer_than_a_ping(
    deployment: Deployment,
) -> None:
    hospital = deployment.hospital
    await hospital.send(steady_flow(patients(20)))
    before = {name: given_up(deployment, name) for name in SERVICES}
    processes = {name: deployment.service(name).pid for name in SERVICES}
    servers = deployment.servers
    assert isinstance(servers, EmbeddedServers)
    async with deployment.frozen(servers.nats_pid):
        flow = asyncio.create_task(hospital.send(steady_flow(patients(40))))
        await deployment.until("no service is ready", lambda: none_ready(deployment))
        for name in SERVICES:
            await deployment.until(
                f"{name} gives its connections up",
                lambda name=name: given_up(deployment, name) >= before[name] + CLIENTS[name],
            )
    await flow
    await deployment.account()
    assert {name: deployment.service(name).pid for name in SERVICES} == processes


def given_up(deployment: Deployment, name: str) -> int:
    """Return how many connections a service gave up."""
    return deployment.service(name).log.read_text().count('"event":"nats-disconnected"')


async def none_ready(deployment: Deployment) -> bool:
    return not any(await asyncio.gather(*(deployment.is_ready(name) for name in SERVICES)))
