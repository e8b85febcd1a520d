"""Several records read as one person's, against a real Postgres."""

from collections.abc import AsyncGenerator
from uuid import UUID

import pytest
from rich.console import Console

from services.console.commands.timeline import read_chart
from services.console.timeline_view import chart
from services.timeline import queries
from services.timeline.person import Person, person
from services.timeline.read_models import projections
from shared.events.base import Identifier
from shared.events.encounter import DeathNotified
from shared.events.participant import ParticipantsMerged, ParticipantsUnmerged
from shared.projections.postgres import Connection, connect
from shared.projections.projector import prepare
from tests.integration.timeline.test_queries import known_as, project
from tests.unit.timeline.facts import OTHER_REFERRAL, accepted, admitted, discharged, received
from tests.unit.timeline.story import SITE, At, Story, on

ANN, BEA, CLO, DEE = (UUID(int=0x0192_0000_0000_7000_8000_0000_0000_0000 + number) for number in range(1, 5))


@pytest.fixture
async def connection(database: str) -> AsyncGenerator[Connection]:
    await prepare(database, projections(SITE))
    opened = await connect(database)
    yield opened
    await opened.close()


def merged(prior: UUID, survivor: UUID) -> ParticipantsMerged:
    return ParticipantsMerged(survivor=survivor, prior=prior)


def story_of(who: UUID, family: str, *facts: At) -> Story:
    known = known_as(family, "Sam", Identifier("general", f"MRN-{family}"))
    return Story(who).tell(*(At(on(1), fact) for fact in known), *facts)


async def test_a_record_that_was_never_merged_is_its_own_person(connection: Connection):
    await project(connection, story_of(ANN, "Ann"))
    assert await person(connection, ANN) == Person(survivor=ANN)
    assert await person(connection, DEE) == Person(survivor=DEE)


async def test_every_record_of_a_person_leads_to_all_of_them(connection: Connection):
    await project(
        connection,
        story_of(ANN, "Ann", At(on(3), merged(ANN, BEA))),
        story_of(BEA, "Bea", At(on(4), merged(BEA, CLO))),
        story_of(CLO, "Clo"),
        story_of(DEE, "Dee", At(on(4), merged(DEE, CLO))),
    )
    for record in (ANN, BEA, CLO, DEE):
        assert await person(connection, record) == Person(survivor=CLO, priors=(ANN, BEA, DEE))


async def test_what_was_one_person_then_is_read_as_of_then(connection: Connection):
    unmerged = At(on(6), ParticipantsUnmerged(survivor=BEA, prior=ANN))
    await project(
        connection, story_of(ANN, "Ann", At(on(3), merged(ANN, BEA)), unmerged), story_of(BEA, "Bea")
    )
    assert await person(connection, ANN) == Person(survivor=ANN)
    assert await person(connection, ANN, on(2)) == Person(survivor=ANN)
    assert await person(connection, ANN, on(5)) == Person(survivor=BEA, priors=(ANN,))
    assert len(await queries.timeline(connection, BEA, on(5))) == 3
    then = await queries.care_state_as_of(connection, SITE, ANN, on(5))
    assert then is not None
    assert (then.participant, then.family) == (BEA, "Bea")


async def test_merges_in_a_circle_are_read_to_an_end(connection: Connection):
    await project(
        connection,
        story_of(ANN, "Ann", At(on(3), merged(ANN, BEA))),
        story_of(BEA, "Bea", At(on(3), merged(BEA, ANN))),
    )
    whose = await person(connection, ANN)
    assert set(whose.records) == {ANN, BEA}
    await queries.worklist(connection, SITE, on(9))


async def test_the_care_state_of_a_person_is_that_of_all_their_records(connection: Connection):
    ann = (At(on(2), admitted()), At(on(3), received(referral=OTHER_REFERRAL)), At(on(5), merged(ANN, BEA)))
    bea = (At(on(3), received()), At(on(4), accepted()), At(on(6), discharged()))
    await project(connection, story_of(ANN, "Ann", *ann), story_of(BEA, "Bea", *bea))
    for asked in (ANN, BEA):
        state = await queries.care_state(connection, asked, SITE)
        assert state is not None
        assert (state.participant, state.family, state.merged_into) == (BEA, "Bea", None)
        assert state.identifiers == ("general|MRN-Ann", "general|MRN-Bea")
        assert len(state.referrals) == 2
        assert (state.status, state.last_discharge) == ("accepted", "2026-03-03")
    assert len(await queries.referrals(connection, ANN)) == 2


async def test_a_task_of_a_merged_record_is_shown_as_the_survivors(connection: Connection):
    ann = (At(on(3), received()), At(on(5), merged(ANN, BEA)))
    await project(connection, story_of(ANN, "Ann", *ann), story_of(BEA, "Bea"))
    (item,) = await queries.worklist(connection, SITE, on(9), participant=BEA)
    assert (item.task.participant, item.survivor, item.family) == (ANN, BEA, "Bea")


@pytest.mark.parametrize("told_to", [ANN, BEA])
async def test_after_a_death_no_task_of_any_record_is_shown(connection: Connection, told_to: UUID):
    death = At(on(6), DeathNotified(facility="General Hospital"))
    ann = (At(on(3), received(referral=OTHER_REFERRAL)), At(on(5), merged(ANN, BEA)))
    bea = (At(on(3), received()),)
    await project(
        connection,
        story_of(ANN, "Ann", *ann, *([death] if told_to == ANN else [])),
        story_of(BEA, "Bea", *bea, *([death] if told_to == BEA else [])),
        story_of(CLO, "Clo", At(on(3), received(referral=CLO))),
    )
    shown = await queries.worklist(connection, SITE, on(9))
    assert [item.task.participant for item in shown] == [CLO]


async def test_the_chart_of_a_prior_is_the_survivors_with_a_note(connection: Connection):
    ann = (At(on(3), received()), At(on(5), merged(ANN, BEA)))
    await project(connection, story_of(ANN, "Ann", *ann), story_of(BEA, "Bea"))
    terminal = Console(width=200, record=True, file=None, quiet=True)
    read = await read_chart(connection, SITE, ANN)
    with terminal.capture() as captured:
        terminal.quiet = False
        terminal.print(chart(read, SITE))
    drawn = captured.get()
    assert f"{ANN} was merged into this record" in drawn
    assert "↳ Referral received" in drawn
    assert "↳ Participant registered" in drawn
    assert drawn.count("Participant registered") == 2
