"""What every command carries."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from msgspec import Struct

from shared.events.moment import Moment


class Command(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="command", tag=True):
    """What somebody asks of one entity. `now` is the asker's clock: deciders have none."""

    category: ClassVar[str]

    id: UUID  # the same id again is the same command: event ids derive from it
    participant: UUID
    actor: str  # opaque: "coordinator:7", "policy:aftercare", "source:general-hospital"
    now: datetime
    at: Moment | None = None  # when it happened in the world; now, where absent
    purpose: str = "TREAT"  # HL7 v3 PurposeOfUse
    correlation: UUID | None = None
    causation: UUID | None = None
    traceparent: str | None = None

    @property
    def entity(self) -> str:
        """The last token of the entity's subject."""
        return str(self.participant)

    @property
    def partition_key(self) -> str:
        """What chooses the partition: all of a participant's entities share one."""
        return str(self.participant)
