"""Enrolment, the episode, its level of care, and its sessions."""

from datetime import date

from msgspec.structs import replace

from services.timeline.read_models.care.state import CareState, EpisodeStatus, LevelStep, PlannedSession
from shared.events.base import EventData
from shared.events.enrolment import Enrolled
from shared.events.episode import (
    EpisodeCompleted,
    EpisodeEndedEarly,
    EpisodeOpened,
    EpisodePaused,
    EpisodeResumed,
    LevelOfCareStarted,
    StepDownReversed,
    SteppedDown,
    SteppedUp,
)
from shared.events.moment import before
from shared.events.session import SessionAttended, SessionCancelled, SessionMissed, SessionScheduled

HANDLES = (
    Enrolled,
    EpisodeOpened,
    LevelOfCareStarted,
    SteppedUp,
    SteppedDown,
    StepDownReversed,
    EpisodePaused,
    EpisodeResumed,
    EpisodeCompleted,
    EpisodeEndedEarly,
    SessionScheduled,
    SessionAttended,
    SessionMissed,
    SessionCancelled,
)


def evolve(state: CareState, event: EventData) -> CareState:
    """Move the episode; a step told after a later one moves no level."""
    match event:
        case Enrolled(enrolment=enrolment, program=program, track=track):
            return replace(state, enrolment=enrolment, program=program, track=track)
        case EpisodeOpened():
            return _opened(state, event)
        case LevelOfCareStarted(level=level, edition=edition, at=at):
            return _at_levels(replace(state, edition=edition), [LevelStep(level, at)])
        case SteppedUp(to_level=level, at=at):
            return _stepped(state, LevelStep(level, at))
        case SteppedDown(to_level=level, at=at, discharge=discharge):
            return _stepped(state, LevelStep(level, at, discharge))
        case StepDownReversed(discharge=id):
            return _at_levels(state, [step for step in state.steps if step.discharge != id])
        case EpisodePaused():
            return replace(state, episode_status="onhold")
        case EpisodeResumed():
            return replace(state, episode_status="active")
        case EpisodeCompleted(on=on):
            return _ended(state, "finished", on, "completed")
        case EpisodeEndedEarly(on=on, reason=reason):
            return _ended(state, "cancelled", on, reason)
        case _:
            return _session(state, event)


def _opened(state: CareState, event: EpisodeOpened) -> CareState:
    return replace(
        state,
        enrolment=None,
        episode=event.episode,
        episode_status="active",
        episode_start=event.start,
        episode_end=None,
        end_reason=None,
        program=event.program,
        track=event.track,
    )


def _ended(state: CareState, status: EpisodeStatus, on: date, reason: str) -> CareState:
    ended = replace(state, episode_status=status, episode_end=on, end_reason=reason, enrolment=None)
    return _with_sessions(replace(ended, level=None, level_since=None), [])


def _stepped(state: CareState, step: LevelStep) -> CareState:
    if state.steps and before(step.at, state.steps[-1].at):
        return state
    return _at_levels(state, [*state.steps, step])


def _at_levels(state: CareState, steps: list[LevelStep]) -> CareState:
    """The level is that of the last step, since the first step of its run."""
    if not steps or state.episode_end is not None:
        return replace(state, steps=steps, level=None, level_since=None)
    first = steps[-1]
    for step in reversed(steps):
        if step.level != first.level:
            break
        first = step
    return replace(state, steps=steps, level=first.level, level_since=first.at)


def _session(state: CareState, event: EventData) -> CareState:
    match event:
        case SessionScheduled(session=id, start=start, type=kind):
            return _with_sessions(state, [*_without(state, id), PlannedSession(id, start, kind)])
        case SessionAttended(session=id):
            counted = replace(state, sessions_attended=state.sessions_attended + 1)
            return _with_sessions(counted, _without(state, id))
        case SessionMissed(session=id):
            counted = replace(state, sessions_missed=state.sessions_missed + 1)
            return _with_sessions(counted, _without(state, id))
        case SessionCancelled(session=id):
            return _with_sessions(state, _without(state, id))
        case _:
            return state


def _without(state: CareState, session: object) -> list[PlannedSession]:
    return [planned for planned in state.sessions if planned.session != session]


def _with_sessions(state: CareState, sessions: list[PlannedSession]) -> CareState:
    return replace(
        state, sessions=sessions, next_session=min((planned.start for planned in sessions), default=None)
    )
