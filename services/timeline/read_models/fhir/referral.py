"""ServiceRequest and Task of a referral (the harmonised status is Task.businessStatus); its appointments."""

from collections.abc import Iterable
from datetime import datetime
from typing import cast
from uuid import UUID

from msgspec import field
from msgspec.structs import replace

from services.timeline.read_models.fhir.appointment import Appointment, Participant, with_patient
from services.timeline.read_models.fhir.drawing import Drawn, Held, Topic, sender_of
from services.timeline.read_models.fhir.elements import (
    CodeableConcept,
    Element,
    Identifier,
    Period,
    Reference,
    Resource,
    coded,
    display,
    named,
    patient,
    reference,
    text,
    told,
)
from services.timeline.read_models.referral_status import ReferralStatus, Status, referral_status
from shared import fhir
from shared.events.base import Coding
from shared.events.envelope import Recorded
from shared.events.referral import (
    InformationRequested,
    IntakeAppointmentAttended,
    IntakeAppointmentCancelled,
    IntakeAppointmentMissed,
    IntakeAppointmentRescheduled,
    IntakeAppointmentScheduled,
    ReferralAccepted,
    ReferralAmended,
    ReferralCancellationRefused,
    ReferralCancellationRequested,
    ReferralDeclined,
    ReferralEvent,
    ReferralInterimNoteSent,
    ReferralOutcomeSent,
    ReferralReceived,
    Referrer,
    Waitlisted,
    WaitlistRemoved,
)

_TASK_CODE = "http://hl7.org/fhir/CodeSystem/task-code"
_REFERRAL = referral_status()
_Appointed = (
    IntakeAppointmentScheduled
    | IntakeAppointmentRescheduled
    | IntakeAppointmentCancelled
    | IntakeAppointmentMissed
    | IntakeAppointmentAttended
)


class ServiceRequest(Resource, frozen=True, kw_only=True, tag="ServiceRequest"):
    """http://hl7.org/fhir/R4/servicerequest.html"""

    status: str
    intent: str
    subject: Reference
    identifier: tuple[Identifier, ...] = ()
    priority: str | None = None
    code: CodeableConcept | None = None
    authored_on: str | None = None
    requester: Reference | None = None
    reason_code: tuple[CodeableConcept, ...] = ()
    insurance: tuple[Reference, ...] = ()


class Restriction(Element, frozen=True, kw_only=True):
    period: Period


class Output(Element, frozen=True, kw_only=True):
    type: CodeableConcept
    value_string: str


class Task(Resource, frozen=True, kw_only=True, tag="Task"):
    """http://hl7.org/fhir/R4/task.html"""

    status: str
    intent: str
    business_status: CodeableConcept
    for_: Reference = field(name="for")
    focus: Reference
    based_on: tuple[Reference, ...]
    code: CodeableConcept
    identifier: tuple[Identifier, ...] = ()
    status_reason: CodeableConcept | None = None
    priority: str | None = None
    authored_on: str | None = None
    last_modified: str | None = None
    requester: Reference | None = None
    owner: Reference | None = None
    restriction: Restriction | None = None
    output: tuple[Output, ...] = ()


def _draw(held: Held, at: Recorded) -> Iterable[Drawn]:
    event = cast("ReferralEvent", at.event.data)
    sender = sender_of(event)
    row = _status_after(held, at)
    request = held.get(ServiceRequest, event.referral) or _request(event.referral, at)
    request = replace(_asked(request, event), status=fhir.REQUEST_STATUS.get(row.status, "active"))
    yield Drawn(request, sender)
    task = held.get(Task, event.referral) or _task(event.referral, at)
    task = _moved(_as_requested(task, request), row, at)
    yield Drawn(_answered(task, event), sender, (row.status, *row.left_for))
    if isinstance(event, _Appointed):
        owner = sender or held.sender(ServiceRequest, event.referral)
        for appointment in _appointed(held, at, event):
            yield Drawn(appointment, owner)


class _OneRow:
    """The row of `referral_status`, moved by that read model's own rules."""

    def __init__(self, row: ReferralStatus | None) -> None:
        self.row = row

    def get(self, *_key: object) -> ReferralStatus | None:
        return self.row

    def put(self, row: ReferralStatus) -> None:
        self.row = row

    def remove(self, *_key: object) -> None:
        self.row = None

    def all(self) -> Iterable[ReferralStatus]:
        return [self.row] if self.row else []


def _status_after(held: Held, at: Recorded) -> ReferralStatus:
    event = cast("ReferralEvent", at.event.data)
    memo = held.memo(Task, event.referral)
    before = ReferralStatus(
        referral=event.referral,
        participant=at.event.subject,
        status=cast("Status", memo[0]) if memo else "received",
        left_for=memo[1:],
        changed_at=at.event.time,
        k=0,
        seq=0,
    )
    rows = _OneRow(before)
    if type(event) in _REFERRAL.handles:
        _REFERRAL.apply(rows, at)
    return rows.row or before


def _request(referral: UUID, at: Recorded) -> ServiceRequest:
    return ServiceRequest(id=referral, status="active", intent="order", subject=patient(at.event.subject))


def _task(referral: UUID, at: Recorded) -> Task:
    request = reference("ServiceRequest", referral)
    return Task(
        id=referral,
        status="received",
        intent="order",
        business_status=_business("received"),
        for_=patient(at.event.subject),
        focus=request,
        based_on=(request,),
        code=coded(_TASK_CODE, "fulfill"),
        authored_on=at.recorded_at.isoformat(),
    )


def _asked(request: ServiceRequest, event: ReferralEvent) -> ServiceRequest:
    match event:
        case ReferralReceived():
            return replace(
                request,
                identifier=(named(event.placer),),
                priority=event.priority,
                code=_service(event.service_requested),
                authored_on=event.requested_on,
                requester=_requester(event.referrer),
                reason_code=tuple(map(told, event.reasons)),
                insurance=tuple(Reference(display=each.payer) for each in event.insurance),
            )
        case ReferralAmended():
            return _amended(request, event)
        case _:
            return request


def _amended(request: ServiceRequest, event: ReferralAmended) -> ServiceRequest:
    insurance = event.insurance
    return replace(
        request,
        priority=event.priority or request.priority,
        code=_service(event.service_requested) or request.code,
        requester=_requester(event.referrer) if event.referrer else request.requester,
        reason_code=request.reason_code if event.reasons is None else tuple(map(told, event.reasons)),
        insurance=request.insurance
        if insurance is None
        else tuple(Reference(display=each.payer) for each in insurance),
    )


def _service(asked: Coding | None) -> CodeableConcept | None:
    return None if asked is None else told(asked)


def _requester(referrer: Referrer) -> Reference | None:
    return display(", ".join(filter(None, (referrer.name, referrer.organisation))))


def _as_requested(task: Task, request: ServiceRequest) -> Task:
    return replace(
        task, identifier=request.identifier, priority=request.priority, requester=request.requester
    )


def _moved(task: Task, row: ReferralStatus, at: Recorded) -> Task:
    return replace(
        task,
        status=fhir.TASK_STATUS[row.status],
        business_status=_business(row.status),
        last_modified=at.recorded_at.isoformat(),
    )


def _business(status: str) -> CodeableConcept:
    return coded(fhir.REFERRAL_STATUS_SYSTEM, status)


def _answered(task: Task, event: ReferralEvent) -> Task:
    task = replace(task, status_reason=_reason(event) or task.status_reason)
    match event:
        case ReferralAccepted(owner=owner, expected_by=expected_by):
            until = Restriction(period=Period(end=expected_by.isoformat())) if expected_by else None
            return replace(task, owner=display(owner), restriction=until, status_reason=None)
        case ReferralInterimNoteSent(note=note):
            return _with_output(task, "interim-note", note)
        case ReferralOutcomeSent(outcome=outcome):
            return _with_output(task, "outcome", outcome)
        case _:
            return task


def _reason(event: ReferralEvent) -> CodeableConcept | None:
    match event:
        case ReferralDeclined(reason_code=reason):
            return text(reason)
        case InformationRequested(what=what):
            return text(what)
        case (
            ReferralCancellationRequested(reason=reason)
            | ReferralCancellationRefused(reason=reason)
            | IntakeAppointmentCancelled(reason=reason)
            | Waitlisted(reason=reason)
            | WaitlistRemoved(reason=reason)
        ):
            return text(reason)
        case _:
            return None


def _with_output(task: Task, kind: str, words: str) -> Task:
    if not words:
        return task
    added = Output(type=CodeableConcept(text=kind), value_string=words)
    return replace(task, output=(*task.output, added))


def _appointed(held: Held, at: Recorded, event: _Appointed) -> Iterable[Appointment]:
    had = held.get(Appointment, event.appointment)
    match event:
        case IntakeAppointmentScheduled() | IntakeAppointmentRescheduled():
            booked = had or Appointment(
                id=event.appointment, status="booked", participant=(), appointment_type=text("intake")
            )
            yield _at_time(booked, at, event.start, event.end, event)
        case IntakeAppointmentCancelled(reason=reason) if had:
            yield replace(had, status="cancelled", cancelation_reason=text(reason))
        case IntakeAppointmentMissed() if had:
            yield replace(had, status="noshow")
        case IntakeAppointmentAttended() if had:
            yield replace(had, status="fulfilled", cancelation_reason=None)
        case _:
            return


def _at_time(
    booked: Appointment,
    at: Recorded,
    start: datetime,
    end: datetime,
    event: IntakeAppointmentScheduled | IntakeAppointmentRescheduled,
) -> Appointment:
    where = (Participant(actor=Reference(display=event.site), status="accepted"),) if event.site else ()
    return replace(
        booked,
        status="booked",
        start=start.isoformat(),
        end=max(start, end).isoformat(),
        cancelation_reason=None,
        service_type=(CodeableConcept(text=event.mode),),
        based_on=(reference("ServiceRequest", event.referral),),
        participant=with_patient(at.event.subject, *where),
    )


TOPIC = Topic(handles=tuple(_REFERRAL.handles), draw=_draw)
