"""Twenty seconds without Postgres: hospitals and deciding services do not notice, readers catch up."""

import time

import pytest

from shared.projections.history import stream_info
from tests.e2e.deployment import POSTGRES, Deployment
from tests.e2e.hospital import patients, steady_flow

pytestmark = pytest.mark.timeout(120)

AWAY_SECONDS = 20.0


async def test_without_postgres_referrals_are_accepted_and_become_events(deployment: Deployment) -> None:
    hospital = deployment.hospital
    await hospital.send(steady_flow(patients(20)))
    unanswered = hospital.unanswered
    deployment.kill(POSTGRES)
    back = time.monotonic() + AWAY_SECONDS
    while time.monotonic() < back:
        told = await events(deployment)
        referred = patients(5)
        await hospital.send([person.referral() for person in referred])
        # Each is claimed twice (person, placer number), registered and received, before the next are sent.
        await deployment.until("they are events", lambda told=told: grown(deployment, told, 5 * 4))
    assert hospital.unanswered == unanswered
    assert await deployment.is_ready("intake")
    deployment.restart(POSTGRES)
    await deployment.account()


async def grown(deployment: Deployment, before: int, by: int) -> bool:
    return await events(deployment) >= before + by


async def events(deployment: Deployment) -> int:
    partitions = range(deployment.settings.partitions)
    return sum([(await stream_info(deployment.nats, k)).state.last_seq for k in partitions])
