import asyncio
from collections.abc import Sequence
from dataclasses import replace

import asyncpg
import pytest

from shared.events.envelope import Recorded
from shared.projections import rebuild_range
from shared.projections.generation import OtherProjectionsError, active_generation
from shared.projections.parking import parked_events
from shared.projections.postgres import connect
from shared.projections.projection import AnyProjection, Rows
from shared.projections.projector import prepare
from shared.projections.rebuild import rebuild
from shared.projections.rebuild_workers import Workers
from tests.integration.projections.cohort import EVENTS_EACH, Told, cohort, journey, participant
from tests.integration.projections.conftest import Desk, differences, until
from tests.integration.projections.read_models import CARE, HISTORY, Care, projections


async def test_a_rebuild_makes_the_same_read_models_anew_and_drops_the_old(desk: Desk) -> None:
    desk.project()
    await desk.until_projected(await desk.tell(cohort(40)))
    told: list[tuple[int, int]] = []
    outcome = await rebuild(desk.database_url, projections(), lambda done, total: told.append((done, total)))
    assert (outcome.generation, outcome.events, outcome.parked) == (2, 40 * EVENTS_EACH, 0)
    assert told[0] == (0, 800)
    assert told[-1] == (800, 800)
    assert await differences(desk) == []
    assert await desk.count("pg_namespace where nspname ~ '^read_[0-9]+$'") == 1


async def test_readers_and_projector_go_on_while_a_rebuild_runs(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild_range, "EVENTS_A_RANGE", 300)
    told = list(cohort(200))
    projector = desk.project(batch=100)
    await desk.until_projected(await desk.tell(told[:2000]))
    counts: list[int] = []
    rebuilding = asyncio.create_task(rebuild(desk.database_url, projections()))
    for start in range(2000, len(told), 200):
        await desk.tell(told[start : start + 200])
        counts.append(await desk.count("read.history"))
    await rebuilding
    await desk.until_projected(len(told))
    assert counts == sorted(counts)
    assert counts[0] >= 2000
    assert projector.problems == []
    assert await desk.count("read.history") == len(told)
    assert await differences(desk) == []


async def test_processes_of_their_own_fold_a_long_journal(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.projections.rebuild.WORTH_PROCESSES", 100)
    monkeypatch.setattr(rebuild_range, "EVENTS_A_RANGE", 150)
    desk.project()
    await desk.until_projected(await desk.tell(cohort(40)))
    outcome = await rebuild(desk.database_url, projections(), workers=Workers(projections))
    assert outcome.events == 40 * EVENTS_EACH
    assert await differences(desk) == []


async def test_a_changed_projection_is_rebuilt_at_the_start(desk: Desk) -> None:
    projector = desk.project()
    await desk.until_projected(await desk.tell(journey(1)))
    await desk.stop(projector)
    changed = [replace(each, version=2) if each.name == "care" else each for each in projections()]
    newer = desk.project(changed)
    await until(lambda: newer.statuses[0].role == "leading")
    await desk.until_projected(await desk.tell(journey(2)))
    assert await differences(desk, changed) == []
    active = await active_generation(desk.connection)
    assert active is not None
    assert active.versions["care"] == 2
    with pytest.raises(OtherProjectionsError, match="newer version"):
        await prepare(desk.database_url, projections())


async def test_a_projector_of_older_projections_stands_by_once_newer_ones_took_over(desk: Desk) -> None:
    older = desk.project()
    await desk.until_projected(await desk.tell(journey(1)))
    changed = [replace(each, version=2) for each in projections()]
    await rebuild(desk.database_url, changed)
    newer = desk.project(changed)
    last = await desk.tell(journey(2))
    await until(lambda: older.statuses[0].role == "stopped")
    assert older.problems[0].startswith("The read models are filled by other versions")
    await desk.until_projected(last)
    assert newer.problems == []
    assert await differences(desk, changed) == []


def fails_for_bob(rows: Rows[Care], recorded: Recorded) -> None:
    if recorded.event.subject == participant(1) and recorded.position.sequence >= 6:
        raise KeyError(recorded.position.sequence)
    CARE.apply(rows, recorded)


async def test_a_rebuild_finds_anew_what_is_parked(desk: Desk) -> None:
    broken: Sequence[AnyProjection] = (replace(CARE, apply=fails_for_bob), HISTORY)
    projector = desk.project(broken)
    await desk.tell([Told("care.0.participant.x", participant(9), b"no event")])
    await desk.until_projected(await desk.tell(journey(1)))
    await desk.stop(projector)
    await rebuild(desk.database_url, broken)
    before = [(each.position.sequence, each.waiting) for each in await parked_events(desk.connection)]
    assert before == [(1, 0), (6, 15)]
    await rebuild(desk.database_url, (CARE, HISTORY))
    assert [each.position.sequence for each in await parked_events(desk.connection)] == [1]
    assert await desk.count("read.history") == EVENTS_EACH


async def test_what_an_interrupted_rebuild_left_is_dropped_by_the_next(desk: Desk) -> None:
    desk.project()
    await desk.until_projected(await desk.tell(journey(1)))
    lock = await connect(desk.database_url)
    async with lock.transaction():
        await lock.execute("lock table log.generation in share mode")
        task = asyncio.create_task(rebuild(desk.database_url, projections()))
        await desk.until("select count(*) > 0 from pg_locks where not granted")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await lock.close()
    await rebuild(desk.database_url, projections())
    assert await desk.count("log.generation") == 1
    assert await differences(desk) == []


async def test_a_reader_in_a_long_transaction_delays_the_swap_but_not_the_projector(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.projections.rebuild.SWAP_LOCK_SECONDS", 1)
    desk.project()
    await desk.until_projected(await desk.tell(journey(1)))
    reader = await asyncpg.connect(desk.database_url)
    transaction = reader.transaction()
    await transaction.start()
    await reader.fetch("select * from read.care")
    rebuilding = asyncio.create_task(rebuild(desk.database_url, projections()))
    await desk.until("select count(*) > 0 from pg_locks where not granted")
    await desk.until_projected(await desk.tell(journey(2)))
    await transaction.rollback()
    await reader.close()
    assert (await rebuilding).events == 2 * EVENTS_EACH
    assert await differences(desk) == []
