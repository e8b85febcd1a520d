"""The CloudEvents 1.0 envelope of every event, in structured JSON mode, one event a message."""

from datetime import datetime, tzinfo
from typing import Literal
from uuid import UUID

from msgspec import Struct

from shared.events.base import EventData
from shared.events.moment import Moment, instant, is_day


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One fact with its context. When it was recorded is not here: that is the log's timestamp."""

    specversion: Literal["1.0"]
    id: UUID  # UUIDv5 of the command's id and the event's place in the decision
    source: str  # "/throughcare/intake"
    type: str  # "throughcare.intake.ReferralReceived"
    subject: UUID  # the participant
    time: datetime  # when it happened in the world
    dataschema: str  # "urn:throughcare:throughcare.intake.ReferralReceived:1"
    datacontenttype: Literal["application/json"]
    actor: str
    purpose: str
    correlationid: UUID
    sensitivity: str
    data: EventData
    causationid: UUID | None = None
    traceparent: str | None = None
    timeprecision: Literal["day"] | None = None  # only the day of `time` is known

    @property
    def happened(self) -> Moment:
        """When it happened, as precisely as it was told."""
        return self.time.date().isoformat() if self.timeprecision else self.time.isoformat()


class Position(Struct, frozen=True, order=True, array_like=True, gc=False):
    """A place in the log: the partition, and the sequence in its stream (from 1)."""

    partition: int
    sequence: int


class Recorded(Struct, frozen=True, kw_only=True, gc=False):
    """An event as the log holds it: where, for which entity, and when it was recorded."""

    event: Event
    position: Position
    category: str
    entity: str
    recorded_at: datetime


def time_of(happened: Moment, zone: tzinfo) -> tuple[datetime, Literal["day"] | None]:
    """Split a moment into the envelope's `time` and `timeprecision`; a day begins in `zone`."""
    return instant(happened, zone), "day" if is_day(happened) else None
