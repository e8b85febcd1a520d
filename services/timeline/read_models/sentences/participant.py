"""Registration and demographics."""

from datetime import tzinfo

from services.timeline.read_models.sentences.description import Description, after, corrected, on_day, said
from shared.events.base import Demographics, EventData
from shared.events.participant import DemographicsCorrected, IdentifierLinked, ParticipantRegistered

HANDLES = (ParticipantRegistered, IdentifierLinked, DemographicsCorrected)


def describe(event: EventData, _zone: tzinfo) -> Description:
    """Say who the person is."""
    match event:
        case ParticipantRegistered(demographics=told):
            return said("Participant registered", *_who(told))
        case IdentifierLinked(identifier=identifier):
            return said("Identifier linked", f"{identifier.type} {identifier.value} of {identifier.assigner}")
        case DemographicsCorrected(demographics=told):
            return corrected("Demographics corrected", *_who(told))
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
