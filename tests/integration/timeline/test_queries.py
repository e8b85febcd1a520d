"""The reading side against a real Postgres, filled as the projector fills it."""

import json
from collections.abc import AsyncGenerator, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from services.intake import matching
from services.timeline import queries
from services.timeline.read_models import projections
from services.timeline.read_models.participant import participant
from shared.events.assessment import SuicideRiskFlagged
from shared.events.base import Demographics, EventData, Identifier
from shared.events.encounter import DeathNotified
from shared.events.envelope import Recorded
from shared.events.participant import IdentifierLinked, ParticipantRegistered
from shared.events.registry import encode
from shared.projections.batch import add_entries
from shared.projections.fold import Fold
from shared.projections.generation import active_generation
from shared.projections.journal import Entry
from shared.projections.postgres import Connection, connect
from shared.projections.projector import prepare
from shared.projections.table import Tables
from shared.sql import statements
from tests.unit.timeline.facts import (
    CSSRS,
    FOLLOW_UP,
    HOSPITAL,
    LATER_FOLLOW_UP,
    OTHER_REFERRAL,
    REFERRAL,
    accepted,
    admitted,
    assessed,
    discharged,
    enrolled,
    id_of,
    level_started,
    opened,
    owed,
    received,
    session_on,
)
from tests.unit.timeline.rows import folded
from tests.unit.timeline.story import SITE, At, Story, on

ROBIN = UUID("01920000-0000-7000-8000-00000000a001")
KIM = UUID("01920000-0000-7000-8000-00000000b002")
MODELS = projections(SITE)
NOW = on(12)


def known_as(family: str, given: str, *identifiers: Identifier) -> tuple[EventData, ...]:
    who = ParticipantRegistered(
        demographics=Demographics(family=family, given=(given,), birth_date=date(1990, 4, 17)),
        identifiers=identifiers[:1],
    )
    return (who, *(IdentifierLinked(identifier=each) for each in identifiers[1:]))


@pytest.fixture
async def connection(database: str) -> AsyncGenerator[Connection]:
    await prepare(database, MODELS)
    opened_one = await connect(database)
    yield opened_one
    await opened_one.close()


async def project(connection: Connection, *stories: Story) -> None:
    """Fold and write what happened to each, journal and read models, as a batch of the projector does."""
    generation = await active_generation(connection)
    assert generation is not None
    fold, entries = Fold(MODELS), list[Entry]()
    for place, each in enumerate(stories):
        for recorded in _in_partition(each.events, place):
            assert fold.apply(recorded) is None
            entries.append(_entry(recorded))
    await add_entries(connection, entries)
    await Tables(MODELS, generation.number).write(connection, fold.changes())


def _in_partition(events: Sequence[Recorded], k: int) -> list[Recorded]:
    return [replace(event, position=replace(event.position, partition=k)) for event in events]


def _entry(recorded: Recorded) -> Entry:
    event = recorded.event
    return Entry(
        k=recorded.position.partition,
        seq=recorded.position.sequence,
        category=recorded.category,
        entity=recorded.entity,
        participant=event.subject,
        type=event.type,
        event_id=event.id,
        happened=event.time,
        recorded_at=recorded.recorded_at,
        message=encode(event),
    )


async def test_a_participant_is_found_by_id_either_end_of_it_and_identifier(connection: Connection):
    mrn, account = Identifier("general-hospital", "MRN-1"), Identifier("clinic", "77")
    await project(connection, Story(ROBIN).tell(*known_as("Sample", "Robin", mrn, account)))
    for text in (
        str(ROBIN),
        str(ROBIN).upper(),
        "01920000",
        "a001",
        " MRN-1 ",
        "general-hospital|MRN-1",
        "77",
    ):
        (found,) = await queries.find_participant(connection, text)
        assert (found.participant, found.family, found.given) == (ROBIN, "Sample", ("Robin",))
        assert found.identifiers == ("general-hospital|MRN-1", "clinic|77")


async def test_who_is_meant_or_may_be_the_same_is_found_by_indexes_among_many(connection: Connection):
    await connection.execute(MANY)
    await connection.execute("analyze")
    id_ = await connection.fetchval("select participant from read.participant where family = 'F77'")
    for meant in (str(id_), str(id_)[:13], str(id_)[-12:], "MRN-77", "HOSP|MRN-77"):
        (found,) = await queries.find_participant(connection, meant)
        assert found.participant == id_
    plans = [
        await plan(connection, FIND, "a1b2", "MRN-77", "MRN-77", id_, id_),
        await plan(connection, CANDIDATES, id_, date(1990, 1, 1) + timedelta(days=78), "F78", "5550078"),
    ]
    for scans in plans:
        assert not [scan for scan in scans if scan["Node Type"] == "Seq Scan"]
        assert {scan["Relation Name"] for scan in scans if "Relation Name" in scan} == {"participant"}


# Twenty thousand people: enough that reading all of them is never the cheapest plan.
MANY = """
insert into read.participant (
    participant, status, family, given, birth_date, phone, identifiers, numbers,
    steps, stays, referrals, risks, sessions,
    sessions_attended, sessions_missed, goals_open, goals_achieved, deceased, k, seq
)
select
    gen_random_uuid(), 'registered', 'F' || n, '{Ada}', date '1990-01-01' + n,
    '555-' || lpad(n::text, 4, '0'),
    array['HOSP|MRN-' || n], array['MRN-' || n],
    '[]', '[]', '[]', '{}', '[]',
    0, 0, 0, 0, false, 0, n
from generate_series(1, 20000) as n
"""
FIND = statements(Path(queries.__file__).with_suffix(".sql"))["find_participant"]
CANDIDATES = statements(Path(matching.__file__).with_name("candidates.sql"))["candidates"]


async def plan(connection: Connection, query: str, *arguments: object) -> list[dict[str, Any]]:
    """Return the nodes of the plan that Postgres makes."""
    told: str = await connection.fetchval(f"explain (format json) {query}", *arguments)
    return list(nodes(json.loads(told)[0]["Plan"]))


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


async def test_nobody_is_found_by_less_than_four_characters_of_an_id_or_by_a_pattern(connection: Connection):
    await project(connection, Story(ROBIN).tell(*known_as("Sample", "Robin")))
    for text in ("019", "001", "", "%", "____", "nobody", "0192%"):
        assert await queries.find_participant(connection, text) == []


async def test_who_may_be_meant_is_told_where_it_is_more_than_one(connection: Connection):
    here, there = Identifier("general-hospital", "MRN-1"), Identifier("other-hospital", "MRN-1")
    await project(
        connection,
        Story(ROBIN).tell(*known_as("Sample", "Robin", here)),
        Story(KIM).tell(*known_as("Example", "Kim", there)),
    )
    both = await queries.find_participant(connection, "MRN-1")
    assert [each.family for each in both] == ["Example", "Sample"]
    assert len(await queries.find_participant(connection, "01920000")) == 2
    (one,) = await queries.find_participant(connection, "other-hospital|MRN-1")
    assert one.participant == KIM


async def test_the_care_state_reads_as_it_was_folded(connection: Connection):
    told = Story(ROBIN).tell(
        *known_as("Sample", "Robin", Identifier("general-hospital", "MRN-1")),
        received(),
        accepted(),
        admitted(),
        discharged(),
        assessed(),
        SuicideRiskFlagged(level="high", basis="C-SSRS high", assessment=CSSRS),
        enrolled(),
        opened(),
        level_started(),
        session_on(on(10)),
    )
    await project(connection, told)
    (expected,) = folded(participant(SITE), told.events, ROBIN)
    assert await queries.care_state(connection, ROBIN) == expected
    assert await queries.care_state(connection, KIM) is None


async def test_the_care_state_of_an_earlier_time_is_what_was_known_then(connection: Connection):
    late = At(on(20), discharged("2026-03-03"), happened="2026-03-03")
    await project(connection, Story(ROBIN).tell(At(on(1), admitted("2026-02-20")), late))
    then = await queries.care_state_as_of(connection, SITE, ROBIN, on(10))
    assert then is not None
    assert (then.status, then.last_discharge) == ("inpatient", None)
    assert await queries.care_state_as_of(connection, SITE, ROBIN, datetime(2020, 1, 1, tzinfo=UTC)) is None


async def test_a_timeline_is_in_the_order_of_the_world(connection: Connection):
    late = At(on(20), discharged("2026-03-03"), happened="2026-03-03")
    await project(connection, Story(ROBIN).tell(At(on(10), received()), late))
    titles = [entry.title for entry in await queries.timeline(connection, ROBIN)]
    assert titles == [f"Discharged from {HOSPITAL}", f"Referral received from {HOSPITAL}"]


async def test_a_timeline_as_of_a_time_holds_only_what_was_recorded_before(connection: Connection):
    late = At(on(20), discharged("2026-03-03"), happened="2026-03-03")
    await project(connection, Story(ROBIN).tell(At(on(10), received()), late))
    assert [entry.seq for entry in await queries.timeline(connection, ROBIN, as_of=on(20))] == [1]
    assert len(await queries.timeline(connection, ROBIN, as_of=on(21))) == 2


async def test_the_worklist_puts_risk_first_then_priority_then_the_last_day(connection: Connection):
    flagged = SuicideRiskFlagged(level="high", basis="C-SSRS high", assessment=CSSRS)
    await project(
        connection,
        Story(ROBIN).tell(*known_as("Sample", "Robin"), At(on(10), received()), At(on(11), flagged)),
        Story(KIM).tell(
            *known_as("Example", "Kim"),
            At(on(9), received("routine", OTHER_REFERRAL)),
            At(on(12, 8), owed(due=date(2026, 3, 10))),
            At(on(12, 8), received("stat", id_of(0x99))),
        ),
    )
    items = await queries.worklist(connection, SITE, NOW)
    assert [(item.task.kind, item.family, item.overdue) for item in items] == [
        ("suicide-risk", "Sample", True),
        ("triage", "Example", False),
        ("book-follow-up", "Example", True),
        ("triage", "Example", True),
        ("triage", "Sample", False),
    ]
    assert items[0].task.about == (str(CSSRS),)


async def test_the_worklist_can_be_of_one_kind_or_of_one_participant(connection: Connection):
    await project(
        connection,
        Story(ROBIN).tell(received(), owed()),
        Story(KIM).tell(received("stat", OTHER_REFERRAL)),
    )
    of_kind = await queries.worklist(connection, SITE, NOW, kind="triage")
    assert [item.task.participant for item in of_kind] == [KIM, ROBIN]
    of_robin = await queries.worklist(connection, SITE, NOW, participant=ROBIN)
    assert {item.task.kind for item in of_robin} == {"triage", "book-follow-up"}


async def test_what_is_due_today_becomes_overdue_at_the_midnight_of_the_site(connection: Connection):
    await project(connection, Story(ROBIN).tell(At(on(9), received("stat"))))  # due on the 10th
    before = datetime(2026, 3, 11, 3, 59, tzinfo=UTC)
    after = datetime(2026, 3, 11, 4, 0, tzinfo=UTC)
    assert [item.overdue for item in await queries.worklist(connection, SITE, before)] == [False]
    assert [item.overdue for item in await queries.worklist(connection, SITE, after)] == [True]


async def test_nothing_of_a_participant_who_died_is_shown(connection: Connection):
    died = DeathNotified(facility=HOSPITAL, died="2026-03-05")
    await project(connection, Story(ROBIN).tell(received(), owed(), enrolled(), died, received("stat")))
    assert await queries.worklist(connection, SITE, NOW) == []


async def test_referrals_read_as_they_were_folded(connection: Connection):
    told = Story(ROBIN).tell(At(on(2), received()), At(on(3), received("stat", OTHER_REFERRAL)), accepted())
    await project(connection, told)
    assert [each.referral for each in await queries.referrals(connection, ROBIN)] == [
        OTHER_REFERRAL,
        REFERRAL,
    ]
    one = await queries.referral_status(connection, REFERRAL)
    assert one is not None
    assert (one.status, one.received_at, one.owner) == ("accepted", on(2), "coordinator:7")
    assert await queries.referral_status(connection, FOLLOW_UP) is None


async def test_a_follow_up_is_overdue_after_its_last_day_as_long_as_it_is_owed(connection: Connection):
    later = owed("follow-up-30-day", due=date(2026, 4, 2), follow_up=LATER_FOLLOW_UP)
    await project(connection, Story(ROBIN).tell(owed(), later))
    items = await queries.follow_ups(connection, SITE, NOW, ROBIN)
    assert [(item.follow_up.follow_up, item.overdue) for item in items] == [
        (FOLLOW_UP, True),
        (LATER_FOLLOW_UP, False),
    ]
