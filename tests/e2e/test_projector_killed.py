"""The projector has no acknowledgement to lose: a batch and the checkpoint are one transaction.

It is stopped at the very points where a projector with acknowledgements would lose or repeat a batch.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from nats.aio.msg import Msg

from shared.events.envelope import Position
from shared.projections.checkpoint import read_checkpoints
from shared.projections.jetstream import subscribe
from shared.projections.postgres import Connection
from shared.projections.visible import Visible
from tests.e2e.deployment import Deployment
from tests.e2e.hospital import patients, steady_flow

pytestmark = pytest.mark.timeout(120)

GATE = 741_852  # key of the advisory lock that stands for "not further than this"


async def test_killed_after_fetching_a_batch_and_before_its_commit_the_batch_is_projected_once(
    deployment: Deployment,
) -> None:
    async with deployment.database() as ours, ours.transaction():
        before = await reached(ours)
        await ours.execute("lock table log.journal in access exclusive mode")
        await deployment.hospital.send(steady_flow(patients(30)))
        await deployment.until("the projector is in a batch", lambda: is_kept_waiting(deployment, "relation"))
        deployment.kill("timeline")
        assert await reached(ours) == before
    deployment.restart("timeline")
    await deployment.account()


async def test_killed_after_a_commit_and_before_telling_of_it_readers_see_it_all_the_same(
    deployment: Deployment,
) -> None:
    told: list[bytes] = []

    async def note(message: Msg) -> None:
        told.append(message.data)

    async with deployment.database() as ours, commits_wait(ours):
        before = await reached(ours)
        await deployment.hospital.send([person.referral() for person in patients(30)])
        await deployment.until("the projector commits", lambda: is_kept_waiting(deployment, "advisory"))
        listening = await subscribe(deployment.nats, "projected.*", note)
        async with deployment.frozen(deployment.service("timeline").pid):
            await ours.execute("select pg_advisory_unlock($1)", GATE)
            await deployment.until("the batch is committed", lambda: has_moved(ours, before))
            deployment.kill("timeline")
    await expect_visible(deployment)
    assert told == []
    await listening.unsubscribe()
    deployment.restart("timeline")
    await deployment.account()


@asynccontextmanager
async def commits_wait(ours: Connection) -> AsyncGenerator[None]:
    """Let commits that move a checkpoint wait, at their very end, while we hold the gate's lock."""
    await ours.execute("select pg_advisory_lock($1)", GATE)
    await ours.execute(
        f"""
        create function log.wait_at_gate() returns trigger language plpgsql as
            $$ begin perform pg_advisory_xact_lock_shared({GATE}); return null; end $$;
        create constraint trigger gate after update on log.checkpoint deferrable initially deferred
            for each row execute function log.wait_at_gate();
        """
    )
    yield
    await ours.execute("drop trigger gate on log.checkpoint; drop function log.wait_at_gate")


async def is_kept_waiting(deployment: Deployment, kind: str) -> bool:
    async with deployment.database() as connection:
        return await connection.fetchval(
            "select exists (select from pg_locks where locktype = $1 and not granted)", kind
        )


async def reached(connection: Connection) -> dict[int, int]:
    return {each.k: each.seq for each in await read_checkpoints(connection)}


async def has_moved(connection: Connection, before: dict[int, int]) -> bool:
    return await reached(connection) != before


async def expect_visible(deployment: Deployment) -> None:
    """Expect read-your-writes to know of what nobody told."""
    async with asyncpg.create_pool(deployment.settings.database_url, min_size=1, max_size=1) as pool:
        async with deployment.database() as connection:
            positions = [Position(k, seq) for k, seq in (await reached(connection)).items()]
        visible = Visible(deployment.nats, pool)
        await visible.start()
        for position in positions:
            await visible.wait_for(position, timeout=5)
        await visible.stop()
