"""Steps from one level of care to another: a coordinator's, and those that a discharge calls for."""

from services.care_plan.deciders import discharge, levels
from services.care_plan.deciders.episode import NO_EPISODE, Episode, State
from services.care_plan.deciders.history import LevelHistory, Step
from shared.commands.care_plan import ReverseStepDown, StepDown, StepDownAfterDischarge, StepUp
from shared.commands.decision import Decision, Refused, refused
from shared.events.episode import StepDownReversed, SteppedDown, SteppedUp
from shared.events.moment import before, moment

StepCommand = StepUp | StepDown | StepDownAfterDischarge | ReverseStepDown


def decide(command: StepCommand, state: State) -> Decision:
    """Decide on a step; the state is that of the episodes."""
    match command:
        case StepUp():
            return NO_EPISODE if state.current is None else _step_up(command, state.current)
        case StepDown():
            return _no_step_down(state) if state.current is None else _step_down(command, state.current)
        case StepDownAfterDischarge():
            return _after_discharge(command, state)
        case ReverseStepDown():
            return _reverse(command, state)


def _step_up(command: StepUp, episode: Episode) -> Decision:
    history, step = episode.history, _step(command)
    if _was_last(step, history):
        return []
    if (problem := _problem(step, history)) is not None:
        return problem
    if not levels.above(step.level, history.level, history.edition):
        sentence = f"Level {step.level} is less intensive than {history.level}: that is a step down."
        return refused("not-a-higher-level", sentence, "to_level")
    return [
        SteppedUp(
            episode=episode.id,
            from_level=history.level,
            to_level=step.level,
            edition=history.edition,
            at=step.at,
            reason=command.reason,
        )
    ]


def _step_down(command: StepDown, episode: Episode) -> Decision:
    history, step = episode.history, _step(command)
    if _was_last(step, history):
        return []
    if (problem := _problem(step, history)) is not None:
        return problem
    if levels.above(step.level, history.level, history.edition):
        sentence = f"Level {step.level} is more intensive than {history.level}: there is no step down to it."
        return refused("nothing-to-step-down-from", sentence, "to_level")
    return [
        SteppedDown(
            episode=episode.id,
            from_level=history.level,
            to_level=step.level,
            edition=history.edition,
            at=step.at,
        )
    ]


def _no_step_down(state: State) -> Refused:
    if state.pending:
        return NO_EPISODE  # opening one is the step-down
    sentence = "The participant is in no episode, and no hospital has told us of a discharge."
    return refused("nothing-to-step-down-from", sentence)


def _step(command: StepUp | StepDown) -> Step:
    return Step(command.to_level, command.at if command.at is not None else moment(command.now))


def _was_last(step: Step, history: LevelHistory) -> bool:
    return len(history.steps) > 1 and step == history.last


def _problem(step: Step, history: LevelHistory) -> Refused | None:
    if step.level == history.level:
        return refused("same-level", f"The participant is already at level {step.level}.", "to_level")
    if before(step.at, history.last.at):
        sentence = f"The last step, to level {history.level}, is of {history.last.at}, later than {step.at}."
        return refused("before-open-interval", sentence, "at")
    return levels.problem(step.level, history.edition, "to_level")


def _after_discharge(command: StepDownAfterDischarge, state: State) -> Decision:
    if command.discharge in state.discharges or command.discharge in state.reversed:
        return []
    notice, episode = discharge.pending(command), state.current
    if episode is None:
        return [notice]
    landing = episode.history.landing(notice.discharged, emergency=notice.emergency)
    return [discharge.stepped_down(notice, episode.id, landing, episode.history.edition)]


def _reverse(command: ReverseStepDown, state: State) -> Decision:
    if command.discharge in state.reversed:
        return []
    # A discharge not known yet is reversed too, so that its step-down, arriving later, comes to nothing.
    visit_number = state.discharges.get(command.discharge)
    return [StepDownReversed(discharge=command.discharge, cause=command.cause, visit_number=visit_number)]
