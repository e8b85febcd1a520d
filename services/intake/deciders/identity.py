"""Who owns an identifier: the first claim wins, for good (architecture, section 2)."""

from uuid import UUID

from msgspec import Struct

from shared.commands.decision import Decider, Decision, refused
from shared.commands.intake import ClaimIdentifier
from shared.events.base import EventData
from shared.events.identity import IdentifierClaimed


class State(Struct, frozen=True, kw_only=True):
    """The owner: what whoever lost a claim reads to go on with the right participant or referral."""

    participant: UUID | None = None
    referral: UUID | None = None
    source: str | None = None  # who told us of the identifier first


def evolve(state: State, event: EventData) -> State:
    """Take the owner from the claim."""
    match event:
        case IdentifierClaimed(participant=participant, referral=referral, source=source):
            return State(participant=participant, referral=referral, source=source)
        case _:
            return state


def decide(command: ClaimIdentifier, state: State) -> Decision:
    """Claim what is free; the owner's own claim again changes nothing."""
    if state.participant is None:
        return [
            IdentifierClaimed(
                identifier=command.identifier,
                participant=command.participant,
                referral=command.referral,
                source=command.source,
            )
        ]
    if (state.participant, state.referral) == (command.participant, command.referral):
        return []
    return refused(
        "identifier-claimed", "This identifier already belongs to another participant or referral."
    )


DECIDER = Decider(category="identity", initial=State(), evolve=evolve, decide=decide)
