"""How far the read models are behind the log."""

from datetime import UTC, datetime

from msgspec import Struct
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from shared.eventlog.subjects import stream_of
from shared.projections.checkpoint import read_checkpoint
from shared.projections.history import stream_info
from shared.projections.jetstream import jetstream
from shared.projections.postgres import Connection


class Lag(Struct, frozen=True):
    """Events of a partition not projected yet, and for how long the oldest of them has waited."""

    k: int
    last: int  # sequence on the log
    projected: int
    seconds: float

    @property
    def events(self) -> int:
        """How many are not projected yet."""
        return max(self.last - self.projected, 0)


async def lag(nats: Client, connection: Connection, partitions: int) -> list[Lag]:
    """Return the lag of every partition. Raises nats' and asyncpg's errors where a server does not answer."""
    return [await _lag(nats, connection, k) for k in range(partitions)]


async def _lag(nats: Client, connection: Connection, k: int) -> Lag:
    checkpoint = await read_checkpoint(connection, k)
    projected = checkpoint.seq if checkpoint else 0
    last = (await stream_info(nats, k)).state.last_seq
    waited = await _seconds_since(nats, k, projected + 1) if last > projected else 0.0
    return Lag(k, last, projected, waited)


async def _seconds_since(nats: Client, k: int, seq: int) -> float:
    try:
        message = await jetstream(nats).get_msg(stream_of(k), seq)
    except NotFoundError:  # lost: the projector says so
        return 0.0
    if message.time is None:
        return 0.0
    return max((datetime.now(UTC) - message.time).total_seconds(), 0.0)
