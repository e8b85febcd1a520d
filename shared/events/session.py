"""Treatment sessions (FHIR Appointment and Encounter)."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from shared.events.base import EventData

SessionType = Literal[
    "individual",
    "group",
    "family",
    "psychoeducation",
    "skills",
    "medication",
    "life-skills",
    "vocational",
    "social",
]
Delivery = Literal["in-person", "telehealth"]


class SessionScheduled(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """A session is planned."""

    session: UUID
    type: SessionType
    start: datetime
    end: datetime
    lead: str
    credential: str  # the lead's licence: LCSW, LPC, LMFT, MD, PMHNP, RN, CADC, peer …
    modality: str | None = None  # CBT, DBT, ACT, MI …
    delivery: Delivery = "in-person"
    group: str | None = None


class SessionAttended(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """The participant took part for so many minutes."""

    session: UUID
    minutes: int
    lead: str


class SessionMissed(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """The participant did not come."""

    session: UUID
    excused: bool = False


class SessionCancelled(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """The session will not take place."""

    session: UUID
    by: Literal["program", "participant"]


class FamilyMemberInvolved(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """A family member took part, on the participant's consent."""

    session: UUID
    relationship: str
    consent: str  # reference of the consent


SessionEvent = SessionScheduled | SessionAttended | SessionMissed | SessionCancelled | FamilyMemberInvolved
