"""One message being read: its times in the right zone, and what a person should know about it."""

from datetime import date, datetime, tzinfo

from services.gateway.hl7v2.conventions import Conventions
from services.gateway.hl7v2.error import Place
from services.gateway.hl7v2.message import Message, Segment
from services.gateway.hl7v2.timestamps import day_at, moment_at, zone_of
from shared.events.moment import Moment, moment


class Reading:
    """A message, when it was received, and what is agreed with its sender where it says nothing."""

    __slots__ = ("_zone", "conventions", "message", "received")

    def __init__(self, message: Message, received: datetime, conventions: Conventions) -> None:
        self.message = message
        self.received = received
        self.conventions = conventions
        self._zone: tzinfo | None = None

    @property
    def sender(self) -> str:
        """Who sent it, as people there would say: the facility, else the application (MSH-4, MSH-3)."""
        for field in (4, 3):
            name = self.message.text("MSH", field) or self.message.text("MSH", field, 2)
            if name:
                return name
        return "unknown"

    @property
    def assigner(self) -> str:
        """Who assigned an identifier that does not say so."""
        return self.conventions.assigner or self.sender

    @property
    def facility(self) -> str:
        """Where a visit is that does not say so."""
        return self.conventions.facility or self.sender

    @property
    def sent(self) -> Moment | None:
        """MSH-7."""
        return self.moment(self.message.segment("MSH"), 7)

    @property
    def occurred(self) -> Moment:
        """When the event happened as far as EVN tells (EVN-6, EVN-2), else when it was sent or received."""
        event = self.message.segment("EVN")
        return self.moment(event, 6) or self.moment(event, 2) or self.sent or moment(self.received)

    def moment(self, segment: Segment | None, field: int) -> Moment | None:
        """Read a timestamp; None where absent. Raises Hl7Error naming the field where it is none."""
        return self.component(segment, field, 1)

    def component(self, segment: Segment | None, field: int, component: int) -> Moment | None:
        """Read a timestamp inside a field, such as TQ.4 of SCH-11."""
        if segment is None or not (text := segment.text(field, component)):
            return None
        place = Place(segment.name, field, segment.occurrence)
        value = moment_at(text, place, self._zone or self._find_zone())
        if value is None:
            self.warn(f"{place} names no day and was left out.")
        return value

    def day(self, segment: Segment, field: int) -> date | None:
        """Read a calendar day as written; None where absent. Raises Hl7Error where it is none."""
        text = segment.text(field)
        place = Place(segment.name, field, segment.occurrence)
        value = day_at(text, place)
        if text and value is None:
            self.warn(f"{place} names no day and was left out.")
        return value

    def warn(self, sentence: str) -> None:
        """Note something for the people who read the message later."""
        self.message.warnings.append(sentence)

    def _find_zone(self) -> tzinfo:
        self._zone = zone_of(self.message, self.conventions.zone)
        return self._zone
