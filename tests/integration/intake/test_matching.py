"""Who may be registered twice is found by demographics, put before a person, and never merged by itself."""

from msgspec.structs import replace

from services.console.embedded import NatsServer
from services.intake.identification import Identification
from shared.eventlog import streams
from shared.eventlog.connection import connect
from shared.events.participant import MatchReviewQueued
from shared.projections import postgres
from tests.integration.intake.conftest import (
    House,
    name_of,
    open_intake,
    projecting,
    settings_of,
    until,
)
from tests.integration.intake.hospital import ADA, Hospital, mrn
from tests.integration.intake.test_merges import merge

A, B = mrn("A"), mrn("B", "OTHER")
GENERAL = Hospital()


async def reviews(house: House) -> list[MatchReviewQueued]:
    return [event.data for event in await house.events() if isinstance(event.data, MatchReviewQueued)]


async def test_somebody_who_may_be_known_is_put_before_a_person_and_not_merged(house: House):
    other = Hospital("other", replace(ADA, family="Lovelase"))
    await house.tell(GENERAL.refers("1", A), other.refers("1", B))
    old, new = await house.known(A), await house.known(B)
    (review,) = await reviews(house)
    assert [candidate.participant for candidate in review.candidates] == [old]
    assert "MatchReviewQueued" in await house.told(new)
    assert not [event for event in await house.events() if name_of(event) == "ParticipantsMerged"]


async def test_somebody_of_the_same_name_and_phone_with_a_slip_in_the_birth_date_is_found(house: House):
    phone = replace(ADA, phone="+1 555 123-4567")
    slipped = replace(phone, birth_date=ADA.birth_date and ADA.birth_date.replace(day=11), phone="5551234567")
    await house.tell(Hospital(who=phone).refers("1", A), Hospital("other", slipped).refers("1", B))
    assert len(await reviews(house)) == 1


async def test_an_identifier_that_is_known_leaves_nothing_to_look_at(house: House):
    await house.tell(GENERAL.refers("1", A), GENERAL.refers("2", A))
    assert await reviews(house) == []


async def test_a_sibling_is_nobody_to_ask_about(house: House):
    sibling = Hospital("other", replace(ADA, given=("Grace",)))
    await house.tell(GENERAL.refers("1", A), sibling.refers("1", B))
    assert await reviews(house) == []


async def test_who_was_merged_stands_as_a_candidate_with_the_survivors_record(house: House):
    other, third = Hospital("other"), Hospital("third")
    await house.tell(GENERAL.refers("1", A), GENERAL.merges(mrn("A2"), into=A))
    await house.tell(other.refers("1", B))
    await house.ask(merge(await house.known(B), await house.known(A)))
    await house.tell(third.refers("1", mrn("C", "THIRD")))
    last = (await reviews(house))[-1]
    assert [candidate.participant for candidate in last.candidates] == [await house.known(A)]


async def test_with_postgres_away_people_are_registered_and_looked_for_when_it_is_back(
    nats_server: NatsServer, database: str
):
    settings = settings_of(nats_server, database, 1)
    nats = await connect(settings, name="test")
    await streams.apply(nats, 1)
    async with open_intake(settings) as runtime:
        connection = await postgres.connect(database)
        house = House(nats, runtime, connection, Identification(runtime.executor, settings))
        for envelope in (GENERAL.refers("1", A), Hospital("other").refers("1", B)):
            await house.store(envelope)

        async def both_known() -> bool:
            return None not in (await house.who(A), await house.who(B))

        await until(both_known)
        assert await reviews(house) == []
        async with projecting(nats, settings):  # until now the database had no tables at all
            await house.settled()
        assert len(await reviews(house)) >= 1
        assert await house.parked() == []
        await connection.close()
    await nats.close()
