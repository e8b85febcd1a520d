"""Connections to Postgres, and which of its errors are about the rows and not about the server."""

from typing import TYPE_CHECKING

import asyncpg
from asyncpg.exceptions import DataError, IntegrityConstraintViolationError, ProgramLimitExceededError

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]
else:  # generic in the stubs only
    Connection = asyncpg.Connection
    Pool = asyncpg.Pool

CONNECT_SECONDS = 10.0

# asyncpg refuses what it cannot encode with these, before Postgres sees it.
_UNENCODABLE = (ValueError, TypeError, OverflowError)
# A limit of the program is one of the value: what does not fit into an index or into jsonb never will.
_REFUSED = (DataError, IntegrityConstraintViolationError, ProgramLimitExceededError)


async def connect(url: str) -> Connection:
    """Open a connection of one's own: a session lock lives and dies with it, so never through a pooler."""
    connection = await asyncpg.connect(
        url, timeout=CONNECT_SECONDS, server_settings={"application_name": "throughcare"}
    )
    # A server that is gone without a word is noticed before a standby's patience ends.
    await connection.execute("set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 5")
    return connection


def is_about_rows(error: Exception) -> bool:
    """Tell whether Postgres or asyncpg refused a value, so that another try with the same rows is no use."""
    return isinstance(error, _REFUSED) or (
        isinstance(error, _UNENCODABLE) and not isinstance(error, asyncpg.PostgresError)
    )
