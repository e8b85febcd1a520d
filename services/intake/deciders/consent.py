"""A participant's consents, and what was told or withheld under them: one entity.

One entity, so that nothing is recorded as told under a consent that was revoked just before.
"""

from collections.abc import Mapping
from datetime import date
from typing import Final
from uuid import UUID

from msgspec import Struct, field
from msgspec.structs import replace

from shared.commands.consent import (
    ConsentCommand,
    GrantConsent,
    RecordDisclosure,
    RecordRefusedDisclosure,
    RevokeConsent,
)
from shared.commands.decision import Decider, Decision, refused
from shared.events.base import EventData
from shared.events.consent import ConsentGranted, ConsentRevoked, DisclosureMade, DisclosureRefused
from shared.events.moment import before

RecordCommand = RecordDisclosure | RecordRefusedDisclosure
Recorded = DisclosureMade | DisclosureRefused
_Key = tuple[str, str, str]  # recipient, kind, consent or why not

_READ: Final = "fhir-read"


class State(Struct, frozen=True, kw_only=True):
    """The consents as granted last, which of them were revoked, and the last day of each sort of reading."""

    consents: Mapping[UUID, ConsentGranted] = field(default_factory=dict[UUID, ConsentGranted])
    revoked: frozenset[UUID] = frozenset()
    read: Mapping[_Key, date] = field(default_factory=dict[_Key, date])
    last: EventData | None = None

    def is_active(self, consent: UUID) -> bool:
        """Tell whether it was granted and not revoked; whether it has expired is not asked."""
        return consent in self.consents and consent not in self.revoked


def evolve(state: State, event: EventData) -> State:
    """Hold the terms told last; a revocation is for good."""
    match event:
        case ConsentGranted(consent=consent):
            return replace(state, consents={**state.consents, consent: event}, last=event)
        case ConsentRevoked(consent=consent):
            return replace(state, revoked=state.revoked | {consent}, last=event)
        case DisclosureMade() | DisclosureRefused():
            return replace(_read(state, event), last=event)
        case _:
            return state


def decide(command: ConsentCommand, state: State) -> Decision:
    """Grant, revoke, and record what is told or withheld."""
    match command:
        case GrantConsent():
            return _granted(command, state)
        case RevokeConsent():
            return _revoked(command, state)
        case RecordDisclosure():
            return _made(command, state)
        case RecordRefusedDisclosure():
            return _once(_refused(command), state)
        case _:
            return refused("command-unknown", "Consents cannot be asked that.")


def _granted(command: GrantConsent, state: State) -> Decision:
    if not (command.recipients or command.classes):
        return refused("recipient-missing", "A consent names a recipient, or a class of them.", "recipients")
    if not command.for_purpose:
        return refused("purpose-missing", "A consent says what it is for.", "for_purpose")
    if command.starts and command.expires and before(command.expires, command.starts):
        return refused("expires-before-start", "A consent cannot end before it begins.", "expires")
    if command.consent in state.revoked:
        sentence = "This consent was revoked; what is agreed to again is a consent of its own."
        return refused("consent-revoked", sentence, "consent")
    granted = _terms(command)
    held = state.consents.get(command.consent)
    if held is not None and replace(held, message=None) == replace(granted, message=None):
        return []
    return [granted]


def _terms(command: GrantConsent) -> ConsentGranted:
    return ConsentGranted(
        consent=command.consent,
        recipients=command.recipients,
        classes=command.classes,
        purpose=command.for_purpose,
        scope=command.scope,
        starts=command.starts,
        expires=command.expires,
        part2=command.part2,
        counselling_notes=command.counselling_notes,
        identifier=command.identifier,
        message=command.message,
    )


def _revoked(command: RevokeConsent, state: State) -> Decision:
    if command.consent not in state.consents:
        return refused("consent-unknown", "No such consent was granted.", "consent")
    if command.consent in state.revoked:
        return []
    return [ConsentRevoked(consent=command.consent, reason=command.reason, message=command.message)]


def _made(command: RecordDisclosure, state: State) -> Decision:
    if not state.is_active(command.consent):
        sentence = "This consent was not granted, or was revoked: nothing is told under it."
        return refused("consent-not-active", sentence, "consent")
    made = DisclosureMade(
        recipient=command.recipient,
        kind=command.kind,
        means=command.means,
        purpose=command.purpose,
        consent=command.consent,
        day=command.day,
        referral=command.referral,
        outbound=command.outbound,
    )
    return _once(made, state)


def _refused(command: RecordRefusedDisclosure) -> DisclosureRefused:
    return DisclosureRefused(
        recipient=command.recipient,
        kind=command.kind,
        means=command.means,
        purpose=command.purpose,
        because=command.because,
        day=command.day,
        referral=command.referral,
        outbound=command.outbound,
    )


def _once(event: Recorded, state: State) -> Decision:
    """Record a recipient's reads of a kind once a day; each status that is told is one of its own."""
    if event.means == _READ:
        told = state.read.get(_key(event))
        return [] if told is not None and told >= event.day else [event]
    return [] if event == state.last else [event]


def _read(state: State, event: Recorded) -> State:
    if event.means != _READ:
        return state
    return replace(state, read={**state.read, _key(event): event.day})


def _key(event: Recorded) -> _Key:
    why = str(event.consent) if isinstance(event, DisclosureMade) else event.because
    return event.recipient, event.kind, why


DECIDER = Decider(category="consent", initial=State(), evolve=evolve, decide=decide)
