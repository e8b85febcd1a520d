"""A participant's care as one entity: episodes and steps, sessions, the plan; and what ends with death."""

from msgspec import Struct

from services.care_plan.deciders import episode, plan, session, step
from services.care_plan.deciders.episode import EpisodeCommand
from services.care_plan.deciders.episode import State as Episodes
from services.care_plan.deciders.plan import PlanCommand
from services.care_plan.deciders.plan import State as Plan
from services.care_plan.deciders.session import SessionCommand
from services.care_plan.deciders.session import State as Sessions
from services.care_plan.deciders.step import StepCommand
from shared.commands.care_plan import CancelSession, CareCommand, CloseCareOnDeath, EndEpisodeEarly
from shared.commands.decision import Decider, Decision, refused
from shared.events.base import EventData


class State(Struct, frozen=True):
    """What the parts of a participant's care have come to."""

    episodes: Episodes = Episodes()
    sessions: Sessions = Sessions()
    plan: Plan = Plan()


def evolve(state: State, event: EventData) -> State:
    """Move the part that the event belongs to; an event that none knows leaves the state as it is."""
    return State(
        episodes=episode.evolve(state.episodes, event),
        sessions=session.evolve(state.sessions, event),
        plan=plan.evolve(state.plan, event),
    )


Command = EpisodeCommand | StepCommand | SessionCommand | PlanCommand

# After death nothing is decided any more but what closes the record.
_ADMINISTRATIVE: tuple[type[CareCommand], ...] = (CloseCareOnDeath, EndEpisodeEarly, CancelSession)


def decide(command: Command, state: State) -> Decision:
    """Decide on a command in the part that it belongs to."""
    if state.episodes.deceased and not isinstance(command, _ADMINISTRATIVE):
        return refused(
            "participant-deceased", "The participant has died; only administrative closure remains."
        )
    if isinstance(command, EpisodeCommand):
        return episode.decide(command, state.episodes, relapse_plan=state.plan.relapse_plan is not None)
    if isinstance(command, StepCommand):
        return step.decide(command, state.episodes)
    if isinstance(command, SessionCommand):
        return session.decide(command, state.sessions, state.episodes.current)
    return plan.decide(command, state.plan)


DECIDER = Decider(category="episode", initial=State(), evolve=evolve, decide=decide)
