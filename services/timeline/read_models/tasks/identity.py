"""Who somebody is: a person looks whether two records are one."""

from services.timeline.read_models.tasks.desk import Desk
from shared.events.base import EventData
from shared.events.participant import (
    MatchResolved,
    MatchReviewQueued,
    ParticipantsMerged,
    ParticipantsUnmerged,
)

HANDLES = (MatchReviewQueued, MatchResolved, ParticipantsMerged, ParticipantsUnmerged)

_TASK = "match-review"
_MERGED = "merged"


def apply(desk: Desk, event: EventData) -> None:
    """Open the question, and close it when it is answered; once the record is merged it is none."""
    match event:
        case MatchReviewQueued():
            _review(desk, event)
        case MatchResolved():
            desk.close(_TASK)
        case ParticipantsMerged():
            task = desk.get(_TASK)
            desk.hold([] if task is None else [task], _MERGED)
        case ParticipantsUnmerged():
            desk.release(_MERGED)
        case _:
            pass


def _review(desk: Desk, event: MatchReviewQueued) -> None:
    likely = "; ".join(f"{one.participant} ({one.score:.0%})" for one in event.candidates)
    asked = f" {event.message.source} asks to merge them." if event.message else ""
    desk.open(
        _TASK,
        "match-review",
        "Is this somebody whom we know?",
        due=desk.in_business_days(2),
        detail=f"May be {likely}.{asked}",
        about=tuple(one.participant for one in event.candidates),
    )
