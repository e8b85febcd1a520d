"""Kill -9 of each process while messages flow: nothing that was acknowledged is lost or done twice."""

import asyncio

import pytest

from tests.e2e.deployment import NATS, POSTGRES, SERVICES, Deployment
from tests.e2e.hospital import patients, steady_flow

pytestmark = pytest.mark.timeout(120)

PATIENTS = 150
IN_THE_WAY_OF_MESSAGES = ("gateway", NATS)


@pytest.mark.parametrize("victim", [*SERVICES, NATS, POSTGRES])
async def test_killed_while_messages_flow_and_started_again_nothing_is_lost(
    deployment: Deployment, victim: str
) -> None:
    messages = steady_flow(patients(PATIENTS))
    hospital = deployment.hospital
    before = hospital.accepted
    flow = asyncio.create_task(hospital.send(messages))
    for part in (0.2, 0.6):
        enough = before + int(len(messages) * part)
        await deployment.until("messages flow", lambda enough=enough: hospital.accepted >= enough)
        deployment.kill(victim)
        await _is_missed(deployment, victim, len(messages))
        deployment.restart(victim)
    await flow
    await deployment.account()


async def _is_missed(deployment: Deployment, victim: str, messages: int) -> None:
    """Wait until senders notice, or, where they must not, until more of their messages were accepted."""
    hospital = deployment.hospital
    accepted, unanswered = hospital.accepted, hospital.unanswered
    if victim in IN_THE_WAY_OF_MESSAGES:
        await deployment.until("a sender notices", lambda: hospital.unanswered > unanswered)
    else:
        enough = accepted + messages // 10
        await deployment.until("messages are accepted", lambda: hospital.accepted >= enough)
        assert hospital.unanswered == unanswered
