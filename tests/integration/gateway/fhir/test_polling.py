"""A sender that polls: from the last `_lastUpdated` that it saw, page by page, and it misses nothing."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec.structs import replace
from nats.aio.client import Client

from services.console.embedded import NatsServer
from services.gateway.fhir.serve import serving
from services.gateway.profiles import without_file
from shared.eventlog import streams
from shared.eventlog.connection import connect
from shared.eventlog.log import Log
from shared.projections import postgres
from shared.projections.lag import lag
from shared.projections.lead import until_elected
from shared.settings import Settings
from tests.integration.gateway.fhir.reading import Edge
from tests.integration.gateway.fhir.record import GENERAL, TOKENS
from tests.integration.intake.conftest import open_intake, projecting, settings_of, until
from tests.integration.intake.hospital import Hospital, mrn, subject_of
from tests.unit.timeline.story import SITE

PEOPLE = 16
PAGE = 3


class Poller:
    """Knows nothing but the time of the last Task that it saw."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._last = "2026-01-01T00:00:00Z"
        self.seen: dict[str, dict[str, Any]] = {}

    async def poll(self) -> None:
        """Ask what is new and follow the pages."""
        for task in await self._edge.found(f"/Task?_lastUpdated=gt{quote(self._last)}&_count={PAGE}"):
            self.seen[task["id"]] = task
            self._last = task["meta"]["lastUpdated"]

    async def has_seen(self, count: int) -> bool:
        """Poll, and tell whether so many were seen by now."""
        await self.poll()
        return len(self.seen) == count


@asynccontextmanager
async def polled(settings: Settings, nats: Client) -> AsyncGenerator[Poller]:
    """Intake, the projectors and the FHIR side, and who polls it."""
    profiles = without_file(SITE.tz)
    async with (
        projecting(nats, settings),
        open_intake(settings),
        serving(settings, Log(nats), lambda: profiles) as listener,
    ):
        yield Poller(Edge(f"http://127.0.0.1:{listener.port}/fhir", settings.database_url))


async def refer(nats: Client) -> None:
    """Have people referred, one after the other."""
    for number in range(PEOPLE):
        sent = Hospital(GENERAL).refers(f"R-{number}", mrn(str(number)))
        await Log(nats).publish(subject_of(sent), msgspec.json.encode(sent), {})


async def test_a_poller_misses_nothing_though_one_partition_is_projected_long_after_the_other(
    nats_server: NatsServer, database: str
):
    tokens = " ".join(f"{source}={token}" for source, token in TOKENS.items())
    settings = replace(settings_of(nats_server, database, 2), fhir_port=0, fhir_tokens=tokens)
    nats = await connect(settings, name="test")
    await streams.apply(nats, 2)
    holder, reader = await postgres.connect(database), await postgres.connect(database)
    await until_elected(holder, 1)
    async with polled(settings, nats) as poller:
        await refer(nats)

        async def is_one_behind() -> bool:
            """All is decided, and the first partition projected: polling goes on in the meantime."""
            await poller.poll()
            received = [each async for each in Log(nats).tail("OUTBOUND", "outbound.>", 0)]
            ahead, behind = await lag(nats, reader, 2)
            return len(received) == PEOPLE and ahead.events == 0 and behind.events > 0

        await until(is_one_behind)
        assert len(poller.seen) < PEOPLE
        await holder.close()  # its projector may go on
        await until(lambda: poller.has_seen(PEOPLE))
    await reader.close()
    await nats.close()
