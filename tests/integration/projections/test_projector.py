import asyncio
import signal
import sys
from asyncio.subprocess import PIPE
from itertools import islice
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from services.console.embedded import NatsServer
from shared.projections.lag import lag
from shared.projections.postgres import connect
from shared.projections.projector import prepare
from shared.projections.reader import LogReader
from tests.integration.projections.cohort import EVENTS_EACH, cohort, journey, participant
from tests.integration.projections.conftest import Desk, differences, until, until_so
from tests.integration.projections.read_models import projections

ROOT = Path(__file__).parents[3]
SCRIPT = "tests.integration.projections.run_projector"


async def test_every_event_is_journalled_and_projected_once(desk: Desk) -> None:
    desk.project(batch=64)
    last = await desk.tell(cohort(30))
    await desk.until_projected(last)
    assert await desk.count("log.journal") == last == 30 * EVENTS_EACH
    assert await desk.count("read.history") == last
    row = await desk.connection.fetchrow(
        "select family, given, level, attended, demographics ->> 'sex' as sex"
        " from read.care where participant = $1",
        participant(7),
    )
    assert row is not None
    assert dict(row) == {
        "family": "Family7",
        "given": ["Ada", "M."],
        "level": "2.1",
        "attended": 7,
        "sex": "female",
    }
    assert await desk.count("read.task") == 0
    assert await differences(desk) == []


async def test_what_is_committed_and_what_is_left_is_counted(desk: Desk) -> None:
    def counted(name: str) -> float:
        return REGISTRY.get_sample_value(f"throughcare_projector_{name}", {"partition": "0"}) or 0.0

    last = await desk.tell(cohort(30))
    events, batches = counted("events_total"), counted("batches_total")
    projector = desk.project(batch=64)
    await until(lambda: projector.statuses[0].seq == last)
    assert counted("events_total") - events == last
    assert counted("batches_total") - batches >= last / 64
    assert counted("lag_events") == 0


async def test_a_reader_knows_how_much_of_the_log_is_left(desk: Desk) -> None:
    last = await desk.tell(cohort(30))
    reader = LogReader(desk.nats, 0, 64)
    await reader.open(0)
    seq = (await reader.next(5))[-1].entry.seq
    assert reader.behind(seq) == last - seq > 0
    await reader.close()


async def test_the_entity_index_of_the_journal_finds_an_entitys_events_in_order(desk: Desk) -> None:
    desk.project()
    told = list(journey(1))
    await desk.until_projected(await desk.tell(told))
    rows = await desk.connection.fetch(
        "select seq, message, type from log.journal where entity = $1 and category = 'episode' order by seq",
        str(participant(1)),
    )
    assert [row["message"] for row in rows] == [each.message for each in told if ".episode." in each.subject]


async def test_a_second_projector_takes_over_when_the_leaders_connection_dies(desk: Desk) -> None:
    first = desk.project()
    await desk.until_projected(await desk.tell(journey(1)))
    second = desk.project()
    await until(lambda: second.statuses[0].role == "standby")
    assert first.statuses[0].role == "leading"
    await desk.connection.execute(
        "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted"
        " and objid = 0 and classid = (hashtext('throughcare.projector')::bigint & x'ffffffff'::bigint)::oid"
    )
    await until(lambda: "leading" in (first.statuses[0].role, second.statuses[0].role))
    await desk.until_projected(await desk.tell(journey(2)))
    await until(lambda: {first.statuses[0].role, second.statuses[0].role} == {"leading", "standby"})
    assert await differences(desk) == []


async def test_a_projector_killed_at_any_time_loses_and_repeats_nothing(desk: Desk, nats_url: str) -> None:
    told = list(cohort(100))
    reached = 0
    for at in range(4):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", SCRIPT, nats_url, desk.database_url, cwd=ROOT, stderr=PIPE
        )
        last = await desk.tell(told[at * 500 : (at + 1) * 500])
        reached += 150 + at * 70
        await desk.until_projected(min(reached, last))
        process.send_signal(signal.SIGKILL)
        await process.communicate()
    desk.project()
    await desk.until_projected(len(told))
    assert await desk.count("log.journal") == len(told)
    assert await desk.count("read.history") == len(told)
    assert await differences(desk) == []


async def test_a_batch_that_cannot_commit_is_projected_later_and_once(desk: Desk) -> None:
    projector = desk.project(batch=20)
    await desk.until_projected(await desk.tell(journey(1)))
    async with desk.connection.transaction():
        await desk.connection.execute("select from log.checkpoint for update")
        last = await desk.tell(cohort(5))
        await until_waiting(desk)
        await terminate_projectors(desk)
    await desk.until_projected(last)
    await until(lambda: not projector.problems)
    assert await differences(desk) == []


async def test_nats_going_away_and_coming_back_loses_nothing(desk: Desk, nats_server: NatsServer) -> None:
    projector = desk.project(batch=50)
    await desk.until_projected(await desk.tell(journey(1)))
    await asyncio.to_thread(nats_server.kill)
    nats_server.start()
    await until(lambda: desk.nats.stats["reconnects"] > 0 and desk.nats.is_connected)
    last = await desk.tell(cohort(20))
    await desk.until_projected(last)
    await until(lambda: projector.statuses[0].role == "leading")
    assert await differences(desk) == []


async def test_partitions_are_projected_beside_each_other(desk: Desk) -> None:
    await desk.make_stream(1)
    desk.project(partitions=2)
    first = await desk.tell(journey(1))
    second = await desk.tell(islice(journey(2, k=1), 10))
    await desk.until_projected(first)
    await desk.until_projected(second, k=1)
    assert [(each.k, each.events) for each in await lag(desk.nats, desk.connection, 2)] == [(0, 0), (1, 0)]
    assert await differences(desk) == []


async def test_the_lag_says_how_many_events_wait_and_for_how_long(desk: Desk) -> None:
    await prepare(desk.database_url, projections())
    await desk.tell(journey(1))
    (behind,) = await lag(desk.nats, desk.connection, 1)
    assert (behind.events, behind.projected) == (EVENTS_EACH, 0)
    assert 0 <= behind.seconds < 60


async def test_a_stream_that_ends_before_the_checkpoint_stops_the_projector_with_a_sentence(
    desk: Desk,
) -> None:
    projector = desk.project()
    await desk.until_projected(await desk.tell(journey(1)))
    await desk.stop(projector)
    await desk.streams.delete_stream("CARE_0")
    await desk.make_stream()
    await desk.connection.execute(
        "update log.checkpoint set created = $1",
        (await desk.streams.stream_info("CARE_0")).created,
    )
    stopped = desk.project()
    await until(lambda: stopped.statuses[0].role == "stopped")
    assert stopped.problems == [
        "History was lost: CARE_0 ends at message 0, but messages up to 20 were projected."
    ]


async def test_another_stream_of_the_same_name_stops_the_projector(desk: Desk) -> None:
    projector = desk.project()
    await desk.until_projected(await desk.tell(journey(1)))
    await desk.stop(projector)
    await desk.streams.delete_stream("CARE_0")
    await desk.make_stream()
    await desk.tell(journey(2))
    await desk.tell(journey(3))
    stopped = desk.project()
    await until(lambda: stopped.statuses[0].role == "stopped")
    assert "was created" in stopped.problems[0]
    assert await desk.count("log.journal") == EVENTS_EACH


async def test_another_message_at_the_checkpoint_stops_the_projector(desk: Desk) -> None:
    projector = desk.project()
    await desk.until_projected(await desk.tell(journey(1)))
    await desk.stop(projector)
    await desk.connection.execute("update log.journal set message = 'x' where seq = 20")
    stopped = desk.project()
    await until(lambda: stopped.statuses[0].role == "stopped")
    assert stopped.problems == ["History was lost: message 20 of CARE_0 is not the one that was projected."]


async def test_a_message_missing_in_the_stream_stops_the_projector(desk: Desk) -> None:
    await desk.tell(journey(1))
    await desk.streams.delete_msg("CARE_0", 5)
    projector = desk.project()
    await until(lambda: projector.statuses[0].role == "stopped")
    assert projector.problems == ["History was lost: message 5 of CARE_0 cannot be read any more."]


async def until_waiting(desk: Desk) -> None:
    other = await connect(desk.database_url)

    async def waits() -> bool:
        return bool(await other.fetchval("select count(*) > 0 from pg_locks where not granted"))

    await until_so(waits)
    await other.close()


async def terminate_projectors(desk: Desk) -> None:
    await desk.connection.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where wait_event_type = 'Lock' and datname = current_database()"
    )


async def test_whoever_waits_for_the_log_ends_when_cancelled_as_a_message_comes(desk: Desk) -> None:
    await desk.tell(islice(journey(1), 1))
    reader = LogReader(desk.nats, 0, 10)
    await reader.open(1)
    waiting = asyncio.create_task(reader.next(30))
    await asyncio.sleep(0)
    reader._arrived.set()  # pyright: ignore[reportPrivateUsage] -- as its subscription does, in the same tick
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await reader.close()
