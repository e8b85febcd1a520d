"""Who the participant is: registered once, known by the identifiers that were claimed for them."""

from msgspec import Struct
from msgspec.structs import replace

from services.intake.deciders.retold import latest
from shared.commands.decision import Decision, refused
from shared.commands.intake import CorrectDemographics, RegisterParticipant
from shared.events.base import Demographics, Emptied, EventData, Identifier
from shared.events.participant import DemographicsCorrected, IdentifierLinked, ParticipantRegistered

RegistrationCommand = RegisterParticipant | CorrectDemographics


class State(Struct, frozen=True, kw_only=True):
    """What we hold of the person; no demographics until registered."""

    demographics: Demographics | None = None
    linked: frozenset[tuple[str, str]] = frozenset()  # assigner and value

    @property
    def is_registered(self) -> bool:
        """Tell whether we met this person."""
        return self.demographics is not None


def evolve(state: State, event: EventData) -> State:
    """Hold what was told last."""
    match event:
        case ParticipantRegistered(demographics=demographics, identifiers=identifiers):
            linked = state.linked | {_key(each) for each in identifiers}
            return replace(state, demographics=demographics, linked=linked)
        case DemographicsCorrected(demographics=demographics):
            return replace(state, demographics=demographics)
        case IdentifierLinked(identifier=identifier):
            return replace(state, linked=state.linked | {_key(identifier)})
        case _:
            return state


def decide(command: RegistrationCommand, state: State) -> Decision:
    """Register once; link what identifiers are new; take over demographics that differ."""
    match command, state.demographics:
        case RegisterParticipant(), None:
            return [_registered(command)]
        case RegisterParticipant(), _:
            news = _unlinked(command.identifiers, state)
            return [IdentifierLinked(identifier=each) for each in news]
        case CorrectDemographics(), None:
            return refused("participant-unknown", "This participant is not registered.", "participant")
        case CorrectDemographics(), held:
            corrected = _merged(_without(held, command.emptied), command.demographics)
            if corrected == held:
                return []
            return [DemographicsCorrected(demographics=corrected, message=command.message)]


def _registered(command: RegisterParticipant) -> ParticipantRegistered:
    """Tell all in one event: the server takes 2 ms for a batch, however small."""
    return ParticipantRegistered(
        demographics=command.demographics,
        message=command.message,
        identifiers=_unlinked(command.identifiers, State()),
    )


def _unlinked(identifiers: tuple[Identifier, ...], state: State) -> tuple[Identifier, ...]:
    """Return what is not linked yet, each once."""
    new = {_key(identifier): identifier for identifier in reversed(identifiers)}
    return tuple(each for key, each in reversed(new.items()) if key not in state.linked)


def _key(identifier: Identifier) -> tuple[str, str]:
    return (identifier.assigner, identifier.value)


def _without(held: Demographics, emptied: tuple[Emptied, ...]) -> Demographics:
    """Take away what its sender took back: a number that nobody may call any more is not called."""
    return replace(held, **dict.fromkeys(emptied)) if emptied else held


def _merged(held: Demographics, told: Demographics) -> Demographics:
    """Take over what is told; what is absent stays."""
    return Demographics(
        family=latest(held.family, told.family),
        given=told.given or held.given,
        birth_date=latest(held.birth_date, told.birth_date),
        sex=latest(held.sex, told.sex),
        phone=latest(held.phone, told.phone),
        email=latest(held.email, told.email),
        address=latest(held.address, told.address),
        language=latest(held.language, told.language),
    )
