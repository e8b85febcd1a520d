"""Registration, demographics, and which records are one person."""

from datetime import tzinfo

from services.timeline.read_models.sentences.description import Description, after, corrected, on_day, said
from shared.events.base import Demographics, EventData, Identifier
from shared.events.participant import (
    DemographicsCorrected,
    IdentifierLinked,
    MatchResolved,
    MatchReviewQueued,
    ParticipantRegistered,
    ParticipantsMerged,
    ParticipantsUnmerged,
    PriorRecordLinked,
    PriorRecordUnlinked,
)

HANDLES = (
    ParticipantRegistered,
    IdentifierLinked,
    DemographicsCorrected,
    MatchReviewQueued,
    MatchResolved,
    ParticipantsMerged,
    ParticipantsUnmerged,
    PriorRecordLinked,
    PriorRecordUnlinked,
)


def describe(event: EventData, _zone: tzinfo) -> Description:
    """Say who the person is."""
    match event:
        case ParticipantRegistered(demographics=told, identifiers=identifiers):
            return said("Participant registered", *_who(told), *map(_identifier, identifiers))
        case IdentifierLinked(identifier=identifier):
            return said("Identifier linked", _identifier(identifier))
        case DemographicsCorrected(demographics=told):
            return corrected("Demographics corrected", *_who(told))
        case MatchReviewQueued(candidates=candidates):
            likely = "; ".join(f"{one.participant} ({one.score:.0%})" for one in candidates)
            return said("Perhaps known already", f"may be {likely}")
        case MatchResolved(same_as=None, reason=reason):
            return said("Nobody whom we knew", reason)
        case MatchResolved(same_as=same_as, reason=reason):
            return said("Recognised", f"is {same_as}", reason)
        case _:
            return _one_person(event)


def _one_person(event: EventData) -> Description:
    match event:
        case ParticipantsMerged(survivor=survivor, reason=reason):
            return said("Record merged", f"into {survivor}", reason)
        case ParticipantsUnmerged(survivor=survivor, reason=reason):
            return corrected("Merge reversed", f"the record is not {survivor}'s", reason)
        case PriorRecordLinked(prior=prior):
            return said("Another record joined", f"{prior} is the same person")
        case PriorRecordUnlinked(prior=prior):
            return corrected("Another record left", f"{prior} is somebody else")
        case _:
            raise TypeError(type(event))


def _who(told: Demographics) -> tuple[str | None, ...]:
    name = " ".join((*told.given, *filter(None, (told.family,))))
    return (
        name,
        after("born", told.birth_date and on_day(told.birth_date)),
        told.sex,
        after("phone", told.phone),
    )


def _identifier(identifier: Identifier) -> str:
    return f"{identifier.type} {identifier.value} of {identifier.assigner}"
