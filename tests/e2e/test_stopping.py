"""SIGTERM: a service ends in order, soon, and with nothing lost."""

import asyncio
from uuid import UUID

import pytest

from services.console.demo.fleet import Service
from services.console.server_process import wait_until
from shared.commands.reply import Appended, Reply
from shared.eventlog.client import CommandClient
from tests.e2e.coordinator import set_goal
from tests.e2e.deployment import NATS, POSTGRES, SERVICES, Deployment
from tests.e2e.hospital import patients, steady_flow

pytestmark = pytest.mark.timeout(120)

PATIENTS = 60
COORDINATORS = 8
COMMANDS = 100
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


async def test_coordinators_do_not_notice_that_one_of_two_processes_is_stopped(
    deployment: Deployment,
) -> None:
    client, answers, enough = (
        CommandClient(deployment.nats, timeout_seconds=30),
        list[Reply](),
        asyncio.Event(),
    )
    people = [await deployment.registered(person) for person in patients(COORDINATORS)]
    async with deployment.doubled():
        asking = [asyncio.create_task(keep_asking(client, each, answers, enough)) for each in people]
        await deployment.until("commands are answered", lambda: len(answers) > COMMANDS)
        await expect_end(deployment.service("care_plan"))
        more = len(answers) + COMMANDS
        await deployment.until("the other process answers", lambda: len(answers) > more)
        enough.set()
        await asyncio.gather(*asking)
        deployment.restart("care_plan")
        await deployment.account()
    assert {type(answer) for answer in answers} == {Appended}


async def keep_asking(
    client: CommandClient, participant: UUID, answers: list[Reply], enough: asyncio.Event
) -> None:
    """Ask one command after the other, each once."""
    while not enough.is_set():
        answers.append(await client.ask(set_goal(participant)))


@pytest.mark.parametrize("server", [NATS, POSTGRES])
async def test_with_a_server_away_services_stop_with_status_0_and_start_to_wait_for_it(
    deployment: Deployment, server: str
) -> None:
    await deployment.hospital.send(steady_flow(patients(10)))
    deployment.kill(server)
    for _ in range(2):  # then those that wait for it
        await asyncio.gather(*(expect_end(deployment.service(name)) for name in SERVICES))
        for name in SERVICES:
            deployment.restart(name)
        for name in SERVICES:
            await deployment.until(f"{name} is there", lambda name=name: is_there(deployment, name))
    deployment.restart(server)
    await deployment.account()


def is_there(deployment: Deployment, name: str) -> bool:
    return deployment.service(name).reached() is not None


async def expect_end(service: Service) -> None:
    """Ask a service to stop; expect status 0 within 5 s."""
    service.ask_to_stop()
    ended = await asyncio.to_thread(wait_until, lambda: not service.is_running, STOP_SECONDS)
    assert ended, f"{service.name} still runs {STOP_SECONDS:g} s after SIGTERM."
    assert service.status == 0, f"{service.name} ended with status {service.status}:\n{service.last_words()}"
