"""`throughcare status`: how far everything is, what is parked, and whether the servers are as they must."""

import asyncio
from datetime import UTC, datetime
from typing import Final

import asyncpg
import msgspec
import typer
from msgspec import Struct
from msgspec.structs import replace
from nats.aio.client import Client
from rich.text import Text

from services.console.faults import REFUSED
from services.console.options import AsJson
from services.console.output import out, print_json, table_of
from services.console.place import Place, place_of
from shared.eventlog import streams
from shared.eventlog.durability import require_synced
from shared.eventlog.errors import UnsyncedLogError
from shared.eventlog.log import Log
from shared.eventlog.parking import Parking
from shared.projections.lag import Lag, lag
from shared.projections.parking import parked_count
from shared.projections.postgres import Connection
from shared.settings import Settings


class Behind(Struct, frozen=True, kw_only=True):
    """How far a reader of a stream is: messages not handled, and for how long the oldest has waited."""

    reader: str
    stream: str
    events: int
    seconds: float
    missing: bool = False  # the consumer is not there: run `throughcare apply`


class Status(Struct, frozen=True, kw_only=True):
    """All that an operator asks first."""

    nats: str
    postgres: str
    log_is_synced: bool
    log_problem: str | None = None
    behind: list[Behind]
    parked_messages: int  # by services' policies
    parked_participants: int  # by the projector


class _Sequence(Struct):
    stream_seq: int = 0


class _Info(Struct):
    num_pending: int = 0
    num_ack_pending: int = 0
    ack_floor: _Sequence | None = None
    error: dict[str, object] | None = None


_INFO: Final = msgspec.json.Decoder(_Info)


def status(context: typer.Context, as_json: AsJson = False) -> None:
    """Show how far each consumer and projection is behind, what is parked, and the servers.

    Ends with status 1 when a server does not answer, a consumer is missing, or the log's server may lose
    what it acknowledged.
    """
    told = asyncio.run(read_status(place_of(context)))
    if as_json:
        print_json(told)
    else:
        _print(told)
    if not told.log_is_synced or any(one.missing for one in told.behind):
        raise typer.Exit(REFUSED)


async def read_status(place: Place) -> Status:
    """Ask both servers."""
    settings = place.settings()
    problem = await _sync_problem(settings)
    async with place.nats() as nats, place.database() as database:
        return Status(
            nats=_nats(nats),
            postgres=await _postgres(database),
            log_is_synced=problem is None,
            log_problem=problem,
            behind=[
                *await _consumers(Log(nats), settings.partitions),
                *await _projections(nats, database, settings),
            ],
            parked_messages=len(await Parking(Log(nats)).entries()),
            parked_participants=await _parked_participants(database),
        )


async def _sync_problem(settings: Settings) -> str | None:
    try:
        await require_synced(replace(settings, allow_unsynced_log=False))
    except UnsyncedLogError as error:
        return str(error)
    return None


async def _consumers(log: Log, partitions: int) -> list[Behind]:
    return [
        await _consumer(log, stream.config["name"], consumer["name"])
        for stream in streams.declared(partitions)
        for consumer in stream.consumers
    ]


async def _consumer(log: Log, stream: str, name: str) -> Behind:
    reply = await log.client.request(f"$JS.API.CONSUMER.INFO.{stream}.{name}", timeout=5)
    info = _INFO.decode(reply.data)
    events = info.num_pending + info.num_ack_pending
    floor = info.ack_floor.stream_seq if info.ack_floor else 0
    seconds = await _waited(log, stream, floor + 1) if events else 0.0
    missing = info.error is not None
    return Behind(reader=name, stream=stream, events=events, seconds=seconds, missing=missing)


async def _waited(log: Log, stream: str, sequence: int) -> float:
    oldest = await log.next(stream, ">", sequence)
    return max((datetime.now(UTC) - oldest.recorded_at).total_seconds(), 0.0) if oldest else 0.0


async def _projections(nats: Client, database: Connection, settings: Settings) -> list[Behind]:
    try:
        return [_projection(one) for one in await lag(nats, database, settings.partitions)]
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
        return [Behind(reader="projector", stream="CARE_0", events=0, seconds=0.0, missing=True)]


def _projection(one: Lag) -> Behind:
    return Behind(reader=f"projector-{one.k}", stream=f"CARE_{one.k}", events=one.events, seconds=one.seconds)


async def _parked_participants(database: Connection) -> int:
    try:
        return await parked_count(database)
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
        return 0


async def _postgres(database: Connection) -> str:
    version = str(await database.fetchval("show server_version"))
    address = await database.fetchrow("select inet_server_addr() as host, inet_server_port() as port")
    at = f" at {address['host']}:{address['port']}" if address and address["host"] else ""
    return f"Postgres {version}{at}"


def _nats(nats: Client) -> str:
    version, url = nats.connected_server_version, nats.connected_url
    at = f" at {url.hostname}:{url.port}" if url else ""
    return f"nats-server {version.major}.{version.minor}.{version.patch}{at}"


def _print(told: Status) -> None:
    out.print(told.nats, markup=False)
    out.print(told.postgres, markup=False)
    if told.log_is_synced:
        out.print("The log syncs every write: what is acknowledged is kept.")
    else:
        out.print(Text(told.log_problem or "", style="bold red"))
    out.print()
    out.print(table_of(("READER", "STREAM", "BEHIND", "OLDEST WAITS"), map(_row, told.behind)))
    out.print()
    parked = told.parked_messages + told.parked_participants
    out.print(
        f"Parked: {told.parked_messages} messages, {told.parked_participants} participants. "
        "`throughcare parked list` shows them."
        if parked
        else "Nothing is parked."
    )


def _row(one: Behind) -> tuple[Text | str, ...]:
    if one.missing:
        return one.reader, one.stream, Text("missing", style="bold red"), ""
    return one.reader, one.stream, f"{one.events} events", f"{one.seconds:.1f} s" if one.events else ""
