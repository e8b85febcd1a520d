"""Reading the read models, for the command and the portal; overdue is decided as they are read.

Who asks about a record that was merged is answered about the person: the survivor, with what stands in every
record of theirs. Each row still names the record that it stands in.
"""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from services.timeline.person import care_state_together, person
from services.timeline.read_models.care.state import CareState, Status
from services.timeline.read_models.follow_up import FollowUp, closed_on_death, follow_up
from services.timeline.read_models.participant import participant as participant_projection
from services.timeline.read_models.referral_status import ReferralStatus
from services.timeline.read_models.referral_status import referral_status as referral_projection
from services.timeline.read_models.tasks.desk import PRIORITIES, Kind, Task
from services.timeline.read_models.timeline import Entry
from services.timeline.read_models.timeline import timeline as timeline_projection
from shared.projections.as_of import fold_as_of
from shared.projections.postgres import Connection
from shared.projections.table import Table
from shared.site import Site, overdue
from shared.sql import statements

_SQL: Final[Mapping[str, str]] = statements(Path(__file__).with_suffix(".sql"))

# A row is read alike at every site: the site only matters while events are applied.
_ANY: Final = Site()
_CARE_STATE: Final = Table(participant_projection(_ANY), "read")
_ENTRY: Final = Table(timeline_projection(_ANY), "read")
_REFERRAL: Final = Table(referral_projection(), "read")
_FOLLOW_UP: Final = Table(follow_up(), "read")


_SHORTEST: Final = 4
_NIL, _MAX = str(UUID(int=0)), str(UUID(int=2**128 - 1))


class Candidate(Struct, frozen=True, kw_only=True):
    """Somebody whom a coordinator may mean."""

    participant: UUID
    status: Status
    family: str | None
    given: tuple[str, ...]
    birth_date: date | None
    identifiers: tuple[str, ...]


class WorkItem(Struct, frozen=True, kw_only=True):
    """A task with whose it is, and whether its last day is over."""

    task: Task
    family: str | None
    given: tuple[str, ...]
    status: Status | None  # of the participant's care
    overdue: bool
    survivor: UUID | None = None  # whose it is, where the task's own record was merged


class FollowUpItem(Struct, frozen=True, kw_only=True):
    """A follow-up, and whether it is still owed after its last day."""

    follow_up: FollowUp
    overdue: bool


async def find_participant(connection: Connection, text: str) -> list[Candidate]:
    """Return whom the text may mean: one, none, or up to ten candidates.

    It is a whole id, four or more characters of either end of one, an identifier's value or "assigner|value".
    A whole id, or an identifier with its assigner, means nobody else.
    """
    told = text.strip()
    first, last = _beginning_with(told.lower())
    number = told.rpartition("|")[2]
    rows = await connection.fetch(_SQL["find_participant"], told.lower(), told, number, first, last)
    exact = [row for row in rows if row["exact"]]
    return [_candidate(row) for row in exact or rows]


async def record_in_care(connection: Connection, participant: UUID) -> UUID:
    """Return which of a person's records is in care: what is asked of an episode is asked of that one.

    Where none is, it is the survivor's, as everything else.
    """
    whose = await person(connection, participant)
    found = await connection.fetchval(_SQL["record_in_care"], whose.records, whose.survivor)
    return found or whose.survivor


async def care_state(connection: Connection, participant: UUID, site: Site = _ANY) -> CareState | None:
    """Return where a participant's care stands; None where nobody has this id.

    The site's days matter only where several records are read together.
    """
    whose = await person(connection, participant)
    if whose.priors:
        return await care_state_together(connection, site, whose)
    row = await connection.fetchrow(_SQL["care_state"], whose.survivor)
    return None if row is None else _CARE_STATE.row_of(row)


async def care_state_as_of(
    connection: Connection, site: Site, participant: UUID, as_of: datetime
) -> CareState | None:
    """Return what was known, before an instant, of where a participant's care stood."""
    whose = await person(connection, participant, as_of)
    if whose.priors:
        return await care_state_together(connection, site, whose, as_of)
    projection = participant_projection(site)
    known = await fold_as_of(connection, (projection,), whose.survivor, as_of)
    return next(iter(known.of(projection)), None)


async def timeline(connection: Connection, participant: UUID, as_of: datetime | None = None) -> list[Entry]:
    """Return what happened, in the order of the world; with `as_of` only what was recorded before it."""
    whose = await person(connection, participant, as_of)
    rows = await connection.fetch(_SQL["timeline"], whose.records, as_of)
    return [_ENTRY.row_of(row) for row in rows]


async def worklist(
    connection: Connection,
    site: Site,
    now: datetime,
    kind: Kind | None = None,
    participant: UUID | None = None,
) -> list[WorkItem]:
    """Return what is to be done: suicide risk first, then by priority and last day."""
    today = site.today(now)
    records = None if participant is None else (await person(connection, participant)).records
    rows = await connection.fetch(_SQL["worklist"], kind, records, list(PRIORITIES))
    return [_work_item(row, today) for row in rows]


async def referral_status(connection: Connection, referral: UUID) -> ReferralStatus | None:
    """Return where a referral is; None where there is none of this id."""
    row = await connection.fetchrow(_SQL["referral"], referral)
    return None if row is None else _REFERRAL.row_of(row)


async def referrals(connection: Connection, participant: UUID) -> list[ReferralStatus]:
    """Return a participant's referrals, the latest first."""
    records = (await person(connection, participant)).records
    return [_REFERRAL.row_of(row) for row in await connection.fetch(_SQL["referrals"], records)]


async def follow_ups(
    connection: Connection, site: Site, now: datetime, participant: UUID
) -> list[FollowUpItem]:
    """Return a participant's follow-ups by their last day; a death told of any record closes them all."""
    today = site.today(now)
    records = (await person(connection, participant)).records
    rows = [_FOLLOW_UP.row_of(row) for row in await connection.fetch(_SQL["follow_ups"], records)]
    if await connection.fetchval(_SQL["died"], records):
        rows = [closed_on_death(row) for row in rows]
    return [FollowUpItem(follow_up=row, overdue=row.is_owed and overdue(row.due, today)) for row in rows]


def _beginning_with(text: str) -> tuple[UUID | None, UUID | None]:
    """Return the first and the last id that begin with the text; neither where there is none such."""
    try:
        first, last = (UUID(text + fill[len(text) :]) for fill in (_NIL, _MAX))
    except ValueError:
        return None, None
    is_beginning = len(text) >= _SHORTEST and str(first).startswith(text)
    return (first, last) if is_beginning else (None, None)


def _candidate(row: asyncpg.Record) -> Candidate:
    return msgspec.convert(dict(row.items()), Candidate)


def _work_item(row: asyncpg.Record, today: date) -> WorkItem:
    task = msgspec.convert(dict(row.items()), Task)
    return WorkItem(
        task=task,
        family=row["family"],
        given=tuple(row["given"] or ()),
        status=row["status"],
        overdue=overdue(task.due, today),
        survivor=row["survivor"],
    )
