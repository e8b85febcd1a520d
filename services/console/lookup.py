"""Finds whom a coordinator means: an id, the beginning or end of one, or a hospital's number."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from msgspec import Struct

from services.console.faults import Failed
from services.console.place import Place
from services.timeline import queries
from shared.projections.postgres import Connection

_SHORTEST: Final = 4
_SHOWN: Final = 8

_REFERRALS: Final = """
select referral as id, participant from read.referral_status
where referral::text = $1 or placer_value = $1
    or (length($1) >= $2 and (starts_with(referral::text, $1) or referral::text like '%' || $3))
limit 9
"""

_SESSIONS: Final = """
select (planned ->> 'session')::uuid as id, participant
from read.participant, jsonb_array_elements(sessions) as planned
where planned ->> 'session' = $1
    or (length($1) >= $2 and (starts_with(planned ->> 'session', $1) or planned ->> 'session' like '%' || $3))
limit 9
"""


class Found(Struct, frozen=True):
    """What was meant, and whose it is."""

    id: UUID
    participant: UUID


async def participant(place: Place, meant: str) -> Found:
    """Return the participant; raises Failed where there is none, or several."""
    async with place.database() as connection:
        candidates = await queries.find_participant(connection, meant)
    return _one("participant", meant, [Found(each.participant, each.participant) for each in candidates])


async def in_care(place: Place, meant: str) -> Found:
    """Return the participant's record that has the open episode: merged, a person has several records."""
    found = await participant(place, meant)
    async with place.database() as connection:
        record = await queries.record_in_care(connection, found.participant)
    return Found(record, record)


async def referral(place: Place, meant: str) -> Found:
    """Return the referral; raises Failed where there is none, or several."""
    async with place.database() as connection:
        return await _find(connection, "referral", _REFERRALS, meant)


async def session(place: Place, meant: str) -> Found:
    """Return a session that has no result yet; raises Failed where there is none, or several."""
    async with place.database() as connection:
        return await _find(connection, "session", _SESSIONS, meant)


async def _find(connection: Connection, kind: str, query: str, meant: str) -> Found:
    told = meant.strip()
    rows = await connection.fetch(query, told, _SHORTEST, _literal(told.lower()))
    found = [Found(row["id"], row["participant"]) for row in rows]
    return _one(kind, told, [one for one in found if str(one.id) == told.lower()] or found)


def _one(kind: str, meant: str, found: Sequence[Found]) -> Found:
    match found:
        case [one]:
            return one
        case []:
            raise Failed(f"No {kind} is known as {meant}. An id, either end of one or its number will do.")
        case _:
            ids = ", ".join(str(one.id) for one in found[:_SHOWN])
            raise Failed(f"Several are known as {meant}; say which {kind}: {ids}.")


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
