"""A place in HL7 v2 messages as people write it: ``PV1-19``, ``PV1-3.4``, ``ZPV-2.1.2``."""

import re
from typing import NamedTuple

_PATTERN = re.compile(
    r"([A-Z][A-Z0-9]{2})-([1-9]\d{0,2})(?:\.([1-9]\d{0,2})(?:\.([1-9]\d{0,2}))?)?", re.ASCII
)


class Location(NamedTuple):
    """Segment, field, component and sub-component; 0 means the whole."""

    segment: str
    field: int
    component: int = 0
    subcomponent: int = 0

    def __str__(self) -> str:
        """Write it as `location` reads it."""
        parts = (str(part) for part in (self.component, self.subcomponent) if part)
        return ".".join((f"{self.segment}-{self.field}", *parts))


def location(text: str) -> Location:
    """Read a place; raises ValueError with a sentence where the text is none."""
    match = _PATTERN.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            f"{text!r} is no place in a message: SEG-FIELD[.COMPONENT[.SUBCOMPONENT]] is expected."
        )
    segment, field, component, subcomponent = match.groups()
    return Location(segment, int(field), int(component or 0), int(subcomponent or 0))
