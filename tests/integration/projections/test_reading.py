import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from itertools import islice

import asyncpg
import pytest

from shared.events.envelope import Position
from shared.projections.as_of import fold_as_of
from shared.projections.migration import migrate
from shared.projections.visible import NotVisibleError, Visible
from tests.integration.projections.cohort import journey, participant
from tests.integration.projections.conftest import Desk
from tests.integration.projections.read_models import CARE, HISTORY, projections

BOB = participant(1)


@pytest.fixture
async def visible(desk: Desk) -> AsyncGenerator[Visible]:
    await migrate(desk.connection)
    pool = await asyncpg.create_pool(desk.database_url, min_size=1, max_size=2)
    visible = Visible(desk.nats, pool)
    await visible.start()
    yield visible
    await visible.stop()
    await pool.close()


async def test_who_appended_waits_until_a_reader_sees_it(desk: Desk, visible: Visible) -> None:
    desk.project()
    for number in range(1, 6):
        last = await desk.tell(journey(number))
        await visible.wait_for(Position(0, last), 10)
        assert await desk.count("read.history") == last


async def test_waiting_for_what_nobody_projects_ends_with_a_sentence(desk: Desk, visible: Visible) -> None:
    last = await desk.tell(journey(1))
    with pytest.raises(NotVisibleError, match=r"not shown yet after 0\.2 s"):
        await visible.wait_for(Position(0, last), 0.2)


async def test_waiting_needs_no_notification(desk: Desk, visible: Visible) -> None:
    await visible.stop()
    waiting = asyncio.create_task(visible.wait_for(Position(0, 20), 10))
    desk.project()
    await desk.tell(journey(1))
    await waiting


async def test_as_of_shows_what_was_known_then(desk: Desk) -> None:
    desk.project()
    await desk.until_projected(await desk.tell(islice(journey(1), 8)))
    then = await desk.connection.fetchval(
        "select max(recorded_at) + interval '1 microsecond' from log.journal"
    )
    await desk.until_projected(await desk.tell(islice(journey(1), 8, None)))
    known = await fold_as_of(desk.connection, projections(), BOB, then)
    (care,) = known.of(CARE)
    assert (care.attended, care.seq) == (1, 8)
    assert len(known.of(HISTORY)) == 8
    now = await fold_as_of(desk.connection, projections(), BOB, datetime.now(UTC))
    assert now.of(CARE)[0].attended == 7
    assert now.parked is None
    nothing = await fold_as_of(desk.connection, projections(), BOB, datetime(2020, 1, 1, tzinfo=UTC))
    assert nothing.of(CARE) == []
