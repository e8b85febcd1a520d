import pytest

from shared.events.envelope import Position
from shared.projections.difference import (
    HistoryDiffers,
    JournalDiffers,
    NotInJournal,
    NotInLog,
    RowDiffers,
    RowMissing,
    RowUnexpected,
)
from tests.integration.projections.cohort import cohort, journey, participant
from tests.integration.projections.conftest import Desk, differences

BOB = participant(1)


@pytest.fixture
async def projected(desk: Desk) -> Desk:
    """Ten journeys, projected, and the projector stopped."""
    projector = desk.project()
    await desk.until_projected(await desk.tell(cohort(10)))
    await desk.stop(projector)
    return desk


async def test_verify_finds_nothing_where_nothing_was_touched(projected: Desk) -> None:
    assert await differences(projected) == []


async def test_verify_finds_a_row_that_was_changed_by_hand(projected: Desk) -> None:
    await projected.connection.execute(
        "update read_1.care set level = '1', attended = 3 where participant = $1", BOB
    )
    assert await differences(projected) == [RowDiffers("care", BOB, (str(BOB),), ("level", "attended"))]


async def test_verify_finds_a_row_that_was_removed(projected: Desk) -> None:
    await projected.connection.execute("delete from read_1.history where participant = $1 and seq = 2", BOB)
    assert await differences(projected) == [RowMissing("history", BOB, (str(BOB), "0", "2"))]


async def test_verify_finds_a_row_that_was_added(projected: Desk) -> None:
    nobody = participant(999)
    await projected.connection.execute(
        "insert into read_1.task (participant, task, due) values ($1, 'x', now())", nobody
    )
    assert await differences(projected) == [RowUnexpected("task", nobody, (str(nobody), "x"))]


async def test_verify_finds_a_journalled_message_that_was_changed(projected: Desk) -> None:
    await projected.connection.execute("update log.journal set message = message || ' ' where seq = 7")
    assert await differences(projected) == [JournalDiffers(Position(0, 7), ("message",))]


async def test_verify_finds_a_journalled_column_that_was_changed(projected: Desk) -> None:
    await projected.connection.execute("update log.journal set entity = 'x', happened = now() where seq = 7")
    assert await differences(projected) == [JournalDiffers(Position(0, 7), ("entity", "happened"))]


async def test_verify_finds_an_event_that_was_given_to_another_participant(projected: Desk) -> None:
    await projected.connection.execute(
        "update log.journal set participant = $1 where seq = 12", participant(0)
    )
    assert await differences(projected) == [JournalDiffers(Position(0, 12), ("participant",))]


async def test_verify_finds_a_message_missing_in_the_journal(projected: Desk) -> None:
    await projected.connection.execute("delete from log.journal where seq in (3, 4)")
    assert await differences(projected) == [NotInJournal(Position(0, 3)), NotInJournal(Position(0, 4))]


async def test_verify_finds_a_message_missing_in_the_log(projected: Desk) -> None:
    await projected.streams.delete_msg("CARE_0", 5)
    found = await differences(projected)
    assert found[0] == NotInLog(Position(0, 5))
    # The fold is of the log, which no longer tells what the fifth event told.
    assert {type(each) for each in found[1:]} <= {RowUnexpected, RowDiffers}
    assert len(found) > 1


async def test_verify_finds_messages_missing_at_the_end_of_the_log(projected: Desk) -> None:
    await projected.streams.delete_msg("CARE_0", 200)
    found = await differences(projected)
    assert isinstance(found[0], HistoryDiffers)
    assert NotInLog(Position(0, 200)) in found


async def test_verify_finds_another_log(projected: Desk) -> None:
    await projected.streams.delete_stream("CARE_0")
    await projected.make_stream()
    await projected.tell(journey(77))
    found = await differences(projected)
    assert isinstance(found[0], HistoryDiffers)
    assert "was created" in found[0].reason
    assert JournalDiffers in {type(each) for each in found}
    assert NotInLog(Position(0, 200)) in found
