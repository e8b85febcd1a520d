"""The participant's program sessions, as far as aftercare needs them: which were attended, and when."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct, field
from msgspec.structs import replace

from shared.commands.decision import Fold
from shared.events.base import EventData
from shared.events.session import SessionAttended, SessionScheduled


class Sessions(Struct, frozen=True):
    """When each session starts, and which were attended: recorded later, it still counts on its own day."""

    starts: Mapping[UUID, datetime] = field(default_factory=dict[UUID, datetime])
    attended_ids: frozenset[UUID] = frozenset()

    def attended(self) -> Iterator[tuple[UUID, datetime]]:
        """Yield the attended sessions with their start."""
        return ((id_, start) for id_, start in self.starts.items() if id_ in self.attended_ids)


def evolve(state: Sessions, event: EventData) -> Sessions:
    """Note what concerns a session; all else of the care is not looked at."""
    match event:
        case SessionScheduled(session=session, start=start):
            return replace(state, starts={**state.starts, session: start})
        case SessionAttended(session=session):
            return replace(state, attended_ids=state.attended_ids | {session})
        case _:
            return state


SESSIONS: Final = Fold(category="episode", initial=Sessions(), evolve=evolve)
