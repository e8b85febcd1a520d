"""Batches that are folded while the one before is written: whatever happens to that one, nothing is lost."""

from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice

import pytest

from shared.events.base import Demographics
from shared.events.envelope import Position
from shared.events.participant import ParticipantRegistered
from shared.projections import ahead as ahead_of_postgres
from shared.projections.ahead import Ahead
from shared.projections.batch import PartitionState, project
from shared.projections.checkpoint import begin_checkpoint
from shared.projections.history import stream_info
from shared.projections.journal import Journalled
from shared.projections.parking import parked_events
from shared.projections.postgres import Connection, connect
from shared.projections.projector import prepare
from shared.projections.reader import LogReader
from tests.integration.projections.cohort import EVENTS_EACH, Told, cohort, journey, participant, told
from tests.integration.projections.conftest import Desk, differences
from tests.integration.projections.read_models import CARE, HISTORY, REFERRAL, SESSION, TASK

BATCH = 5
BOB, EVE = participant(1), participant(2)
MODELS = (CARE, HISTORY, SESSION, TASK, REFERRAL)


@dataclass
class Run:
    """A projector's parts, a batch at a time."""

    ahead: Ahead
    batches: Iterator[list[Journalled]]
    committed: list[int] = field(default_factory=list[int])

    async def fold_next(self) -> None:
        await self.ahead.project(next(self.batches))

    async def fold_rest(self) -> None:
        for batch in self.batches:
            await self.ahead.project(batch)
        await self.ahead.finish()


@asynccontextmanager
async def after_one_batch(desk: Desk, events: Iterable[Told]) -> AsyncGenerator[Run]:
    last = await desk.tell(events)
    await prepare(desk.database_url, MODELS)
    info = await stream_info(desk.nats, 0)
    assert info.created is not None
    checkpoint = await begin_checkpoint(desk.connection, 0, "CARE_0", info.created)
    batches = iter(await read_all(desk, last))
    state = PartitionState.at(checkpoint, MODELS)
    reading = await connect(desk.database_url)
    committed: list[int] = []

    async def note(seq: int) -> None:
        committed.append(seq)

    await project(desk.connection, state, next(batches))
    yield Run(Ahead(desk.connection, reading, state, note), batches, committed)
    await reading.close()


async def read_all(desk: Desk, last: int) -> list[list[Journalled]]:
    reader = LogReader(desk.nats, 0, last)
    await reader.open(0)
    entries: list[Journalled] = []
    while len(entries) < last:
        entries += await reader.next(1.0)
    await reader.close()
    return [entries[at : at + BATCH] for at in range(0, last, BATCH)]


async def test_every_batch_is_committed_in_turn(desk: Desk):
    async with after_one_batch(desk, islice(cohort(10), 60)) as run:
        await run.fold_rest()
    assert run.committed == list(range(2 * BATCH, 60 + 1, BATCH))
    assert await differences(desk, MODELS) == []


async def test_rows_are_forgotten_only_when_they_are_written(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ahead_of_postgres, "PARTICIPANTS_KEPT", 3)
    async with after_one_batch(desk, cohort(6)) as run:
        await run.fold_rest()
    assert await differences(desk, MODELS) == []


async def test_what_was_folded_on_a_batch_that_postgres_refuses_is_folded_anew(desk: Desk):
    nul = told(BOB, ParticipantRegistered(demographics=Demographics(family="Nul\0Byte")), key="nul")
    bob = list(journey(1))
    async with after_one_batch(desk, [*bob[:8], nul, *bob[8:12], *journey(2), *bob[12:]]) as run:
        await run.fold_rest()
    (parked,) = await parked_events(desk.connection)
    assert (parked.participant, parked.position) == (BOB, Position(0, 9))
    assert await desk.count(f"read.history where participant = '{BOB}'") == 8
    assert await desk.count(f"read.history where participant = '{EVE}'") == EVENTS_EACH
    assert run.committed == sorted(run.committed)
    assert [type(each).__name__ for each in await differences(desk, MODELS)] == ["ParkedParticipant"]


async def test_what_was_folded_before_somebody_else_changed_the_read_models_is_folded_anew(desk: Desk):
    async with after_one_batch(desk, [*journey(1), *journey(2)]) as run:
        await run.fold_next()
        async with connect_beside(desk) as operator:
            await operator.execute(
                "insert into log.parked (k, seq, participant, reason) values (0, 11, $1, 'by hand')", BOB
            )
            await operator.execute("update log.checkpoint set epoch = epoch + 1")
        await run.fold_rest()
    assert await desk.count(f"read.history where participant = '{BOB}'") <= 2 * BATCH
    assert await desk.count(f"read.history where participant = '{EVE}'") == EVENTS_EACH
    assert await desk.count("log.journal") == 2 * EVENTS_EACH


@asynccontextmanager
async def connect_beside(desk: Desk) -> AsyncGenerator[Connection]:
    connection = await connect(desk.database_url)
    yield connection
    await connection.close()
