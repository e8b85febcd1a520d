"""Who the person is."""

from collections.abc import Iterable

from msgspec.structs import replace

from services.timeline.read_models.care.state import CareState
from shared.events.base import Demographics, EventData, Identifier
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
        case ParticipantRegistered(demographics=told, identifiers=identifiers):
            return _described(state, told, _with(state.identifiers, identifiers))
        case DemographicsCorrected(demographics=told):
            return _described(state, told, state.identifiers)
        case IdentifierLinked(identifier=identifier):
            names = _with(state.identifiers, (identifier,))
            return replace(state, identifiers=names, numbers=_numbers(names))
        case ParticipantsMerged(survivor=survivor):
            return replace(state, merged_into=survivor)
        case ParticipantsUnmerged():
            return replace(state, merged_into=None)
        case _:
            return state


def _described(state: CareState, told: Demographics, identifiers: tuple[str, ...]) -> CareState:
    return replace(
        state,
        family=told.family,
        given=told.given,
        birth_date=told.birth_date,
        sex=told.sex,
        phone=told.phone,
        identifiers=identifiers,
        numbers=_numbers(identifiers),
    )


def _numbers(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.rpartition("|")[2] for name in names))


def _with(names: tuple[str, ...], linked: Iterable[Identifier]) -> tuple[str, ...]:
    """Add identifiers, those told last at the end."""
    news = tuple(f"{each.assigner}|{each.value}" for each in linked)
    return (*(had for had in names if had not in news), *news)
