import pytest
from nats.js.errors import NotFoundError

from shared.projections.restore import RestoreError, restore
from tests.integration.projections.cohort import Told, cohort, journey, participant
from tests.integration.projections.conftest import Desk, differences, until
from tests.integration.projections.read_models import projections


async def messages(desk: Desk) -> list[tuple[str, bytes]]:
    streams = desk.streams
    last = (await streams.stream_info("CARE_0")).state.last_seq
    found = [await streams.get_msg("CARE_0", seq) for seq in range(1, last + 1)]
    return [(each.subject or "", each.data or b"") for each in found]


async def lose_the_log(desk: Desk) -> None:
    await desk.streams.delete_stream("CARE_0")
    await desk.make_stream()


async def test_a_lost_log_is_restored_byte_for_byte_and_projecting_goes_on(desk: Desk) -> None:
    projector = desk.project()
    await desk.tell([Told("care.0.participant.x", participant(9), b"no event")])
    await desk.until_projected(await desk.tell(cohort(5)))
    before = await messages(desk)
    await desk.stop(projector)
    await lose_the_log(desk)
    assert await restore(desk.nats, desk.connection, 0) == 101
    assert await messages(desk) == before
    (unread,) = await differences(desk)
    assert type(unread).__name__ == "ParkedParticipant"
    again = desk.project()
    await desk.until_projected(await desk.tell(journey(7)))
    assert again.problems == []
    assert len(await differences(desk)) == 1


async def test_an_event_that_was_restored_is_still_known_as_a_duplicate(desk: Desk) -> None:
    projector = desk.project()
    told = list(journey(1))
    await desk.until_projected(await desk.tell(told))
    await desk.stop(projector)
    await lose_the_log(desk)
    await restore(desk.nats, desk.connection, 0)
    assert await desk.tell(told[-1:]) == len(told)


async def test_a_log_that_is_not_empty_is_not_restored(desk: Desk) -> None:
    projector = desk.project()
    await desk.until_projected(await desk.tell(journey(1)))
    await desk.stop(projector)
    with pytest.raises(RestoreError, match="CARE_0 is not empty"):
        await restore(desk.nats, desk.connection, 0)


async def test_a_purged_log_is_not_restored_as_its_sequences_go_on(desk: Desk) -> None:
    projector = desk.project()
    await desk.until_projected(await desk.tell(journey(1)))
    await desk.stop(projector)
    await desk.streams.purge_stream("CARE_0")
    with pytest.raises(RestoreError, match="is not empty"):
        await restore(desk.nats, desk.connection, 0)


async def test_a_journal_with_gaps_restores_nothing(desk: Desk) -> None:
    projector = desk.project()
    await desk.until_projected(await desk.tell(journey(1)))
    await desk.stop(projector)
    await desk.connection.execute("delete from log.journal where seq = 4")
    await lose_the_log(desk)
    with pytest.raises(RestoreError, match="has gaps: 19 messages from 1 to 20"):
        await restore(desk.nats, desk.connection, 0)
    with pytest.raises(NotFoundError):
        await desk.streams.get_msg("CARE_0", 1)


async def test_a_log_is_not_restored_under_a_projector(desk: Desk) -> None:
    projector = desk.project(projections())
    await until(lambda: projector.statuses[0].role == "leading")
    with pytest.raises(RestoreError, match="stop it first"):
        await restore(desk.nats, desk.connection, 0)
