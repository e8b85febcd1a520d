"""Every event as a coordinator reads it: a title, and a sentence with what matters of it."""

from collections.abc import Callable
from datetime import tzinfo

from services.timeline.read_models.sentences import (
    aftercare,
    assessment,
    care,
    consent,
    encounter,
    participant,
    plan,
    referral,
    session,
)
from services.timeline.read_models.sentences.description import Description
from shared.events.base import EventData

_TOPICS: dict[type[EventData], Callable[[EventData, tzinfo], Description]] = {
    event: topic.describe
    for topic in (participant, encounter, referral, consent, assessment, care, session, plan, aftercare)
    for event in topic.HANDLES
}


def describe(event: EventData, zone: tzinfo) -> Description:
    """Say what happened, with times in `zone`; every event type of the contract has its sentence."""
    return _TOPICS[type(event)](event, zone)
