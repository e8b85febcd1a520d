from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from random import Random

import msgspec
import pytest

from shared.events.base import Demographics
from shared.events.envelope import Position, Recorded
from shared.events.participant import DemographicsCorrected, ParticipantRegistered
from shared.events.session import SessionAttended
from shared.projections.parking import (
    NotParkedError,
    StillParkedError,
    parked_count,
    parked_events,
    replay_at,
    replay_parked,
)
from shared.projections.projection import AnyProjection, Rows
from tests.integration.projections.cohort import EVENTS_EACH, Told, journey, participant, told
from tests.integration.projections.conftest import Desk, differences
from tests.integration.projections.read_models import CARE, HISTORY, REFERRAL, SESSION, TASK, Session

BOB, EVE = participant(1), participant(2)


def failing(rows: Rows[Session], recorded: Recorded) -> None:
    """As the session's fold, but for one participant's second attendance."""
    event = recorded.event
    if event.subject == BOB and isinstance(event.data, SessionAttended) and recorded.position.sequence > 8:
        raise ValueError(f"Family1 came for {event.data.minutes} minutes")
    SESSION.apply(rows, recorded)


BROKEN: Sequence[AnyProjection] = (CARE, HISTORY, replace(SESSION, apply=failing), TASK, REFERRAL)
WHOLE: Sequence[AnyProjection] = (CARE, HISTORY, SESSION, TASK, REFERRAL)


async def test_an_event_that_cannot_be_applied_parks_its_participant_and_nobody_else(desk: Desk) -> None:
    desk.project(BROKEN)
    await desk.tell(journey(1))
    last = await desk.tell(journey(2))
    await desk.until_projected(last)
    (parked,) = await parked_events(desk.connection)
    assert parked.position == Position(0, 10)
    assert (parked.participant, parked.projection, parked.waiting) == (BOB, "session", EVENTS_EACH - 10)
    assert parked.reason.startswith("ValueError in failing (test_parking.py:")
    assert await desk.count(f"read.history where participant = '{BOB}'") == 9
    assert await desk.count(f"read.care where participant = '{BOB}' and attended = 1") == 1
    assert await desk.count(f"read.history where participant = '{EVE}'") == EVENTS_EACH
    assert await desk.count("log.journal") == 2 * EVENTS_EACH
    assert [type(each).__name__ for each in await differences(desk, BROKEN)] == ["ParkedParticipant"]


async def test_a_parked_participant_stays_parked_over_later_batches_and_restarts(desk: Desk) -> None:
    projector = desk.project(BROKEN, batch=4)
    await desk.until_projected(await desk.tell(islice(journey(1), 15)))
    await desk.stop(projector)
    desk.project(WHOLE, batch=4)
    await desk.until_projected(await desk.tell(islice(journey(1), 15, None)))
    assert await desk.count(f"read.history where participant = '{BOB}'") == 9


async def test_replay_folds_all_of_a_participants_events_once_the_program_can(desk: Desk) -> None:
    projector = desk.project(BROKEN)
    await desk.until_projected(await desk.tell(journey(1)))
    with pytest.raises(StillParkedError, match="Message 10 of partition 0 cannot be applied by session"):
        await replay_parked(desk.connection, BROKEN, BOB)
    assert await parked_count(desk.connection) == 1
    await desk.stop(projector)
    desk.project(WHOLE)
    await replay_parked(desk.connection, WHOLE, BOB)
    assert await parked_count(desk.connection) == 0
    corrected = DemographicsCorrected(demographics=Demographics(family="Other"))
    await desk.until_projected(await desk.tell([told(BOB, corrected, key="corrected")]))
    assert await desk.count(f"read.history where participant = '{BOB}'") == EVENTS_EACH + 1
    assert await differences(desk, WHOLE) == []


async def test_a_running_projector_goes_on_with_a_replayed_participant(desk: Desk) -> None:
    desk.project(WHOLE)
    await desk.until_projected(await desk.tell(islice(journey(1), 5)))
    await desk.connection.execute(
        "insert into log.parked (k, seq, participant, reason) values (0, 6, $1, 'by hand')", BOB
    )
    await desk.connection.execute("update log.checkpoint set epoch = epoch + 1")
    await desk.until_projected(await desk.tell(islice(journey(1), 5, 10)))
    assert await desk.count("read.history") == 5
    await replay_parked(desk.connection, WHOLE, BOB)
    await desk.until_projected(await desk.tell(islice(journey(1), 10, None)))
    assert await desk.count("read.history") == EVENTS_EACH
    assert await differences(desk, WHOLE) == []


async def test_a_row_that_postgres_refuses_parks_the_participant_whose_event_made_it(desk: Desk) -> None:
    desk.project(WHOLE)
    nul = ParticipantRegistered(demographics=Demographics(family="Nul\0Byte"))
    await desk.tell([told(BOB, nul, key="nul")])
    await desk.until_projected(await desk.tell(journey(2)))
    (parked,) = await parked_events(desk.connection)
    assert (parked.participant, parked.position) == (BOB, Position(0, 1))
    assert parked.reason.startswith("Postgres refused a row: ")
    assert await desk.count(f"read.history where participant = '{EVE}'") == EVENTS_EACH
    assert await desk.count(f"read.history where participant = '{BOB}'") == 0


async def test_a_text_that_no_index_holds_parks_its_participant_and_stops_nobody_else(desk: Desk) -> None:
    by_name = replace(CARE, ddl=f"{CARE.ddl} create index on care (family);")
    desk.project((by_name, HISTORY))
    name = Random(7).randbytes(10_000).hex()  # noqa: S311 -- no secret; no compression makes it fit
    await desk.tell([told(BOB, ParticipantRegistered(demographics=Demographics(family=name)), key="long")])
    await desk.until_projected(await desk.tell(journey(2)))
    (parked,) = await parked_events(desk.connection)
    assert (parked.participant, parked.position) == (BOB, Position(0, 1))
    assert parked.reason == "Postgres refused a row: ProgramLimitExceededError."
    assert await desk.count(f"read.history where participant = '{EVE}'") == EVENTS_EACH


async def test_a_message_that_is_no_event_is_journalled_and_only_itself_is_parked(desk: Desk) -> None:
    desk.project(WHOLE)
    await desk.tell([Told("care.0.participant.x", BOB, b"\xff not an event")])
    await desk.until_projected(await desk.tell(journey(2)))
    (parked,) = await parked_events(desk.connection)
    assert (parked.participant, parked.projection, parked.waiting) == (None, None, 0)
    assert (
        await desk.connection.fetchval("select message from log.journal where seq = 1")
        == b"\xff not an event"
    )
    with pytest.raises(StillParkedError):
        await replay_at(desk.connection, WHOLE, parked.position)
    assert await parked_count(desk.connection) == 1


async def test_an_event_of_a_type_that_nobody_knows_parks_the_participant_it_names(desk: Desk) -> None:
    desk.project(WHOLE)
    first, second, *_ = journey(1)
    unknown = msgspec.json.decode(second.message)
    unknown["type"] = unknown["data"]["event"] = "throughcare.intake.Invented"
    unknown["dataschema"] = "urn:throughcare:throughcare.intake.Invented:1"
    await desk.tell([first, second._replace(message=msgspec.json.encode(unknown))])
    await desk.until_projected(await desk.tell(islice(journey(1), 2, None)))
    (parked,) = await parked_events(desk.connection)
    assert (parked.participant, parked.projection, parked.position.sequence) == (BOB, None, 2)
    assert parked.reason == "No event type is named throughcare.intake.Invented."
    assert await desk.connection.fetchval("select type from log.journal where seq = 2") == (
        "throughcare.intake.Invented"
    )
    assert await desk.count("read.history") == 1
    with pytest.raises(NotParkedError):
        await replay_parked(desk.connection, WHOLE, EVE)
