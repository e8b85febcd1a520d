"""The resources as the projector rendered them: `read.fhir_resource`, read for one source."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Final, cast
from uuid import UUID

import asyncpg
from asyncpg import exceptions as pg
from msgspec import Struct

from services.gateway.fhir.auth import Caller
from services.gateway.fhir.conditions import Conditions
from services.gateway.fhir.outcome import FhirError, Issue
from services.gateway.fhir.query import Query
from services.gateway.fhir.served import MOST_INCLUDED
from services.gateway.fhir.settled import Settled
from shared.projections.postgres import Connection, Pool
from shared.sql import statements

_TOLD: Final = statements(Path(__file__).with_suffix(".sql"))
_SQL: Final = {name: text.replace("{visible}", _TOLD["visible"]) for name, text in _TOLD.items()}
_POOL_SIZE: Final = 8
_SECONDS: Final = 10.0
_AWAY: Final = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    pg.PostgresConnectionError,
    pg.OperatorInterventionError,
    pg.InsufficientResourcesError,
    pg.InvalidAuthorizationSpecificationError,
    pg.InvalidCatalogNameError,
    pg.UndefinedTableError,  # the projector has not made it yet
    pg.InvalidSchemaNameError,
)


class Found(Struct, frozen=True):
    """A resource: its JSON as it is sent, and what HTTP says of it."""

    id: UUID
    version: int
    last_updated: datetime
    body: bytes


class Included(Struct, frozen=True):
    """A resource that comes along with a search."""

    kind: str
    found: Found


class Page(Struct, frozen=True):
    """Some of what a search finds, how many there are in all, whether more follow, and what comes along."""

    entries: Sequence[Found]
    total: int
    is_last: bool
    included: Sequence[Included] = ()


class Resources:
    """A pool of connections that is filled when first asked: the door opens also without Postgres."""

    def __init__(self, pool: Pool, settled: Settled) -> None:
        self._pool = pool
        self._settled = settled

    @classmethod
    async def connected(cls, url: str, settled: Settled) -> "Resources":
        """Return the resources of a database, which need not answer yet."""
        pool = await asyncpg.create_pool(
            url,
            min_size=0,
            max_size=_POOL_SIZE,
            timeout=_SECONDS,
            command_timeout=_SECONDS,
            server_settings={"application_name": "throughcare-fhir", "default_transaction_read_only": "on"},
        )
        return cls(pool, settled)

    async def close(self) -> None:
        """Give the connections back; those in use end with what they do."""
        await self._pool.close()

    async def read(self, caller: Caller, kind: str, id: UUID) -> Found | None:
        """Return a resource that the caller may see, else None. Raises FhirError 503 without Postgres."""
        async with self._connection() as connection:
            row = await connection.fetchrow(_SQL["read"], kind, seen_by(caller), caller.source, id)
        return _found(row) if row else None

    async def search(self, caller: Caller, query: Query) -> Page:
        """Return a page of what the caller may see. Raises FhirError 503 without Postgres."""
        async with self._connection() as connection, connection.transaction(isolation="repeatable_read"):
            before = await self._settled.before(connection) if query.updated else None
            conditions = Conditions(query, query.kind, seen_by(caller), caller.source, before=before)
            total = await connection.fetchval(_SQL["count"] + conditions.text, *conditions.arguments)
            if query.only_total:
                return Page((), total, is_last=True)
            text, arguments = conditions.page(query.after, query.count + 1)
            rows = await connection.fetch(_SQL["search"] + text, *arguments)
            entries = [_found(row) for row in rows[: query.count]]
            included = await _included(connection, caller, query, [each.id for each in entries])
        return Page(entries, total, len(rows) <= query.count, included)

    async def ids(self, caller: Caller, kind: str, identifiers: Sequence[str]) -> list[UUID]:
        """Return the ids of what carries one of some identifiers ("system|value", "|value")."""
        async with self._connection() as connection:
            rows = await connection.fetch(
                _SQL["by_identifier"], kind, seen_by(caller), caller.source, list(identifiers)
            )
        return [row["id"] for row in rows]

    @asynccontextmanager
    async def _connection(self) -> AsyncGenerator[Connection]:
        try:
            async with self._pool.acquire(timeout=_SECONDS) as connection:
                yield cast("Connection", connection)
        except _AWAY:
            issue = Issue("error", "transient", "The resources cannot be read now; please try again later.")
            raise FhirError(503, [issue], {"Retry-After": "5"}) from None


async def _included(
    connection: Connection, caller: Caller, query: Query, ids: Sequence[UUID]
) -> Sequence[Included]:
    """Return what comes along, each once; it is seen by the same rules as what is searched for."""
    found: dict[tuple[str, UUID], Included] = {}
    for each in query.included if ids else ():
        arguments = (each.kind, seen_by(caller), caller.source, query.kind, list(ids), MOST_INCLUDED)
        for row in await connection.fetch(_SQL[f"include_{each.by}"], *arguments):
            found[each.kind, row["id"]] = Included(each.kind, _found(row))
    return list(found.values())


def seen_by(caller: Caller) -> list[str]:
    """Return the marks of a Patient that this caller may see; "program" opens what the program recorded."""
    disclosed = ["program"] if caller.is_disclosed_to else []
    return [f"source:{caller.source}", *(f"assigner:{name}" for name in sorted(caller.assigners)), *disclosed]


def _found(row: asyncpg.Record) -> Found:
    return Found(row["id"], row["version"], row["last_updated"], row["resource"].encode())
