"""A participant at the front door: registration, merges, stays, assessments and enrolments are one entity.

One entity, so that one expected sequence guards rules that cross them, such as death.
"""

from msgspec import Struct
from msgspec.structs import replace

from services.intake.deciders import assessment, encounter, enrolment, merging, registration
from services.intake.deciders.assessment import AssessmentCommand
from services.intake.deciders.encounter import Notice
from services.intake.deciders.enrolment import EnrolmentCommand
from services.intake.deciders.merging import MergingCommand
from services.intake.deciders.registration import RegistrationCommand
from shared.commands.decision import Decider, Decision, Refused, refused
from shared.commands.intake import ParticipantCommand, RegisterParticipant, ResolveSuicideRisk
from shared.events.assessment import AssessmentEvent
from shared.events.base import EventData
from shared.events.encounter import EncounterEvent
from shared.events.enrolment import EnrolmentEvent
from shared.events.participant import ParticipantEvent


class State(Struct, frozen=True, kw_only=True):
    """What each of the five holds."""

    person: registration.State = registration.State()
    records: merging.State = merging.State()
    stays: encounter.State = encounter.State()
    assessments: assessment.State = assessment.State()
    enrolments: enrolment.State = enrolment.State()


def evolve(state: State, event: EventData) -> State:
    """Move whichever of the five the event is about."""
    if isinstance(event, ParticipantEvent):
        person = registration.evolve(state.person, event)
        return replace(state, person=person, records=merging.evolve(state.records, event))
    if isinstance(event, EncounterEvent):
        return replace(state, stays=encounter.evolve(state.stays, event))
    if isinstance(event, AssessmentEvent):
        return replace(state, assessments=assessment.evolve(state.assessments, event))
    if isinstance(event, EnrolmentEvent):
        return replace(state, enrolments=enrolment.evolve(state.enrolments, event))
    return state


def decide(command: ParticipantCommand, state: State) -> Decision:
    """Ask whichever of the five it is about; what hospitals tell is only barred by a merge."""
    if isinstance(command, Notice):
        return _merged_away(command, state) or _noticed(command, state)
    return _barred(command, state) or _decided(command, state)


def _noticed(command: Notice, state: State) -> Decision:
    """Record what is news of a stay, and where else the person's care may be open."""
    decision = encounter.decide(command, state.stays)
    also = state.records.others
    if isinstance(decision, Refused) or not also:
        return decision
    return [encounter.told_also(event, also) for event in decision]


def _decided(command: ParticipantCommand, state: State) -> Decision:
    if isinstance(command, RegistrationCommand):
        return registration.decide(command, state.person)
    if isinstance(command, MergingCommand):
        return merging.decide(command, state.records)
    if isinstance(command, AssessmentCommand):
        return assessment.decide(command, state.assessments)
    if isinstance(command, EnrolmentCommand):
        return enrolment.decide(command, state.enrolments)
    return refused("command-unknown", "A participant cannot be asked that.")


def _barred(command: ParticipantCommand, state: State) -> Refused | None:
    """Bar commands about somebody we have not met, and all but what may follow a death."""
    if not state.person.is_registered and not isinstance(command, RegisterParticipant):
        return refused("participant-unknown", "This participant is not registered.", "participant")
    if state.stays.died and not _may_follow_death(command):
        return refused("participant-deceased", "The participant has died: only closure is recorded now.")
    return _merged_away(command, state)


def _merged_away(command: ParticipantCommand, state: State) -> Refused | None:
    """Send on to the survivor, but for what continues here: a visit told of before, and the merge itself."""
    survivor = state.records.survivor
    if survivor is None or isinstance(command, MergingCommand | ResolveSuicideRisk):
        return None
    if isinstance(command, Notice) and encounter.continues(command, state.stays):
        return None
    return merging.merged_away(survivor)


def _may_follow_death(command: ParticipantCommand) -> bool:
    """Allow what a message tells us of the person, who they are, and to close a flag that is still open."""
    is_told = isinstance(command, RegistrationCommand) and command.message is not None
    return is_told or isinstance(command, MergingCommand | ResolveSuicideRisk)


DECIDER = Decider(category="participant", initial=State(), evolve=evolve, decide=decide)
