"""Read models of the kinds there are: one row a participant, one an event, several rows that come and go."""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from shared.events.base import Demographics
from shared.events.enrolment import Enrolled
from shared.events.envelope import Recorded
from shared.events.episode import EpisodeOpened, LevelOfCareStarted
from shared.events.participant import ParticipantRegistered
from shared.events.referral import ReferralAccepted, ReferralReceived
from shared.events.registry import REGISTRY
from shared.events.session import SessionAttended, SessionMissed, SessionScheduled
from shared.projections.projection import AnyProjection, Projection, Rows


class Care(Struct, frozen=True, kw_only=True):
    participant: UUID
    family: str | None = None
    given: tuple[str, ...] = ()
    birth_date: date | None = None
    demographics: Demographics | None = None
    program: str | None = None
    level: str | None = None
    attended: int = 0
    missed: int = 0
    next_session: datetime | None = None
    seq: int = 0


CARE_DDL = """
create table care (participant uuid primary key, family text, given text[] not null, birth_date date,
    demographics jsonb, program text, level text, attended bigint not null, missed bigint not null,
    next_session timestamptz, seq bigint not null);
"""


def apply_care(rows: Rows[Care], recorded: Recorded) -> None:
    event = recorded.event
    row = rows.get(event.subject) or Care(participant=event.subject)
    row = replace(row, seq=recorded.position.sequence)
    match event.data:
        case ParticipantRegistered(demographics=told):
            row = replace(
                row, family=told.family, given=told.given, birth_date=told.birth_date, demographics=told
            )
        case Enrolled(program=program, level=level):
            row = replace(row, program=program, level=level)
        case SessionScheduled(start=start):
            row = replace(row, next_session=start)
        case SessionAttended():
            row = replace(row, attended=row.attended + 1, next_session=None)
        case SessionMissed():
            row = replace(row, missed=row.missed + 1, next_session=None)
        case _:
            pass
    rows.put(row)


class Line(Struct, frozen=True, kw_only=True):
    participant: UUID
    k: int
    seq: int
    type: str
    happened: datetime
    recorded_at: datetime
    actor: str
    what: str


TIMELINE_DDL = """
create table history (participant uuid not null, k bigint not null, seq bigint not null, type text not null,
    happened timestamptz not null, recorded_at timestamptz not null, actor text not null, what text not null,
    primary key (participant, k, seq));
"""


def apply_history(rows: Rows[Line], recorded: Recorded) -> None:
    event, position = recorded.event, recorded.position
    rows.put(
        Line(
            participant=event.subject,
            k=position.partition,
            seq=position.sequence,
            type=event.type,
            happened=event.time,
            recorded_at=recorded.recorded_at,
            actor=event.actor,
            what=f"{type(event.data).__name__} by {event.actor}",
        )
    )


class SessionStatus(StrEnum):
    PLANNED = "planned"
    ATTENDED = "attended"


class Session(Struct, frozen=True, kw_only=True):
    session: UUID
    participant: UUID
    start: datetime
    lead: str
    status: SessionStatus
    minutes: int = 0


SESSION_DDL = """
create table session (session uuid primary key, participant uuid not null, start timestamptz not null,
    lead text not null, status text not null, minutes bigint not null);
"""


def apply_session(rows: Rows[Session], recorded: Recorded) -> None:
    match recorded.event.data:
        case SessionScheduled(session=session, start=start, lead=lead):
            rows.put(
                Session(
                    session=session,
                    participant=recorded.event.subject,
                    start=start,
                    lead=lead,
                    status=SessionStatus.PLANNED,
                )
            )
        case SessionAttended(session=session, minutes=minutes):
            row = rows.get(session)
            if row is None:
                raise LookupError("No such session.")
            rows.put(replace(row, status=SessionStatus.ATTENDED, minutes=minutes))
        case _:
            pass


class Task(Struct, frozen=True, kw_only=True):
    participant: UUID
    task: str
    due: datetime
    priority: str | None = None


TASK_DDL = """
create table task (participant uuid not null, task text not null, due timestamptz not null, priority text,
    primary key (participant, task));
"""


def apply_task(rows: Rows[Task], recorded: Recorded) -> None:
    who, when = recorded.event.subject, recorded.event.time
    match recorded.event.data:
        case ReferralReceived(priority=priority):
            rows.put(Task(participant=who, task="triage", due=when, priority=priority))
        case ReferralAccepted():
            rows.remove(who, "triage")
        case SessionScheduled(session=session, start=start):
            rows.put(Task(participant=who, task=f"attend-{session}", due=start))
        case SessionAttended(session=session):
            rows.remove(who, f"attend-{session}")
        case SessionMissed():
            rows.put(Task(participant=who, task="outreach", due=when))
        case _:
            pass


class Referral(Struct, frozen=True, kw_only=True):
    referral: UUID
    participant: UUID
    placer: str
    status: str
    owner: str | None = None


REFERRAL_DDL = """
create table referral (referral uuid primary key, participant uuid not null, placer text not null,
    status text not null, owner text);
create index on referral (participant);
"""


def apply_referral(rows: Rows[Referral], recorded: Recorded) -> None:
    match recorded.event.data:
        case ReferralReceived(referral=referral, placer=placer):
            rows.put(
                Referral(
                    referral=referral,
                    participant=recorded.event.subject,
                    placer=placer.value,
                    status="received",
                )
            )
        case ReferralAccepted(referral=referral, owner=owner):
            row = rows.get(referral)
            if row:
                rows.put(replace(row, status="accepted", owner=owner))
        case _:
            pass


SESSIONS = frozenset({SessionScheduled, SessionAttended, SessionMissed})
REFERRALS = frozenset({ReferralReceived, ReferralAccepted})
CARES = frozenset({ParticipantRegistered, Enrolled, EpisodeOpened, LevelOfCareStarted}) | SESSIONS

CARE = Projection("care", 1, Care, ("participant",), CARE_DDL, CARES, apply_care)
HISTORY = Projection(
    "history",
    1,
    Line,
    ("participant", "k", "seq"),
    TIMELINE_DDL,
    frozenset(REGISTRY.types.values()),
    apply_history,
    append_only=True,
)
SESSION = Projection("session", 1, Session, ("session",), SESSION_DDL, SESSIONS, apply_session)
TASK = Projection("task", 1, Task, ("participant", "task"), TASK_DDL, SESSIONS | REFERRALS, apply_task)
REFERRAL = Projection("referral", 1, Referral, ("referral",), REFERRAL_DDL, REFERRALS, apply_referral)


def projections() -> Sequence[AnyProjection]:
    return (CARE, HISTORY, SESSION, TASK, REFERRAL)
