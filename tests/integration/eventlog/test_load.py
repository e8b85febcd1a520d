"""Loading an entity: from memory, from the journal and the log's tail behind it, from the log alone."""

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from urllib.request import urlopen
from uuid import UUID, uuid4

import asyncpg
import pytest
from msgspec.structs import replace
from nats.aio.client import Client

from services.console.embedded import NatsServer, PostgresServer, start_postgres
from services.intake.deciders import participant as participants
from services.intake.deciders import referral as referrals
from services.timeline.read_models import projections
from shared.commands import reply
from shared.commands.decision import Refused
from shared.commands.intake import (
    AcceptReferral,
    CorrectDemographics,
    ReceiveReferral,
    ScheduleIntakeAppointment,
)
from shared.events.base import Demographics, Identifier
from shared.projections.migration import migrate
from shared.projections.postgres import connect as connect_to_postgres
from shared.projections.projector import Projector
from shared.settings import Settings
from shared.site import site_of
from tests.integration.eventlog.conftest import Office, open_office, until
from tests.integration.eventlog.stories import NOW, register


@pytest.fixture(scope="module")
def own_postgres() -> Generator[PostgresServer]:
    """A Postgres of these tests alone, to kill and to listen to."""
    directory = Path(tempfile.mkdtemp(prefix="throughcare-"))
    with start_postgres(directory / "postgres") as server:
        yield server
    shutil.rmtree(directory)


@asynccontextmanager
async def projecting(nats: Client, database: str, settings: Settings) -> AsyncGenerator[Projector]:
    projector = Projector(nats, database, projections(site_of(settings)), partitions=settings.partitions)
    running = asyncio.create_task(projector.run())
    yield projector
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def until_projected(projector: Projector, seq: int) -> None:
    async def projected() -> bool:
        return projector.statuses[0].seq >= seq

    await until(projected)


async def registered(office: Office, participant: UUID, *values: str) -> int:
    answer = await office.executor.execute(participants.DECIDER, register(participant, *values))
    assert isinstance(answer, reply.Appended)
    return answer.position.sequence


async def values_of(office: Office, participant: UUID) -> set[str]:
    state = await office.participant(participant)
    return {value for _, value in state.person.linked}


async def test_an_entity_is_folded_from_the_journal_and_from_what_came_after_it(
    nats: Client, settings: Settings, database: str
):
    settings, ada = replace(settings, database_url=database), uuid4()
    async with open_office(settings) as writer, open_office(settings) as reader:
        async with projecting(nats, database, settings) as projector:
            await until_projected(projector, await registered(writer, ada, "1", "2"))
        await registered(writer, ada, "3")
        assert await values_of(reader, ada) == {"1", "2", "3"}


async def test_a_database_that_was_only_migrated_is_an_empty_journal(
    nats: Client, settings: Settings, database: str
):
    connection = await connect_to_postgres(database)
    await migrate(connection)
    await connection.close()
    settings, ada = replace(settings, database_url=database), uuid4()
    async with open_office(settings) as writer, open_office(settings) as reader:
        await registered(writer, ada, "1")
        assert await values_of(reader, ada) == {"1"}
        assert (await reader.entities.load(reader.key(uuid4()), participants.DECIDER)).sequence == 0


async def test_a_database_without_a_journal_is_none_at_all(nats: Client, settings: Settings, database: str):
    settings, ada = replace(settings, database_url=database), uuid4()
    async with open_office(settings) as writer, open_office(settings) as reader:
        await registered(writer, ada, "1")
        assert await values_of(reader, ada) == {"1"}


async def test_with_postgres_killed_entities_load_from_the_log_and_from_the_journal_when_it_is_back(
    nats: Client, settings: Settings, own_postgres: PostgresServer
):
    settings = replace(settings, database_url=own_postgres.url, state_cache=0)
    ada, ben = uuid4(), uuid4()
    async with open_office(settings) as office:
        async with projecting(nats, own_postgres.url, settings) as projector:
            await registered(office, ada, "1")
            await until_projected(projector, await registered(office, ben, "2"))
        assert await values_of(office, ada) == {"1"}
        own_postgres.kill()
        assert await values_of(office, ada) == {"1"}
        await registered(office, ada, "3")
        own_postgres.start()
        await until(lambda: asks_postgres(own_postgres.url, office, ben))
        assert await values_of(office, ada) == {"1", "3"}


async def asks_postgres(url: str, office: Office, participant: UUID) -> bool:
    """Load, and tell whether Postgres was asked."""
    connection = await connect_to_postgres(url)
    before = await backends(connection)
    await values_of(office, participant)
    after = await backends(connection)
    await connection.close()
    return after > before


async def backends(connection: "asyncpg.Connection[asyncpg.Record]") -> int:
    question = (
        "select count(*) from pg_stat_activity where query like '%log.journal%' and pid <> pg_backend_pid()"
    )
    return int(await connection.fetchval(question))


async def test_a_postgres_that_does_not_answer_costs_seconds_once_and_then_nothing(
    nats: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("shared.eventlog.journal._TIMEOUT_SECONDS", 0.2)
    open_connections: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(lambda _, writer: open_connections.append(writer), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    hangs = replace(settings, database_url=f"postgresql://x:x@127.0.0.1:{port}/x")
    ada = uuid4()
    async with open_office(hangs) as office:
        await registered(office, ada, "1")
        for participant in (ada, *(uuid4() for _ in range(20))):
            await values_of(office, participant)
    assert len(open_connections) <= 2
    for writer in open_connections:
        writer.close()
    silent.close()


async def test_a_cold_load_is_one_query_and_one_request(
    nats: Client, settings: Settings, nats_server: NatsServer, own_postgres: PostgresServer
):
    """Counted where they arrive: in Postgres' own log of statements, and by the server for the connection."""
    connection = await connect_to_postgres(own_postgres.url)
    await connection.execute("create database counted")
    database = own_postgres.url.replace("/throughcare?", "/counted?")
    settings, ada = replace(settings, database_url=database, state_cache=0), uuid4()
    async with open_office(settings) as office:
        async with projecting(nats, database, settings) as projector:
            await until_projected(projector, await registered(office, ada, "1", "2"))
        await connection.execute("alter database counted set log_statement = 'all'")
        await connection.close()
        async with open_office(settings) as reader:
            await values_of(reader, ada)  # opens the connection and prepares the statement
            statements, requests = count_statements(own_postgres), received(nats_server, reader.client)
            for loads in range(1, 4):
                await values_of(reader, ada)
                assert count_statements(own_postgres) - statements == loads
                assert received(nats_server, reader.client) - requests == loads


def count_statements(server: PostgresServer) -> int:
    lines = server.log.read_text(errors="replace").splitlines()
    return sum("LOG:  execute" in line or "LOG:  statement" in line for line in lines)


def received(server: NatsServer, client: Client) -> int:
    """Return how many messages the server has from the client."""
    with urlopen(f"{server.monitor_url}/connz", timeout=5) as answer:  # noqa: S310 (always http)
        connections = json.load(answer)["connections"]
    return next(int(each["in_msgs"]) for each in connections if each["cid"] == client.client_id)


async def test_an_entity_in_memory_is_loaded_without_asking_anybody(office: Office, nats_server: NatsServer):
    ada = uuid4()
    await registered(office, ada, "1")
    before = received(nats_server, office.client)
    assert await values_of(office, ada) == {"1"}
    assert received(nats_server, office.client) == before


async def test_a_refusal_is_not_given_on_an_old_state(office: Office):
    ada, asked = uuid4(), uuid4()
    received = ReceiveReferral(
        id=uuid4(),
        participant=ada,
        actor="source:general",
        now=NOW,
        referral=asked,
        placer=Identifier("GENHOSP", "1", "PLAC"),
        source="hospital",
    )
    accepted = AcceptReferral(id=uuid4(), participant=ada, actor="c:7", now=NOW, referral=asked, owner="c:7")
    appointment = ScheduleIntakeAppointment(
        id=uuid4(),
        participant=ada,
        actor="c:7",
        now=NOW,
        referral=asked,
        appointment=uuid4(),
        start=NOW + timedelta(days=1),
        end=NOW + timedelta(days=1, hours=1),
    )
    await office.executor.execute(referrals.DECIDER, received)
    assert isinstance(await office.executor.execute(referrals.DECIDER, appointment), Refused)
    async with open_office(office.settings) as other:
        await other.executor.execute(referrals.DECIDER, accepted)
    assert isinstance(await office.executor.execute(referrals.DECIDER, appointment), reply.Appended)


async def test_a_refusal_is_not_given_for_somebody_who_was_registered_meanwhile(office: Office):
    ada = uuid4()
    correct = CorrectDemographics(
        id=uuid4(), participant=ada, actor="c:7", now=NOW, demographics=Demographics(family="New")
    )
    first = await office.executor.execute(participants.DECIDER, correct, expect_new=True)
    assert isinstance(first, Refused)
    async with open_office(office.settings) as other:
        await registered(other, ada, "1")
    second = await office.executor.execute(participants.DECIDER, correct, expect_new=True)
    assert isinstance(second, reply.Appended)


async def test_that_nothing_is_to_do_is_not_said_on_an_old_state(office: Office):
    ada, ben = uuid4(), uuid4()
    renamed = [
        CorrectDemographics(
            id=uuid4(), participant=ada, actor="c:7", now=NOW, demographics=Demographics(family=name)
        )
        for name in ("New", "Example")
    ]
    await registered(office, ada, "1")
    async with open_office(office.settings) as other:
        await registered(other, ben, "2")
        await other.executor.execute(participants.DECIDER, renamed[0])
    # In memory the family name is still "Example": on that, this would change nothing.
    answer = await office.executor.execute(participants.DECIDER, renamed[1])
    assert isinstance(answer, reply.Appended)


async def test_memory_keeps_the_entities_that_were_used_last(settings: Settings, nats: Client):
    people = [uuid4() for _ in range(3)]
    async with open_office(replace(settings, state_cache=2)) as office:
        for one in people:
            await registered(office, one, "1")
        loaded = [
            await office.entities.load(office.key(one), participants.DECIDER) for one in reversed(people)
        ]
    assert [entity.from_memory for entity in loaded] == [True, True, False]
