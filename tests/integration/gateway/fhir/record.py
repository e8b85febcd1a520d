"""A record to read: two hospitals, two people, and all that happened to one of them."""

from datetime import date
from uuid import UUID

from msgspec.structs import replace

from shared.events.base import Demographics, EventData, Identifier, MessageReference
from shared.events.consent import ConsentGranted
from shared.events.encounter import AppointmentNotified
from shared.events.episode import SteppedDown
from shared.events.participant import IdentifierLinked, ParticipantRegistered
from shared.events.plan import GoalAchieved, GoalSet, RelapsePreventionPlanAgreed
from shared.events.session import SessionAttended
from tests.unit.timeline.facts import (
    EPISODE,
    GOAL,
    HOSPITAL,
    OTHER_REFERRAL,
    SESSION,
    accepted,
    admitted,
    assessed,
    discharged,
    enrolled,
    intake_on,
    level_started,
    opened,
    received,
    registered,
    session_on,
)
from tests.unit.timeline.story import Story, on

ROBIN = UUID("01920000-0000-7000-8000-00000000a001")
KIM = UUID("01920000-0000-7000-8000-00000000b002")
ZOE = UUID("01920000-0000-7000-8000-00000000b003")
GENERAL, OTHER = "ehr-general", "ehr-other"
TOKENS = {GENERAL: "general-token-general-token", OTHER: "other-token-other-token"}


def from_(source: str) -> MessageReference:
    return MessageReference(source=source, control_id="C-1", trigger="REF^I12", inbound_id="i-1")


CONSENT = ConsentGranted(consent=UUID("01920000-0000-7000-8000-00000000c001"), recipients=(GENERAL, OTHER))
SENT_CONSENT = ConsentGranted(
    consent=UUID("01920000-0000-7000-8000-00000000c002"),
    recipients=(GENERAL,),
    identifier=Identifier("general-hospital", "FORM-1", "CONS"),
    message=from_(GENERAL),
)


def robin(*consents: EventData) -> Story:
    """Referred and admitted by the general hospital, told of by the other, in the program; both may read."""
    facts: tuple[EventData, ...] = (
        replace(registered(), message=from_(GENERAL)),
        IdentifierLinked(identifier=Identifier("general-hospital", "MRN-1")),
        replace(received(), message=from_(GENERAL)),
        accepted(date(2026, 3, 9)),
        intake_on(on(5)),
        replace(admitted(), message=from_(GENERAL)),
        replace(discharged(), message=from_(GENERAL)),
        AppointmentNotified(
            appointment=Identifier("general-hospital", "A-1"),
            status="booked",
            start="2026-03-12T09:00:00-05:00",
            message=from_(GENERAL),
        ),
        enrolled(),
        opened(),
        level_started(),
        SteppedDown(
            episode=EPISODE, from_level="2.5", to_level="2.1", edition="3", at="2026-03-10T09:00:00-05:00"
        ),
        assessed(),
        GoalSet(goal=GOAL, description="Go to class every day"),
        GoalAchieved(goal=GOAL),
        RelapsePreventionPlanAgreed(warning_signs=("alone",), action_steps=("call a friend",)),
        session_on(on(11)),
        SessionAttended(session=SESSION, minutes=170, lead="clinician:3"),
        replace(received(referral=OTHER_REFERRAL), message=from_(OTHER)),
        *(consents or (CONSENT, SENT_CONSENT)),
    )
    return Story(ROBIN).tell(*facts)


def kim() -> Story:
    """Referred by the other hospital, under the same number."""
    facts: tuple[EventData, ...] = (
        replace(registered(), message=from_(OTHER)),
        IdentifierLinked(identifier=Identifier("other-hospital", "MRN-1")),
        replace(admitted(), facility=f"Other {HOSPITAL}", message=from_(OTHER)),
    )
    return Story(KIM).tell(*facts)


def zoe() -> Story:
    """Told of by the general hospital, with a name that is not always written alike."""
    named = Demographics(
        family="Pérez-Brown", given=("Zoë", "İvy"), birth_date=date(1988, 2, 29), sex="female"
    )
    return Story(ZOE).tell(ParticipantRegistered(demographics=named, message=from_(GENERAL)))
