"""What a topic is given and gives: the resources held, and those that an event draws anew."""

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar
from uuid import UUID

from msgspec import Struct

from services.timeline.read_models.fhir.elements import Resource
from shared.events.base import EventData
from shared.events.envelope import Recorded

R = TypeVar("R", bound=Resource)

ResourceKey = tuple[str, UUID]
"""Resource type and id."""


class Held(Protocol):
    """The participant's resources before the event."""

    def get(self, kind: type[R], id: UUID) -> R | None:
        """Return a resource; None where there is none yet."""
        ...

    def all(self, kind: type[R]) -> Iterable[R]:
        """Return every resource of a type."""
        ...

    def memo(self, kind: type[Resource], id: UUID) -> tuple[str, ...]:
        """Return what was kept beside a resource."""
        ...

    def sender(self, kind: type[Resource], id: UUID) -> str | None:
        """Return whose own the resource is; None where it is nobody's."""
        ...


class Drawn(Struct, frozen=True, gc=False):
    """A resource as it is after an event, and what is kept beside it for the next."""

    resource: Resource
    sender: str | None = None  # of whom it is, where one sender's referral or message made it
    memo: tuple[str, ...] = ()


class Topic(Struct, frozen=True):
    """A part of the record: the events it draws from, and the resources as they are after one."""

    handles: tuple[type[EventData], ...]
    draw: Callable[[Held, Recorded], Iterable[Drawn]]


def sender_of(event: EventData) -> str | None:
    """Return the token of whoever sent the message behind an event."""
    message = getattr(event, "message", None)
    return None if message is None else message.source
