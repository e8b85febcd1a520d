"""Plain connections to the servers, for what measures and for what is bare."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import asyncpg
from nats.aio.client import Client

from shared.projections.postgres import Connection
from shared.settings import Settings


@asynccontextmanager
async def nats_of(settings: Settings) -> AsyncGenerator[Client]:
    """Be connected to NATS while inside."""
    client = Client()
    await client.connect(settings.nats_url)  # pyright: ignore[reportUnknownMemberType] -- its **options
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def postgres_of(settings: Settings) -> AsyncGenerator[Connection]:
    """Be connected to Postgres while inside."""
    connection = await asyncpg.connect(settings.database_url)
    try:
        yield connection
    finally:
        await connection.close()
