"""SIGTERM: a service ends in order, soon, and with nothing lost."""

import asyncio

import pytest

from services.console.demo.fleet import Service
from services.console.server_process import wait_until
from tests.e2e.deployment import SERVICES, Deployment
from tests.e2e.hospital import patients, steady_flow

pytestmark = pytest.mark.timeout(120)

PATIENTS = 60
STOP_SECONDS = 5.0


async def test_services_asked_to_stop_while_messages_flow_end_with_status_0_and_lose_nothing(
    deployment: Deployment,
) -> None:
    """One after the other, as they are replaced by a newer version."""
    hospital = deployment.hospital
    for name in SERVICES:
        enough = hospital.accepted + PATIENTS
        flow = asyncio.create_task(hospital.send(steady_flow(patients(PATIENTS))))
        await deployment.until("messages flow", lambda enough=enough: hospital.accepted >= enough)
        await expect_end(deployment.service(name))
        deployment.restart(name)
        await flow
    await deployment.account()


async def test_stopped_with_nothing_to_do_every_service_ends_with_status_0(deployment: Deployment) -> None:
    """As a rollout does: all at once."""
    await asyncio.gather(*(expect_end(deployment.service(name)) for name in SERVICES))
    for name in SERVICES:
        deployment.restart(name)
    await deployment.account()


async def expect_end(service: Service) -> None:
    """Ask a service to stop; expect status 0 within 5 s."""
    service.ask_to_stop()
    ended = await asyncio.to_thread(wait_until, lambda: not service.is_running, STOP_SECONDS)
    assert ended, f"{service.name} still runs {STOP_SECONDS:g} s after SIGTERM."
    assert service.status == 0, f"{service.name} ended with status {service.status}:\n{service.last_words()}"
