"""Treatment sessions: scheduled in an open episode, then attended, missed or cancelled."""

from collections.abc import Mapping
from uuid import UUID

from msgspec import Struct, field
from msgspec.structs import replace

from services.care_plan.deciders.credentials import POLICY, may_lead
from services.care_plan.deciders.episode import NO_EPISODE, Episode
from shared.commands.care_plan import (
    CancelSession,
    InvolveFamilyMember,
    RecordSessionAttended,
    RecordSessionMissed,
    ScheduleSession,
)
from shared.commands.decision import Decision, Refused, refused
from shared.events.base import EventData
from shared.events.moment import before, moment
from shared.events.session import (
    FamilyMemberInvolved,
    SessionAttended,
    SessionCancelled,
    SessionMissed,
    SessionScheduled,
)

Outcome = SessionAttended | SessionMissed | SessionCancelled


class Session(Struct, frozen=True):
    """A session as scheduled, and what came of it."""

    scheduled: SessionScheduled
    outcome: Outcome | None = None
    family: frozenset[FamilyMemberInvolved] = frozenset()


class State(Struct, frozen=True):
    """A participant's sessions."""

    sessions: Mapping[UUID, Session] = field(default_factory=dict[UUID, Session])

    def with_session(self, id: UUID, session: Session) -> "State":
        return State({**self.sessions, id: session})


def evolve(state: State, event: EventData) -> State:
    """Move the state by an event of a session; others leave it as it is."""
    match event:
        case SessionScheduled(session=id):
            return state.with_session(id, Session(event))
        case SessionAttended(session=id) | SessionMissed(session=id) | SessionCancelled(session=id):
            session = state.sessions.get(id)
            return state if session is None else state.with_session(id, replace(session, outcome=event))
        case FamilyMemberInvolved(session=id):
            session = state.sessions.get(id)
            return state if session is None else state.with_session(id, _with_family(session, event))
        case _:
            return state


def _with_family(session: Session, event: FamilyMemberInvolved) -> Session:
    return replace(session, family=session.family | {event})


RecordCommand = RecordSessionAttended | RecordSessionMissed | CancelSession | InvolveFamilyMember
SessionCommand = ScheduleSession | RecordCommand

_WITH_FAMILY = ("individual", "family")


def decide(command: SessionCommand, state: State, episode: Episode | None) -> Decision:
    """Decide on a command; `episode` is the open one."""
    session = state.sessions.get(command.session)
    if isinstance(command, ScheduleSession):
        return _schedule(command, session, episode)
    if session is None:
        return refused("unknown-session", "No such session is scheduled for the participant.", "session")
    return _record(command, session)


def _record(command: RecordCommand, session: Session) -> Decision:
    match command:
        case RecordSessionAttended():
            return _attend(command, session)
        case RecordSessionMissed():
            return _miss(command, session)
        case CancelSession(session=id, by=by):
            return _settle(session, SessionCancelled(session=id, by=by))
        case InvolveFamilyMember():
            return _involve(command, session)


def _schedule(command: ScheduleSession, session: Session | None, episode: Episode | None) -> Decision:
    if command.start.tzinfo is None or command.end.tzinfo is None:
        return refused("no-time-zone", "A session's start and end need a time zone.", "start")
    scheduled = _scheduled(command)
    if session is not None:
        return [] if session.scheduled == scheduled else _ALREADY_SCHEDULED
    if command.end <= command.start:
        return refused("end-before-start", "A session ends after it starts.", "end")
    if not may_lead(command.type, command.credential):
        return _credential_problem(command)
    return _place_problem(scheduled, episode) or [scheduled]


def _scheduled(command: ScheduleSession) -> SessionScheduled:
    return SessionScheduled(
        session=command.session,
        type=command.type,
        start=command.start,
        end=command.end,
        lead=command.lead,
        credential=command.credential,
        modality=command.modality,
        delivery=command.delivery,
        group=command.group,
    )


_ALREADY_SCHEDULED = refused(
    "session-already-scheduled",
    "This session is already scheduled with other details; cancel it and schedule another.",
    "session",
)


def _credential_problem(command: ScheduleSession) -> Refused:
    needed = ", ".join(sorted(POLICY[command.type], key=str.casefold))
    sentence = f"A {command.type} session is led by one of {needed}; {command.credential} is not among them."
    return refused("credential-not-sufficient", sentence, "credential")


def _place_problem(scheduled: SessionScheduled, episode: Episode | None) -> Refused | None:
    if episode is None:
        return NO_EPISODE
    if episode.on_hold:
        return refused("episode-on-hold", "The episode is on hold; resume it before scheduling sessions.")
    if before(moment(scheduled.start), moment(episode.opened.start)):
        sentence = f"The episode starts on {episode.opened.start}; no session can be earlier."
        return refused("before-episode", sentence, "start")
    return None


def _attend(command: RecordSessionAttended, session: Session) -> Decision:
    if command.minutes <= 0:
        sentence = f"Attended minutes are counted from 1; {command.minutes} is no attendance."
        return refused("minutes-not-positive", sentence, "minutes")
    lead = session.scheduled.lead
    attended = SessionAttended(session=command.session, minutes=command.minutes, lead=lead)
    return _too_early(command, session, "attended") or _settle(session, attended)


def _miss(command: RecordSessionMissed, session: Session) -> Decision:
    missed = SessionMissed(session=command.session, excused=command.excused)
    return _too_early(command, session, "missed") or _settle(session, missed)


def _too_early(command: RecordCommand, session: Session, what: str) -> Refused | None:
    when, start = command.at if command.at is not None else moment(command.now), session.scheduled.start
    if not before(when, moment(start)):
        return None
    sentence = f"The session starts at {start.isoformat()}; it cannot be {what} before that."
    return refused(f"{what}-before-start", sentence, "at")


def _settle(session: Session, outcome: Outcome) -> Decision:
    """Record what came of a session, once: what was entered in error is corrected, not overwritten."""
    match session.outcome:
        case None:
            return [outcome]
        case earlier if earlier == outcome:
            return []
        case SessionCancelled():
            return _CANCELLED
        case SessionAttended():
            return refused("already-attended", "The session is already recorded as attended.", "session")
        case SessionMissed():
            return refused("already-missed", "The session is already recorded as missed.", "session")


_CANCELLED = refused("session-cancelled", "The session was cancelled; schedule another.", "session")


def _involve(command: InvolveFamilyMember, session: Session) -> Decision:
    if command.consent is None or not command.consent.strip():
        sentence = "A family member takes part only on the participant's consent; name the consent."
        return refused("no-consent", sentence, "consent")
    if session.scheduled.type not in _WITH_FAMILY:
        sentence = (
            f"Family members take part in individual and family sessions, not in {session.scheduled.type}."
        )
        return refused("no-family-session", sentence, "session")
    if isinstance(session.outcome, SessionCancelled):
        return _CANCELLED
    involved = FamilyMemberInvolved(
        session=command.session, relationship=command.relationship, consent=command.consent
    )
    if involved in session.family:
        return []
    return _too_early(command, session, "attended") or [involved]
