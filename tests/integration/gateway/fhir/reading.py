"""The FHIR side as it is served: a real log, a real database filled as the projector fills it, and HTTP."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from msgspec.structs import replace

from services.gateway.fhir.serve import serving
from services.gateway.profiles import without_file
from services.timeline.read_models import projections
from shared.eventlog.connection import connect as connect_nats
from shared.eventlog.log import Log
from shared.events.envelope import Recorded
from shared.events.registry import encode
from shared.projections.batch import add_entries
from shared.projections.fold import Fold
from shared.projections.generation import active_generation
from shared.projections.journal import Entry
from shared.projections.postgres import connect
from shared.projections.projector import prepare
from shared.projections.table import Tables
from shared.settings import Settings
from tests.integration.gateway.fhir.intake import Intake
from tests.integration.gateway.fhir.record import GENERAL, TOKENS
from tests.unit.timeline.story import SITE, Story

MODELS = projections(SITE)
Json = dict[str, Any]


@dataclass
class Edge:
    """A FHIR server and the clients of its sources."""

    base: str
    database: str

    def client(self, source: str | None = GENERAL, **headers: str) -> httpx.AsyncClient:
        told = {"Authorization": f"Bearer {TOKENS[source]}"} if source else {}
        return httpx.AsyncClient(base_url=self.base, headers={**told, **headers}, timeout=20)

    async def get(self, path: str, source: str | None = GENERAL, **headers: str) -> httpx.Response:
        async with self.client(source, **headers) as client:
            return await client.get(path)

    async def post(self, path: str, form: dict[str, str], source: str = GENERAL) -> httpx.Response:
        async with self.client(source) as client:
            return await client.post(path, data=form)

    async def found(self, path: str, source: str = GENERAL) -> list[Json]:
        """Return the resources of a search, of all its pages."""
        entries: list[Json] = []
        async with self.client(source) as client:
            url: str | None = path
            while url:
                answer = await client.get(url)
                assert answer.status_code == 200, answer.text
                bundle: Json = answer.json()
                entries += [each["resource"] for each in bundle.get("entry", [])]
                url = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)
        return entries


@dataclass
class Watched(Edge):
    """And what was recorded of their reads."""

    intake: Intake


@asynccontextmanager
async def edge(nats_url: str, database: str, *, recipient_classes: str = "") -> AsyncGenerator[Watched]:
    told = Settings(
        nats_url=nats_url,
        database_url=database,
        identifier_key="x" * 16,
        fhir_port=0,
        fhir_tokens=" ".join(f"{source}={token}" for source, token in TOKENS.items()),
        recipient_classes=recipient_classes,
    )
    client = await connect_nats(told, name="test")
    try:
        profiles = without_file(ZoneInfo(told.site_zone))
        intake = Intake(client, database)
        await intake.start()
        async with serving(told, Log(client), lambda: profiles) as listener:
            yield Watched(f"http://127.0.0.1:{listener.port}/fhir", database, intake)
    finally:
        await client.close()


async def project(database: str, *stories: Story) -> None:
    """Make the read models and write what happened to each, as a batch of the projector does."""
    await prepare(database, MODELS)
    connection = await connect(database)
    generation = await active_generation(connection)
    assert generation is not None
    fold, entries = Fold(MODELS), list[Entry]()
    for place, each in enumerate(stories):
        for recorded in _in_partition(each.events, place):
            assert fold.apply(recorded) is None
            entries.append(_entry(recorded))
    await add_entries(connection, entries)
    await Tables(MODELS, generation.number).write(connection, fold.changes())
    await connection.close()


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
