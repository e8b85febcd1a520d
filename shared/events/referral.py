"""A referral, from its receipt to its outcome (FHIR ServiceRequest and Task; HL7 BSeR state table)."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from shared.events.base import Coding, EventData, Identifier, MessageReference
from shared.events.moment import Moment

Priority = Literal["routine", "urgent", "asap", "stat"]  # FHIR RequestPriority
ReferralSource = Literal["hospital", "community", "self"]
Mode = Literal["in-person", "telehealth"]
DeliveryWay = Literal["mllp", "rest-hook"]  # who reads `outbound.<source>.status` or polls needs no delivery


class Insurance(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A coverage as the referrer stated it: unverified (FHIR Coverage)."""

    payer: str
    member_id: str | None = None
    plan: str | None = None


class Referrer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who asked for the service (PRD with role RP; FHIR ServiceRequest.requester)."""

    name: str | None = None
    organisation: str | None = None
    phone: str | None = None


class ReferralReceived(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """A referral reached us and is ours to answer."""

    referral: UUID
    placer: Identifier  # RF1-6, else RF1-11, else MSH-10: its assigner and value are unique together
    source: ReferralSource
    priority: Priority = "routine"
    referrer: Referrer = Referrer()
    service_requested: Coding | None = None
    reasons: tuple[Coding, ...] = ()
    documents: tuple[str, ...] = ()
    insurance: tuple[Insurance, ...] = ()
    requested_on: Moment | None = None
    message: MessageReference | None = None


class ReferralAmended(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """The initiator changed what was asked; only what changed is given."""

    referral: UUID
    priority: Priority | None = None
    referrer: Referrer | None = None
    service_requested: Coding | None = None
    reasons: tuple[Coding, ...] | None = None
    insurance: tuple[Insurance, ...] | None = None
    message: MessageReference | None = None


class ReferralDuplicateDetected(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """The same (assigner, placer id) came again in another message."""

    referral: UUID
    rule: Literal["placer-id"] = "placer-id"
    message: MessageReference | None = None


class ReferralAccepted(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """We take the referral on."""

    referral: UUID
    owner: str
    expected_by: date | None = None


class ReferralDeclined(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """We do not take it on; terminal (rejected)."""

    referral: UUID
    reason_code: str
    alternative: str | None = None


class InformationRequested(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """We asked the initiator for something we need (extension: awaiting-information)."""

    referral: UUID
    what: str
    by_when: date | None = None


class InformationReceived(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """The initiator answered; the referral returns to where it was."""

    referral: UUID
    what: str
    message: MessageReference | None = None


class ReferralCancellationRequested(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """The initiator asked to cancel."""

    referral: UUID
    reason: str | None = None
    message: MessageReference | None = None


class ReferralCancellationConfirmed(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """We confirmed; terminal (cancelled)."""

    referral: UUID


class ReferralCancellationRefused(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """We refused; the referral returns to where it was (extension)."""

    referral: UUID
    reason: str


class IntakeAppointmentScheduled(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """An intake appointment, or with `ongoing` the start of a service already under way (active)."""

    referral: UUID
    appointment: UUID
    start: datetime
    end: datetime
    mode: Mode = "in-person"
    site: str | None = None
    ongoing: bool = False


class IntakeAppointmentRescheduled(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """The same appointment at another time."""

    referral: UUID
    appointment: UUID
    start: datetime
    end: datetime
    mode: Mode = "in-person"
    site: str | None = None


class IntakeAppointmentCancelled(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """The appointment will not take place."""

    referral: UUID
    appointment: UUID
    reason: str | None = None


class IntakeAppointmentMissed(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """The person did not come (no-show)."""

    referral: UUID
    appointment: UUID


class IntakeAppointmentAttended(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """The person came; the harmonised state moves with the interim note or the outcome."""

    referral: UUID
    appointment: UUID


class ReferralInterimNoteSent(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """A note to the initiator after a visit, or with `ongoing` while the service goes on."""

    referral: UUID
    note: str
    ongoing: bool = False


class ReferralOutcomeSent(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """The outcome told to the initiator."""

    referral: UUID
    outcome: str
    report: str | None = None


class ReferralCompleted(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """Nothing more is owed; terminal (completed)."""

    referral: UUID


class Waitlisted(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """Accepted, but no place yet (extension)."""

    referral: UUID
    program: str
    track: str | None = None
    reason: str | None = None


class WaitlistRemoved(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """Off the waiting list, back to where it was."""

    referral: UUID
    reason: str | None = None


class ReferralStatusDelivered(EventData, frozen=True, kw_only=True, omit_defaults=True):
    """The sender knows where its referral is: `time` is when it answered. Moves nothing."""

    referral: UUID
    because: UUID  # CloudEvents id of the message on OUTBOUND: told again, it is the same
    status: str  # as told
    to: str  # the sender's token
    way: DeliveryWay
    answer: str | None = None  # MSA-1 and the like, or the HTTP status


ReferralEvent = (
    ReferralReceived
    | ReferralAmended
    | ReferralDuplicateDetected
    | ReferralAccepted
    | ReferralDeclined
    | InformationRequested
    | InformationReceived
    | ReferralCancellationRequested
    | ReferralCancellationConfirmed
    | ReferralCancellationRefused
    | IntakeAppointmentScheduled
    | IntakeAppointmentRescheduled
    | IntakeAppointmentCancelled
    | IntakeAppointmentMissed
    | IntakeAppointmentAttended
    | ReferralInterimNoteSent
    | ReferralOutcomeSent
    | ReferralCompleted
    | Waitlisted
    | WaitlistRemoved
    | ReferralStatusDelivered
)
