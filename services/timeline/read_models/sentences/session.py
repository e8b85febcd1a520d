"""Treatment sessions."""

from datetime import tzinfo

from services.timeline.read_models.sentences.description import (
    Description,
    after,
    at_time,
    corrected,
    said,
)
from shared.events.base import EventData
from shared.events.session import (
    FamilyMemberInvolved,
    SessionAttended,
    SessionCancelled,
    SessionMissed,
    SessionScheduled,
)

HANDLES = (SessionScheduled, SessionAttended, SessionMissed, SessionCancelled, FamilyMemberInvolved)


def describe(event: EventData, zone: tzinfo) -> Description:
    """Say what became of the session."""
    match event:
        case SessionScheduled(type=kind, start=start):
            return said(
                f"{kind.capitalize()} session scheduled",
                at_time(start, zone),
                event.modality,
                event.delivery,
                f"with {event.lead} ({event.credential})",
                after("group", event.group),
                due=start.astimezone(zone).date(),
            )
        case SessionAttended(minutes=minutes, lead=lead):
            return said("Session attended", f"{minutes} minutes", f"with {lead}")
        case SessionMissed(excused=excused):
            return said("Session missed", "excused" if excused else "not excused")
        case SessionCancelled(by=by):
            return corrected("Session cancelled", f"by the {by}")
        case FamilyMemberInvolved(relationship=relationship, consent=consent):
            return said("Family took part", relationship, f"on consent {consent}")
        case _:
            raise TypeError(type(event))
