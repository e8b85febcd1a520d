"""The resources as the projector rendered them: `read.fhir_resource`, read for one source.

Everything that leaves passes here, and is disclosed here: under a consent, with its notice and its record, or
reduced to what may always be said (ADR 9).
"""

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
from services.gateway.fhir.desk import Desk, Released, needs_consent
from services.gateway.fhir.outcome import FhirError, Issue
from services.gateway.fhir.permits import Permits
from services.gateway.fhir.query import Query
from services.gateway.fhir.served import MOST_INCLUDED
from services.gateway.fhir.settled import Settled
from shared.projections.postgres import Connection, Pool
from shared.sql import statements

_TOLD: Final = statements(Path(__file__).with_suffix(".sql"))


def _whole(text: str) -> str:
    """Put in what several statements have in common."""
    for name in ("visible", "seen", "columns"):
        text = text.replace(f"{{{name}}}", _TOLD[name])
    return text


_SQL: Final = {name: _whole(text) for name, text in _TOLD.items()}
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
    is_reduced: bool = False  # its words are left out

    @property
    def tag(self) -> str:
        """What tells it from others of itself: with its words it is another one than without."""
        return f"{self.version}-reduced" if self.is_reduced else str(self.version)


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

    def __init__(self, pool: Pool, settled: Settled, desk: Desk) -> None:
        self._pool = pool
        self._settled = settled
        self._desk = desk

    @classmethod
    async def connected(cls, url: str, settled: Settled, desk: Desk) -> "Resources":
        """Return the resources of a database, which need not answer yet."""
        pool = await asyncpg.create_pool(
            url,
            min_size=0,
            max_size=_POOL_SIZE,
            timeout=_SECONDS,
            command_timeout=_SECONDS,
            server_settings={"application_name": "throughcare-fhir", "default_transaction_read_only": "on"},
        )
        return cls(pool, settled, desk)

    async def close(self) -> None:
        """Give the connections back; those in use end with what they do."""
        await self._pool.close()
        await self._desk.close()

    async def read(self, caller: Caller, kind: str, id: UUID) -> Found | None:
        """Return a resource that the caller may be told of, else None. Raises FhirError 503."""
        async with self._connection() as connection:
            row = await connection.fetchrow(_SQL["read"], kind, seen_by(caller), caller.source, id)
            if row is None:
                return None
            rows = [(kind, row)]
            permits = await self._permits_of(connection, caller, rows)
        [released] = await self._desk.release(caller.source, permits, rows)
        return _found(released) if released else None

    async def search(self, caller: Caller, query: Query) -> Page:
        """Return a page of what the caller may be told of. Raises FhirError 503."""
        async with self._connection() as connection, connection.transaction(isolation="repeatable_read"):
            before = await self._settled.before(connection) if query.updated else None
            permits = await self._permits_for(connection, caller, query, before)
            given = (query.kind, seen_by(caller), caller.source, *permits.open(query.kind))
            conditions = Conditions(query, *given, before=before)
            total = await connection.fetchval(_SQL["count"] + conditions.text, *conditions.arguments)
            if query.only_total:
                return Page((), total, is_last=True)
            text, arguments = conditions.page(query.after, query.count + 1, newest_first=query.newest_first)
            rows = await connection.fetch(_SQL["search"] + text, *arguments)
            page = [(query.kind, row) for row in rows[: query.count]]
            permits = await self._permits_of(connection, caller, page, always=bool(query.included))
            along = await _included(connection, caller, query, permits, [row["id"] for _, row in page])
        released = await self._desk.release(caller.source, permits, [*page, *along])
        entries = [_found(each) for each in released[: len(page)] if each]
        included = [Included(each.kind, _found(each)) for each in released[len(page) :] if each]
        return Page(entries, total, len(rows) <= query.count, included)

    async def ids(self, caller: Caller, query: Query, most: int) -> list[UUID]:
        """Return the ids of what a search finds, `most` of them. Raises FhirError 503."""
        async with self._connection() as connection, connection.transaction(isolation="repeatable_read"):
            permits = await self._permits_for(connection, caller, query, None)
            given = (query.kind, seen_by(caller), caller.source, *permits.open(query.kind))
            text, arguments = Conditions(query, *given).page(None, most)
            rows = await connection.fetch(_SQL["ids"] + text, *arguments)
        return [row["id"] for row in rows]

    async def _permits_of(
        self,
        connection: Connection,
        caller: Caller,
        rows: Sequence[tuple[str, asyncpg.Record]],
        *,
        always: bool = False,
    ) -> Permits:
        """Return what the caller may be told of some rows' participants; nothing where none needs it."""
        if not always and not any(needs_consent(kind, row) for kind, row in rows):
            return self._desk.permits(caller.source, ())
        participants = list({row["participant"] for _, row in rows})
        marks = self._desk.recipient(caller.source).marks
        return self._desk.permits(
            caller.source, await connection.fetch(_SQL["consents_of"], marks, participants)
        )

    async def _permits_for(
        self, connection: Connection, caller: Caller, query: Query, before: datetime | None
    ) -> Permits:
        """Return what the caller may be told of the participants whom a search could find."""
        if query.kind == "Patient":
            return self._desk.permits(caller.source, ())
        marks = self._desk.recipient(caller.source).marks
        conditions = Conditions(query, query.kind, seen_by(caller), marks, before=before)
        found = await connection.fetch(f"{_SQL['consents_for']}{conditions.text})", *conditions.arguments)
        return self._desk.permits(caller.source, found)

    @asynccontextmanager
    async def _connection(self) -> AsyncGenerator[Connection]:
        try:
            async with self._pool.acquire(timeout=_SECONDS) as connection:
                yield cast("Connection", connection)
        except _AWAY:
            issue = Issue("error", "transient", "The resources cannot be read now; please try again later.")
            raise FhirError(503, [issue], {"Retry-After": "5"}) from None


async def _included(
    connection: Connection, caller: Caller, query: Query, permits: Permits, ids: Sequence[UUID]
) -> list[tuple[str, asyncpg.Record]]:
    """Return what comes along, each once; it is seen by the same rules as what is searched for."""
    found: dict[tuple[str, UUID], tuple[str, asyncpg.Record]] = {}
    for each in query.included if ids else ():
        given = (each.kind, seen_by(caller), caller.source, *permits.open(each.kind))
        arguments = (*given, query.kind, list(ids), MOST_INCLUDED)
        for row in await connection.fetch(_SQL[f"include_{each.by}"], *arguments):
            found[each.kind, row["id"]] = (each.kind, row)
    return list(found.values())


def seen_by(caller: Caller) -> list[str]:
    """Return the marks of a Patient that this caller may see."""
    return [f"source:{caller.source}", *(f"assigner:{name}" for name in sorted(caller.assigners))]


def _found(released: Released) -> Found:
    row = released.row
    return Found(row["id"], row["version"], row["last_updated"], released.body, released.is_reduced)
