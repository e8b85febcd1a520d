import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import StreamConfig

from shared.projections.difference import Difference
from shared.projections.jetstream import jetstream, publish_async
from shared.projections.postgres import Connection, connect
from shared.projections.projection import AnyProjection
from shared.projections.projector import Projector
from shared.projections.verify import verify
from tests.integration.projections.cohort import Told
from tests.integration.projections.read_models import projections

PATIENCE_SECONDS = 30.0


@dataclass
class Desk:
    """A log, a database, and the projectors that a test starts."""

    nats: Client
    connection: Connection
    database_url: str
    running: dict[Projector, asyncio.Task[None]] = field(default_factory=dict)

    @property
    def streams(self) -> JetStreamContext:
        return jetstream(self.nats)

    async def make_stream(self, k: int = 0) -> None:
        # Without deny_purge and deny_delete, so that a test can lose what production cannot.
        declared = StreamConfig(name=f"CARE_{k}", subjects=[f"care.{k}.>"])
        await self.streams.add_stream(declared)  # pyright: ignore[reportUnknownMemberType] -- its **params

    async def tell(self, events: Iterable[Told]) -> int:
        """Append events; returns the sequence of the last."""
        acks = [
            await publish_async(self.streams, each.subject, each.message, {"Nats-Msg-Id": str(each.id)})
            for each in events
        ]
        async with asyncio.timeout(PATIENCE_SECONDS):
            return (await asyncio.gather(*acks))[-1].seq

    def project(
        self, read_models: Sequence[AnyProjection] | None = None, *, partitions: int = 1, batch: int = 500
    ) -> Projector:
        """Start a projector."""
        projector = Projector(
            self.nats, self.database_url, read_models or projections(), partitions=partitions, batch=batch
        )
        self.running[projector] = asyncio.create_task(projector.run())
        return projector

    async def stop(self, projector: Projector) -> None:
        task = self.running.pop(projector)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        if not self.running:  # the session that led ends a moment later
            await self.until(
                "select count(*) = 0 from pg_locks join pg_database on pg_database.oid = database"
                " where locktype = 'advisory' and datname = current_database()"
            )

    async def until_projected(self, seq: int, k: int = 0) -> None:
        question = f"select exists (select from log.checkpoint where k = {k} and seq >= {seq})"  # noqa: S608
        await self.until(question)

    async def until(self, question: str) -> None:
        """Wait until Postgres answers the question with true."""
        await until_so(lambda: self._holds(question))

    async def count(self, what: str) -> int:
        question = f"select count(*) from {what}"  # noqa: S608
        return int(await self.connection.fetchval(question))

    async def _holds(self, question: str) -> bool:
        try:
            return bool(await self.connection.fetchval(question))
        except Exception as error:
            if getattr(error, "sqlstate", "") in ("3F000", "42P01"):  # not migrated yet
                return False
            raise


async def differences(desk: Desk, read_models: Sequence[AnyProjection] | None = None) -> list[Difference]:
    """Everything that `verify` finds."""
    found = verify(desk.nats, desk.connection, read_models or projections())
    return [each async for each in found]


async def until(condition: Callable[[], bool]) -> None:
    async def holds() -> bool:
        return condition()

    await until_so(holds)


async def until_so(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await condition():  # noqa: ASYNC110 (what is waited for is in another process)
            await asyncio.sleep(0.01)


@pytest.fixture
async def desk(nats_url: str, database: str) -> AsyncGenerator[Desk]:
    client = Client()
    await client.connect(nats_url, max_reconnect_attempts=-1, reconnect_time_wait=0)
    connection = await connect(database)
    desk = Desk(client, connection, database)
    await desk.make_stream()
    yield desk
    for projector in list(desk.running):
        await desk.stop(projector)
    await connection.close()
    await client.close()
