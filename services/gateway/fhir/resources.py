"""The resources as the projector rendered them: `read.fhir_resource`, read for one source."""

from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg
from msgspec import Struct

from services.gateway.fhir.auth import Caller
from services.gateway.fhir.outcome import refused
from shared.projections.postgres import Pool

_POOL_SIZE: Final = 8
_SECONDS: Final = 10.0


class Found(Struct, frozen=True):
    """A resource: its JSON as it is sent, and what HTTP says of it."""

    id: UUID
    version: int
    last_updated: datetime
    body: bytes


class Resources:
    """A pool of connections that is filled when first asked: the door opens also without Postgres."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @classmethod
    async def connected(cls, url: str) -> "Resources":
        """Return the resources of a database, which need not answer yet."""
        pool = await asyncpg.create_pool(
            url,
            min_size=0,
            max_size=_POOL_SIZE,
            timeout=_SECONDS,
            command_timeout=_SECONDS,
            server_settings={"application_name": "throughcare-fhir", "default_transaction_read_only": "on"},
        )
        return cls(pool)

    async def close(self) -> None:
        """Give the connections back; those in use end with what they do."""
        await self._pool.close()

    async def read(self, caller: Caller, kind: str, id: UUID) -> Found | None:
        """Return a resource that the caller may see; None where there is none."""
        raise refused(501, "not-supported", "Reading is not there yet.")
