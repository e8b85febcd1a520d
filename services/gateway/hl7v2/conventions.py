"""What a sender's messages mean where they say nothing: agreed with the sender, not read."""

from collections.abc import Mapping
from datetime import tzinfo

from msgspec import Struct

from services.gateway.hl7v2.location import Location


class Conventions(Struct, frozen=True, kw_only=True):
    """One sender's. `fields` tells where it puts a field's value: the first place that has one counts."""

    zone: tzinfo  # of timestamps without an offset
    assigner: str | None = None  # of identifiers without one (PID-3, MRG-1: CX.4 and CX.6 empty)
    facility: str | None = None  # of visits without one (PV1-39)
    charset: str | None = None  # of messages that name none (MSH-18), as in HL7 table 0211
    fields: Mapping[Location, tuple[Location, ...]] = {}
