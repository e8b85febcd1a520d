"""What a participant consents to be told about them to whom, and what was told under it (FHIR Consent).

42 CFR 2.31 names the elements of a written consent: who may disclose, what, to whom by name or by class, what
for, until when. Who may disclose is this program.
"""

from datetime import date
from typing import Literal
from uuid import UUID

from shared.events.base import EventData, Identifier, MessageReference
from shared.events.moment import Moment

Means = Literal["fhir-read", "referral-status"]
WithheldBecause = Literal[
    "no-consent",  # none names the recipient or a class that it belongs to
    "revoked",
    "expired",
    "not-yet",
    "other-purpose",
    "out-of-scope",
    "part2",  # substance-use treatment (42 CFR 2.31), which the consent does not cover
    "counselling-notes",  # they need a consent of their own (42 CFR 2.31(b), 45 CFR 164.508(b)(3)(ii))
]


class ConsentGranted(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """The participant agreed, in writing; the same consent granted again has other terms from then on."""

    consent: UUID
    recipients: tuple[str, ...] = ()  # by name: tokens of sources
    classes: tuple[str, ...] = ()  # by class: what the site calls it, such as "treating-provider"
    purpose: tuple[str, ...] = ("TREAT",)  # HL7 v3 PurposeOfUse
    scope: tuple[str, ...] = ()  # FHIR resource types; empty: whatever is recorded
    starts: Moment | None = None  # absent: at once
    expires: Moment | None = None  # a day is its last at the site; an instant is its end
    part2: bool = False  # it is good for substance-use treatment, too (42 CFR 2.31)
    counselling_notes: bool = False  # it is about those, and about nothing else
    identifier: Identifier | None = None  # the sender's own number of it
    message: MessageReference | None = None


class ConsentRevoked(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """Nothing more is disclosed under it; what was disclosed before stays as it was."""

    consent: UUID
    reason: str | None = None
    message: MessageReference | None = None


class DisclosureMade(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """Something was told to a recipient under a consent, with the notice of 42 CFR 2.32."""

    recipient: str  # the source's token
    kind: str  # FHIR resource type
    means: Means
    purpose: str
    consent: UUID
    day: date  # at the site; a recipient's reads of a kind are told once a day
    referral: UUID | None = None
    outbound: UUID | None = None  # CloudEvents id of the message on OUTBOUND that tells a status


class DisclosureRefused(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """What a recipient asked for, or would have been told, was withheld, or told without its words."""

    recipient: str
    kind: str
    means: Means
    purpose: str
    because: WithheldBecause
    day: date
    referral: UUID | None = None
    outbound: UUID | None = None  # CloudEvents id of the message on OUTBOUND that tells a status


ConsentEvent = ConsentGranted | ConsentRevoked | DisclosureMade | DisclosureRefused
