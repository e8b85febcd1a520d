"""What can be asked of a participant's consents, and of what was disclosed under them."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from shared.commands.base import Command
from shared.events.base import Identifier, MessageReference
from shared.events.consent import Means, WithheldBecause
from shared.events.moment import Moment


class ConsentCommand(Command, frozen=True, kw_only=True, omit_defaults=True):
    """What is asked of the entity that holds all consents of a participant."""

    category: ClassVar[str] = "consent"


class GrantConsent(ConsentCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Record what the participant agreed to; fields as in ConsentGranted."""

    consent: UUID
    recipients: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    for_purpose: tuple[str, ...] = ("TREAT",)  # `purpose` is the command's own
    scope: tuple[str, ...] = ()
    starts: Moment | None = None
    expires: Moment | None = None
    part2: bool = False
    counselling_notes: bool = False
    identifier: Identifier | None = None
    message: MessageReference | None = None


class RevokeConsent(ConsentCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Take a consent back, from now on."""

    consent: UUID
    reason: str | None = None
    message: MessageReference | None = None


class RecordDisclosure(ConsentCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Record that something is told to a recipient under a consent, before it is told."""

    consent: UUID
    recipient: str
    kind: str
    means: Means
    day: date  # at the site
    referral: UUID | None = None
    outbound: UUID | None = None  # CloudEvents id of the message on OUTBOUND that tells a status


class RecordRefusedDisclosure(ConsentCommand, frozen=True, kw_only=True, omit_defaults=True):
    """Record that something is withheld from a recipient."""

    because: WithheldBecause
    recipient: str
    kind: str
    means: Means
    day: date
    referral: UUID | None = None
    outbound: UUID | None = None  # CloudEvents id of the message on OUTBOUND that tells a status
