"""Episodes of care, one open at a time: opened, on hold, ended."""

from collections.abc import Mapping
from datetime import date
from typing import Literal
from uuid import UUID

from msgspec import Struct, field
from msgspec.structs import replace

from services.care_plan.deciders import discharge, levels
from services.care_plan.deciders.history import Interval, LevelHistory, Step
from shared.commands.care_plan import (
    CloseCareOnDeath,
    CompleteEpisode,
    EndEpisodeEarly,
    OpenEpisode,
    PauseEpisode,
    ResumeEpisode,
)
from shared.commands.decision import Decision, Refused, refused
from shared.events.base import EventData
from shared.events.episode import (
    CareClosedOnDeath,
    EpisodeCompleted,
    EpisodeEndedEarly,
    EpisodeOpened,
    EpisodePaused,
    EpisodeResumed,
    LevelOfCareStarted,
    StepDownPending,
    StepDownReversed,
    SteppedDown,
    SteppedUp,
)
from shared.events.moment import Moment, before, moment

Status = Literal["active", "onhold", "finished", "cancelled"]  # FHIR EpisodeOfCare.status


class Episode(Struct, frozen=True):
    """One stay in the program, with its history of levels."""

    opened: EpisodeOpened
    history: LevelHistory
    on_hold: bool = False
    ended: EpisodeCompleted | EpisodeEndedEarly | None = None

    @property
    def id(self) -> UUID:
        return self.opened.episode

    @property
    def status(self) -> Status:
        """As FHIR says it; an early end is `cancelled`."""
        match self.ended:
            case EpisodeCompleted():
                return "finished"
            case EpisodeEndedEarly():
                return "cancelled"
            case None:
                return "onhold" if self.on_hold else "active"

    @property
    def intervals(self) -> tuple[Interval, ...]:
        """The level-of-care intervals: open while the episode is, else up to its end."""
        return self.history.intervals(None if self.ended is None else moment(self.ended.on))


class State(Struct, frozen=True):
    """A participant's episodes, the last one perhaps open, and every discharge we were told of."""

    episodes: tuple[Episode, ...] = ()
    opening: EpisodeOpened | None = None  # its first level is the next event
    pending: tuple[StepDownPending, ...] = ()
    discharges: Mapping[UUID, str | None] = field(default_factory=dict[UUID, str | None])  # visit numbers
    reversed: frozenset[UUID] = frozenset()
    deceased: bool = False

    @property
    def latest(self) -> Episode | None:
        return self.episodes[-1] if self.episodes else None

    @property
    def current(self) -> Episode | None:
        """The open episode."""
        latest = self.latest
        return latest if latest is not None and latest.ended is None else None

    def told(self, discharge: UUID, visit_number: str | None) -> "State":
        return replace(self, discharges={**self.discharges, discharge: visit_number})

    def settled(self, discharge: UUID) -> "State":
        """No longer pending."""
        return replace(
            self, pending=tuple(notice for notice in self.pending if notice.discharge != discharge)
        )


def evolve(state: State, event: EventData) -> State:
    """Move the state by an event of the episode; others leave it as it is."""
    match event:
        case EpisodeOpened():
            return replace(state, opening=event)
        case LevelOfCareStarted():
            return _started(state, event)
        case SteppedUp(episode=id, to_level=level, at=at):
            return _step(state, id, Step(level, at))
        case SteppedDown():
            return _stepped_down(state, event)
        case StepDownPending(discharge=id, visit_number=visit):
            return replace(state.told(id, visit), pending=(*state.pending, event))
        case StepDownReversed():
            return _reversed(state, event)
        case EpisodePaused(episode=id):
            return _change(state, id, on_hold=True)
        case EpisodeResumed(episode=id):
            return _change(state, id, on_hold=False)
        case EpisodeCompleted(episode=id) | EpisodeEndedEarly(episode=id):
            return _change(state, id, ended=event)
        case CareClosedOnDeath():
            return replace(state, deceased=True)
        case _:
            return state


def _started(state: State, event: LevelOfCareStarted) -> State:
    if state.opening is None or state.opening.episode != event.episode:
        return state
    history = LevelHistory(event.edition, (Step(event.level, event.at),))
    return replace(state, opening=None, episodes=(*state.episodes, Episode(state.opening, history)))


def _stepped_down(state: State, event: SteppedDown) -> State:
    moved = _step(state, event.episode, Step(event.to_level, event.at, event.discharge))
    if event.discharge is None:
        return moved
    return moved.settled(event.discharge).told(event.discharge, event.visit_number)


def _reversed(state: State, event: StepDownReversed) -> State:
    undone = tuple(replace(it, history=it.history.without(event.discharge)) for it in state.episodes)
    settled = replace(state.settled(event.discharge), episodes=undone)
    return replace(settled, reversed=state.reversed | {event.discharge})


def _step(state: State, episode: UUID, step: Step) -> State:
    stepped = (it.history.stepped(step) for it in state.episodes if it.id == episode)
    return next((_change(state, episode, history=history) for history in stepped), state)


def _change(state: State, episode: UUID, **changes: object) -> State:
    changed = tuple(replace(it, **changes) if it.id == episode else it for it in state.episodes)
    return replace(state, episodes=changed)


EpisodeCommand = (
    OpenEpisode | PauseEpisode | ResumeEpisode | CompleteEpisode | EndEpisodeEarly | CloseCareOnDeath
)

NO_EPISODE = refused("no-open-episode", "The participant has no open episode of care.")


def decide(command: EpisodeCommand, state: State, *, relapse_plan: bool) -> Decision:
    """Decide on a command; `relapse_plan` tells whether a relapse-prevention plan is agreed."""
    match command:
        case OpenEpisode():
            return _open(command, state)
        case PauseEpisode():
            return _pause(command, state.current)
        case ResumeEpisode():
            return _resume(state.current)
        case CompleteEpisode():
            return _complete(command, state, relapse_plan=relapse_plan)
        case EndEpisodeEarly():
            return _end_early(command, state)
        case CloseCareOnDeath():
            return _close_on_death(state, command.on, command.died)


def _open(command: OpenEpisode, state: State) -> Decision:
    if any(episode.id == command.episode for episode in state.episodes):
        return []
    if state.current is not None:
        return refused("episode-already-open", "The participant already has an open episode; end it first.")
    if (problem := levels.problem(command.level, command.edition, "level")) is not None:
        return problem
    return _overlap(command.start, state.latest) or _opened(command, state)


def _overlap(start: date, latest: Episode | None) -> Refused | None:
    if latest is None or latest.ended is None or latest.ended.on <= start:
        return None
    sentence = f"The earlier episode ended on {latest.ended.on}; another cannot start before that day."
    return refused("overlaps-earlier-episode", sentence, "start")


def _opened(command: OpenEpisode, state: State) -> Decision:
    id, level, edition = command.episode, command.level, command.edition
    return [
        EpisodeOpened(episode=id, program=command.program, start=command.start, track=command.track),
        LevelOfCareStarted(episode=id, level=level, edition=edition, at=moment(command.start)),
        # Whoever opens the episode knows of the discharge: it leads to the level that they chose.
        *(discharge.stepped_down(notice, id, level, edition) for notice in state.pending),
    ]


def _pause(command: PauseEpisode, episode: Episode | None) -> Decision:
    if episode is None:
        return NO_EPISODE
    return [] if episode.on_hold else [EpisodePaused(episode=episode.id, reason=command.reason)]


def _resume(episode: Episode | None) -> Decision:
    if episode is None:
        return NO_EPISODE
    return [EpisodeResumed(episode=episode.id)] if episode.on_hold else []


def _complete(command: CompleteEpisode, state: State, *, relapse_plan: bool) -> Decision:
    if state.latest is None:
        return NO_EPISODE
    if state.current is not None and not relapse_plan:
        sentence = "An episode is completed with a relapse-prevention plan; agree on one first."
        return refused("no-relapse-prevention-plan", sentence)
    return _end(state.latest, EpisodeCompleted(episode=state.latest.id, on=command.on))


def _end_early(command: EndEpisodeEarly, state: State) -> Decision:
    if state.latest is None:
        return NO_EPISODE
    if command.reason == "died" and state.current is not None:
        return _close_on_death(state, command.on, moment(command.on))
    return _end(
        state.latest, EpisodeEndedEarly(episode=state.latest.id, on=command.on, reason=command.reason)
    )


def _end(latest: Episode, ended: EpisodeCompleted | EpisodeEndedEarly) -> Decision:
    if latest.ended is not None:
        return [] if latest.ended == ended else NO_EPISODE
    last = latest.history.last.at
    if before(moment(ended.on), last):
        return refused(
            "ended-before-last-step", f"The episode's last step is of {last}; it cannot end earlier.", "on"
        )
    return [ended]


def _close_on_death(state: State, on: date, died: Moment | None) -> Decision:
    if state.deceased:
        return []
    closed = CareClosedOnDeath(died=died)
    if state.current is None:
        return [closed]
    return [EpisodeEndedEarly(episode=state.current.id, on=on, reason="died"), closed]
