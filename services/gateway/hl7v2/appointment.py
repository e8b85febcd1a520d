"""SCH and what belongs to it: an appointment that the sender keeps (v2.8 chapter 10)."""

from datetime import datetime, timedelta
from typing import Final

from services.gateway.hl7v2.error import missing
from services.gateway.hl7v2.message import Message, Segment
from services.gateway.hl7v2.reading import Reading
from services.gateway.hl7v2.visit import location
from shared.events.base import Identifier
from shared.events.encounter import AppointmentStatus
from shared.events.moment import Moment, before, is_day, moment

_APPOINTMENT = "FILL"  # HL7 table 0203: the filler's number
_PLACED = "PLAC"

# Start, duration and its unit in the segments that book a resource, the nearest to the patient first.
_RESOURCES: Final = (("AIS", 4, 7, 8), ("AIP", 6, 9, 10), ("AIL", 6, 9, 10), ("AIG", 8, 11, 12))
_UNITS: Final = {
    "S": 1,
    "SEC": 1,
    "M": 60,
    "MIN": 60,
    "MINUTE": 60,
    "MINUTES": 60,
    "H": 3600,
    "HR": 3600,
    "HOUR": 3600,
    "HOURS": 3600,
}
_DELETED: Final = "D"  # HL7 table 0206
_LONGEST_MINUTES: Final = 14 * 24 * 60
_CALLED_OFF: Final = frozenset({"cancelled", "noshow"})


def appointment(reading: Reading) -> Identifier:
    """Return its number: the filler's (SCH-2), else the placer's (SCH-1); raises Hl7Error without one."""
    sch = reading.message.segment("SCH")
    if sch is None:
        raise missing("SCH", 0, "An SCH segment is required: it says which appointment the message is about.")
    for field, kind in ((2, _APPOINTMENT), (1, _PLACED)):
        number = sch.field(field)
        if value := number.text(1).strip():
            return Identifier(number.text(2).strip() or number.text(3).strip() or reading.sender, value, kind)
    raise missing("SCH", 2, "SCH-2 or SCH-1 is required: the appointment's number.")


def times(reading: Reading) -> tuple[Moment | None, Moment | None]:
    """Return start and end: TQ1-7 and -8, else SCH-11, else the first resource's with its duration.

    Where nothing tells the end, SCH-9 does: how long it lasts in all.
    """
    message = reading.message
    tq1, sch = message.segment("TQ1"), message.segment("SCH")
    start = reading.moment(tq1, 7) or reading.component(sch, 11, 4)
    end = reading.moment(tq1, 8) if reading.message.text("TQ1", 7) else reading.component(sch, 11, 5)
    for name, field, duration, unit in _RESOURCES:
        resource = _booked(message, name)
        start = start or reading.moment(resource, field)
        end = end or _end(start, resource, duration, unit)
    end = end or _end(start, sch, 9, 10)
    if start and end and before(end, start):
        reading.warn("The appointment ends before it starts; its end was left out.")
        end = None
    return start, end


def reason(reading: Reading, status: AppointmentStatus) -> str | None:
    """Return why: SCH-6 of one that will not be, SCH-7 of one that will; the other where that is empty."""
    sch = reading.message.segment("SCH")
    if sch is None:
        return None
    order = (6, 7) if status in _CALLED_OFF else (7, 6)
    return next((told for field in order if (told := sch.text(field, 2) or sch.text(field))), None)


def place(reading: Reading) -> str | None:
    """Return where: AIL-3, else PV1-3."""
    message = reading.message
    return location(_booked(message, "AIL"), 3) or location(message.segment("PV1"), 3)


def _booked(message: Message, name: str) -> Segment | None:
    """Return the first resource of a kind that is not taken off the appointment (action code D)."""
    return next((each for each in message.segments(name) if each.text(2).strip() != _DELETED), None)


def _end(start: Moment | None, resource: Segment | None, duration: int, unit: int) -> Moment | None:
    if start is None or is_day(start) or resource is None:
        return None
    told, seconds = resource.text(duration).strip(), _UNITS.get(resource.text(unit).strip().upper())
    if (
        seconds is None
        or not (told.isascii() and told.isdigit())
        or int(told) * seconds > _LONGEST_MINUTES * 60
    ):
        return None
    return moment(datetime.fromisoformat(start) + timedelta(seconds=int(told) * seconds))
