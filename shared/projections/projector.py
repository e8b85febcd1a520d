"""Projects every partition of the log into the journal and the read models."""

import asyncio
from collections.abc import Sequence
from typing import Final, Never

import structlog
from nats.aio.client import Client

from shared.projections.lead import until_rebuilder
from shared.projections.migration import migrate
from shared.projections.partition import (
    FIRST_DELAY_SECONDS,
    LAST_DELAY_SECONDS,
    PartitionProjector,
    PartitionStatus,
)
from shared.projections.postgres import connect
from shared.projections.projection import AnyProjection
from shared.projections.rebuild import ensure_generation
from shared.projections.rebuild_workers import Workers

_log: Final = structlog.get_logger()


class Projector:
    """One process' part in projecting: several may run, each partition has one leader among them."""

    def __init__(
        self,
        nats: Client,
        database_url: str,
        projections: Sequence[AnyProjection],
        *,
        partitions: int = 1,
        batch: int = 500,
        workers: Workers | None = None,
    ) -> None:
        self._workers = workers
        self._database_url = database_url
        self._projections = projections
        self._problem: str | None = "The read models are not looked at yet."
        self._partitions = [
            PartitionProjector(nats, database_url, projections, k, batch) for k in range(partitions)
        ]

    async def run(self) -> Never:
        """Bring the schema and the read models' generation up to date, then project; ends when cancelled."""
        await self._until_prepared()
        async with asyncio.TaskGroup() as group:
            for partition in self._partitions:
                group.create_task(partition.run())
        raise AssertionError("Partitions are projected for ever.")

    @property
    def statuses(self) -> list[PartitionStatus]:
        """What each partition's projector is doing in this process."""
        return [partition.status for partition in self._partitions]

    @property
    def problems(self) -> list[str]:
        """Why this process is not ready; empty when it leads or stands by everywhere."""
        if self._problem:
            return [self._problem]
        return [status.problem for status in self.statuses if status.problem]

    async def _until_prepared(self) -> None:
        delay = FIRST_DELAY_SECONDS
        while True:
            try:
                await prepare(self._database_url, self._projections, self._workers)
            except Exception as error:  # noqa: BLE001 (waits for Postgres as long as it takes; readiness shows it)
                self._problem = f"The read models cannot be prepared: {type(error).__name__}."
                _log.warning("projector waits", reason=self._problem)
                await asyncio.sleep(delay)
                delay = min(delay * 2, LAST_DELAY_SECONDS)
            else:
                self._problem = None
                return


async def prepare(
    database_url: str, projections: Sequence[AnyProjection], workers: Workers | None = None
) -> None:
    """Migrate, and rebuild where the read models are not of these projections' versions."""
    connection = await connect(database_url)
    try:
        await migrate(connection)
        await until_rebuilder(connection)
        await ensure_generation(connection, database_url, projections, workers)
    finally:
        await connection.close()
