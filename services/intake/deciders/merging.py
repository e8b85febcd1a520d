"""Which records are one person: candidates that somebody looks at, merges as aliases, and their reversal.

A merge stands in the prior's own record: from then on it is read as the survivor's. Nothing is moved, so that
a reversal needs to bring nothing back. The survivor's record notes its priors, to find what was told to them.
"""

from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from shared.commands.decision import Decision, Refused, refused
from shared.commands.intake import (
    LinkPriorRecord,
    MergeParticipants,
    QueueMatchReview,
    ResolveMatch,
    UnlinkPriorRecord,
    UnmergeParticipants,
)
from shared.events.base import EventData
from shared.events.participant import (
    MatchCandidate,
    MatchResolved,
    MatchReviewQueued,
    ParticipantsMerged,
    ParticipantsUnmerged,
    PriorRecordLinked,
    PriorRecordUnlinked,
)

MergingCommand = (
    QueueMatchReview
    | ResolveMatch
    | MergeParticipants
    | UnmergeParticipants
    | LinkPriorRecord
    | UnlinkPriorRecord
)


class State(Struct, frozen=True, kw_only=True):
    """Whose record it is, and who else the person may be."""

    survivor: UUID | None = None  # whom this record was merged into
    priors: frozenset[UUID] = frozenset()  # the records merged into this one
    candidates: tuple[MatchCandidate, ...] = ()  # of the open review
    strangers: frozenset[UUID] = frozenset()  # somebody looked: they are not this person

    @property
    def others(self) -> tuple[UUID, ...]:
        """The records that are this person's beside this one, as far as it knows them itself."""
        survivor = () if self.survivor is None else (self.survivor,)
        return (*survivor, *sorted(self.priors))


def evolve(state: State, event: EventData) -> State:
    """Note what was found."""
    match event:
        case MatchReviewQueued(candidates=candidates):
            return replace(state, candidates=candidates)
        case MatchResolved(same_as=same_as):
            strangers = {one.participant for one in state.candidates} - {same_as}
            return replace(state, candidates=(), strangers=state.strangers | strangers)
        case ParticipantsMerged(survivor=survivor):
            return replace(state, survivor=survivor)
        case ParticipantsUnmerged(survivor=survivor):
            return replace(state, survivor=None, strangers=state.strangers | {survivor})
        case PriorRecordLinked(prior=prior):
            return replace(state, priors=state.priors | {prior})
        case PriorRecordUnlinked(prior=prior):
            return replace(state, priors=state.priors - {prior})
        case _:
            return state


def decide(command: MergingCommand, state: State) -> Decision:
    """Queue what is new, merge what is not one record already, and take back what was merged."""
    match command:
        case QueueMatchReview():
            return _queued(command, state)
        case ResolveMatch():
            return _resolved(command, state)
        case MergeParticipants():
            return _merged(command, state)
        case UnmergeParticipants(participant=prior, reason=reason):
            if state.survivor is None:
                return []
            return [ParticipantsUnmerged(survivor=state.survivor, prior=prior, reason=reason)]
        case LinkPriorRecord(prior=prior):
            return [] if prior in state.priors else [PriorRecordLinked(prior=prior)]
        case UnlinkPriorRecord(prior=prior):
            return [PriorRecordUnlinked(prior=prior)] if prior in state.priors else []


def merged_away(survivor: UUID) -> Refused:
    """Refuse what is asked of a record that is another's now."""
    return refused("merged", f"This record was merged into {survivor}: please use that one.", "participant")


def _queued(command: QueueMatchReview, state: State) -> Decision:
    if state.survivor is not None:
        return merged_away(state.survivor)
    held = {one.participant for one in state.candidates}
    no_news = held | state.strangers | state.priors | {command.participant}
    news = tuple(one for one in command.candidates if one.participant not in no_news)
    ranked = sorted((*state.candidates, *news), key=lambda one: -one.score)
    queued = MatchReviewQueued(candidates=tuple(ranked), message=command.message)
    return [queued] if news else []


def _resolved(command: ResolveMatch, state: State) -> Decision:
    resolved = MatchResolved(same_as=command.same_as, reason=command.reason)
    if command.same_as is None:
        return [resolved] if state.candidates else []
    if state.survivor == command.same_as:
        return []
    if command.same_as not in {one.participant for one in state.candidates}:
        return refused("not-a-candidate", "Nobody is asked whether this is the same person.", "same_as")
    merge = _merge(command.participant, command.same_as, command.line, state)
    return merge if isinstance(merge, Refused) else [resolved, replace(merge, reason=command.reason)]


def _merged(command: MergeParticipants, state: State) -> Decision:
    if state.survivor == command.survivor:
        return []
    merge = _merge(command.participant, command.survivor, command.line, state)
    if isinstance(merge, Refused):
        return merge
    return [replace(merge, reason=command.reason, message=command.message)]


def _merge(prior: UUID, survivor: UUID, line: tuple[UUID, ...], state: State) -> ParticipantsMerged | Refused:
    """Merge, unless the two are one already or would be merged into each other."""
    if state.survivor is not None:
        return merged_away(state.survivor)
    if survivor == prior:
        return refused("same-record", "A record cannot be merged into itself.", "survivor")
    if not line:
        return refused("survivor-unknown", "The survivor is not registered.", "survivor")
    if prior in line or survivor in state.priors:
        return refused("merge-cycle", "The survivor was merged into this record: reverse that first.")
    return ParticipantsMerged(survivor=survivor, prior=prior)
