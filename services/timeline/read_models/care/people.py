"""Who the person is."""

from msgspec.structs import replace

from services.timeline.read_models.care.state import CareState
from shared.events.base import EventData
from shared.events.participant import (
    DemographicsCorrected,
    IdentifierLinked,
    ParticipantRegistered,
    ParticipantsMerged,
    ParticipantsUnmerged,
)

HANDLES = (
    ParticipantRegistered,
    DemographicsCorrected,
    IdentifierLinked,
    ParticipantsMerged,
    ParticipantsUnmerged,
)


def evolve(state: CareState, event: EventData) -> CareState:
    """Take over what was told; a correction holds the whole."""
    match event:
        case ParticipantRegistered(demographics=told) | DemographicsCorrected(demographics=told):
            return replace(
                state,
                family=told.family,
                given=told.given,
                birth_date=told.birth_date,
                sex=told.sex,
                phone=told.phone,
            )
        case IdentifierLinked(identifier=identifier):
            name = f"{identifier.assigner}|{identifier.value}"
            return replace(state, identifiers=(*(had for had in state.identifiers if had != name), name))
        case ParticipantsMerged(survivor=survivor):
            return replace(state, merged_into=survivor)
        case ParticipantsUnmerged():
            return replace(state, merged_into=None)
        case _:
            return state
