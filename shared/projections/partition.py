"""The projector of one partition: leads or stands by, and starts over after whatever goes wrong."""

import asyncio
import random
from collections.abc import Sequence
from typing import Final, Literal, Never

import asyncpg
import structlog
from msgspec import Struct
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError

from shared import metrics
from shared.eventlog.subjects import stream_of
from shared.projections.ahead import Ahead
from shared.projections.batch import PartitionState, project
from shared.projections.checkpoint import Checkpoint, CheckpointMovedError, begin_checkpoint
from shared.projections.generation import OtherProjectionsError, expect_generation
from shared.projections.history import HistoryLostError, expect_same_history, stream_info
from shared.projections.lead import until_elected
from shared.projections.postgres import Connection, connect
from shared.projections.projection import AnyProjection
from shared.projections.reader import LogReader, ReaderLostError

_log: Final = structlog.get_logger()

FIRST_DELAY_SECONDS = 0.1
LAST_DELAY_SECONDS = 5.0
STOPPED_SECONDS = 10.0
IDLE_SECONDS = 1.0

Role = Literal["starting", "standby", "leading", "stopped"]


class PartitionStatus(Struct, frozen=True):
    """What readiness shows. A problem is a sentence; `stopped` is one that only a person can solve."""

    k: int
    role: Role
    seq: int = 0
    problem: str | None = None


class PartitionProjector:
    """Projects one partition for as long as it is the leader; `run` only ends by being cancelled."""

    def __init__(
        self, nats: Client, database_url: str, projections: Sequence[AnyProjection], k: int, batch: int
    ) -> None:
        self._nats = nats
        self._database_url = database_url
        self._projections = projections
        self._k = k
        self._reader = LogReader(nats, k, batch)
        self._delay = FIRST_DELAY_SECONDS
        self.status = PartitionStatus(k, "starting")

    async def run(self) -> Never:
        """Lead or stand by for ever. Servers that are away are waited for; nothing of a batch is lost."""
        while True:
            try:
                await self._lead()
            except (HistoryLostError, OtherProjectionsError) as error:
                await self._stop(error)
            except Exception as error:  # noqa: BLE001 (a projector that ends helps nobody; the problem is shown)
                _expect_wanted(error)
                await self._pause(error)

    async def _stop(self, error: Exception) -> None:
        if self.status.problem != str(error):
            _log.error("projector stopped", partition=self._k, reason=str(error))
        self.status = PartitionStatus(self._k, "stopped", self.status.seq, str(error))
        await asyncio.sleep(STOPPED_SECONDS)

    async def _pause(self, error: Exception) -> None:
        problem = _sentence(error, self._k)
        _log.warning("projector starts over", partition=self._k, reason=problem)
        self.status = PartitionStatus(self._k, "starting", self.status.seq, problem)
        await asyncio.sleep(self._delay * random.uniform(0.5, 1.0))  # noqa: S311 (no secret)
        self._delay = min(self._delay * 2, LAST_DELAY_SECONDS)

    async def _lead(self) -> None:
        connection = await connect(self._database_url)
        reading: Connection | None = None
        try:
            self._enter("standby", self.status.seq)
            await until_elected(connection, self._k)
            state = await self._begin(connection)
            reading = await connect(self._database_url)
            self._enter("leading", state.checkpoint.seq)
            await self._project_all(connection, Ahead(connection, reading, state, self._tell))
        finally:
            # Not in order: a server that is away would keep us waiting, and the lock goes with the socket.
            connection.terminate()
            if reading:
                reading.terminate()
            await self._reader.close()

    async def _begin(self, connection: Connection) -> PartitionState:
        checkpoint = await self._checkpoint(connection)
        await expect_generation(connection, checkpoint.generation, self._projections)
        await self._open(connection, checkpoint)
        return PartitionState.at(checkpoint, self._projections)

    async def _checkpoint(self, connection: Connection) -> Checkpoint:
        try:
            info = await stream_info(self._nats, self._k)
        except NotFoundError:
            raise HistoryLostError(f"There is no stream {stream_of(self._k)}.") from None
        if info.created is None:
            raise HistoryLostError(f"The server does not say when {stream_of(self._k)} was created.")
        return await begin_checkpoint(connection, self._k, stream_of(self._k), info.created)

    async def _open(self, connection: Connection, checkpoint: Checkpoint) -> None:
        await expect_same_history(self._nats, connection, checkpoint)
        await self._reader.open(checkpoint.seq)

    async def _project_all(self, connection: Connection, ahead: Ahead) -> None:
        try:
            while True:
                try:
                    await self._project_next(connection, ahead)
                except ReaderLostError:
                    await ahead.finish()
                    await self._open(connection, ahead.state.checkpoint)
        finally:
            ahead.cancel()

    async def _project_next(self, connection: Connection, ahead: Ahead) -> None:
        """Project what is there. Folding ahead of Postgres pays for whole batches; a smaller one would miss
        what comes while it waits.
        """
        if self._reader.has_batch and ahead.state.is_certain:
            await ahead.project(await self._reader.next(IDLE_SECONDS))
            return
        await ahead.finish()
        entries = await self._reader.next(IDLE_SECONDS)
        if not entries:
            await connection.execute("select 1")  # whoever lost the lock must not believe to lead
            return
        await project(connection, ahead.state, entries)
        await self._tell(ahead.state.checkpoint.seq)

    async def _tell(self, seq: int) -> None:
        self._delay = FIRST_DELAY_SECONDS
        self._count(seq)
        self._enter("leading", seq)
        await self._nats.publish(f"projected.{self._k}", str(seq).encode())

    def _count(self, seq: int) -> None:
        partition = str(self._k)
        metrics.PROJECTOR_BATCHES.labels(partition).inc()
        metrics.PROJECTOR_EVENTS.labels(partition).inc(seq - self.status.seq)
        metrics.PROJECTOR_LAG.labels(partition).set(self._reader.behind(seq))

    def _enter(self, role: Role, seq: int) -> None:
        self.status = PartitionStatus(self._k, role, seq)


def _expect_wanted(error: Exception) -> None:
    """Raise the cancellation that an error took the place of: on a lost connection a rollback fails."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError from error


def _sentence(error: Exception, k: int) -> str:
    if isinstance(error, CheckpointMovedError):
        return "Another process has taken over."
    if isinstance(error, NatsError):
        return f"NATS does not answer for {stream_of(k)} ({type(error).__name__})."
    if isinstance(error, (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError, TimeoutError)):
        return f"Postgres does not answer ({type(error).__name__})."
    return f"Projecting failed with {type(error).__name__}; it is tried again."
