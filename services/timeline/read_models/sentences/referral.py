"""A referral, from its receipt to its outcome."""

from datetime import tzinfo

from services.timeline.read_models.sentences.description import (
    Description,
    after,
    at_time,
    corrected,
    in_words,
    on_day,
    said,
)
from shared.events.base import EventData
from shared.events.referral import (
    DeliveryWay,
    InformationReceived,
    InformationRequested,
    IntakeAppointmentAttended,
    IntakeAppointmentCancelled,
    IntakeAppointmentMissed,
    IntakeAppointmentRescheduled,
    IntakeAppointmentScheduled,
    ReferralAccepted,
    ReferralAmended,
    ReferralCancellationConfirmed,
    ReferralCancellationRefused,
    ReferralCancellationRequested,
    ReferralCompleted,
    ReferralDeclined,
    ReferralDuplicateDetected,
    ReferralInterimNoteSent,
    ReferralOutcomeSent,
    ReferralReceived,
    ReferralStatusDelivered,
    Waitlisted,
    WaitlistRemoved,
)

HANDLES = (
    ReferralReceived,
    ReferralAmended,
    ReferralDuplicateDetected,
    ReferralAccepted,
    ReferralDeclined,
    InformationRequested,
    InformationReceived,
    ReferralCancellationRequested,
    ReferralCancellationConfirmed,
    ReferralCancellationRefused,
    IntakeAppointmentScheduled,
    IntakeAppointmentRescheduled,
    IntakeAppointmentCancelled,
    IntakeAppointmentMissed,
    IntakeAppointmentAttended,
    ReferralInterimNoteSent,
    ReferralOutcomeSent,
    ReferralCompleted,
    Waitlisted,
    WaitlistRemoved,
    ReferralStatusDelivered,
)

_WAYS: dict[DeliveryWay, str] = {"mllp": "by HL7 message", "rest-hook": "by FHIR subscription"}


def describe(event: EventData, zone: tzinfo) -> Description:
    """Say where the referral is now and why."""
    match event:
        case ReferralReceived():
            return _received(event)
        case ReferralAmended():
            return _amended(event)
        case ReferralDuplicateDetected():
            return said("Referral received again", "the same number of the same sender: nothing changes")
        case ReferralAccepted(owner=owner, expected_by=due):
            return said("Referral accepted", f"owner {owner}", due and f"expected by {on_day(due)}", due=due)
        case ReferralDeclined(reason_code=reason, alternative=alternative):
            return said("Referral declined", f"reason {reason}", after("alternative:", alternative))
        case InformationRequested(what=what, by_when=due):
            return said("Information requested", what, due and f"by {on_day(due)}", due=due)
        case InformationReceived(what=what):
            return said("Information received", what)
        case Waitlisted(program=program, track=track, reason=reason):
            return said("On the waiting list", program, after("track", track), reason)
        case WaitlistRemoved(reason=reason):
            return said("Off the waiting list", reason)
        case _:
            return _cancellation(event) or _appointment(event, zone) or _answer(event)


def _received(event: ReferralReceived) -> Description:
    sender = event.referrer.organisation or event.referrer.name
    return said(
        f"Referral received from {sender or event.source}",
        in_words(event.service_requested),
        f"priority {event.priority}",
        after("for", "; ".join(filter(None, map(in_words, event.reasons)))),
        f"number {event.placer.value} of {event.placer.assigner}",
    )


def _amended(event: ReferralAmended) -> Description:
    return corrected(
        "Referral amended",
        after("priority now", event.priority),
        after("service now", in_words(event.service_requested)),
        None
        if event.reasons is None
        else after("for", "; ".join(filter(None, map(in_words, event.reasons)))),
        None if event.referrer is None else after("referrer", event.referrer.name),
        None if event.insurance is None else "insurance changed",
    )


def _cancellation(event: EventData) -> Description | None:
    match event:
        case ReferralCancellationRequested(reason=reason):
            return said("Cancellation of the referral requested", reason)
        case ReferralCancellationConfirmed():
            return corrected("Referral cancelled", "as its sender asked")
        case ReferralCancellationRefused(reason=reason):
            return said("Cancellation refused", reason)
        case _:
            return None


def _appointment(event: EventData, zone: tzinfo) -> Description | None:
    match event:
        case IntakeAppointmentScheduled(start=start, mode=mode, site=site, ongoing=ongoing):
            title = "Service already under way" if ongoing else "Intake appointment scheduled"
            return said(title, at_time(start, zone), mode, site, due=start.astimezone(zone).date())
        case IntakeAppointmentRescheduled(start=start, mode=mode, site=site):
            due = start.astimezone(zone).date()
            return said("Intake appointment moved", f"now {at_time(start, zone)}", mode, site, due=due)
        case IntakeAppointmentCancelled(reason=reason):
            return corrected("Intake appointment cancelled", reason)
        case IntakeAppointmentMissed():
            return said("Intake appointment missed", "the person did not come")
        case IntakeAppointmentAttended():
            return said("Intake appointment kept", "the person came")
        case _:
            return None


def _answer(event: EventData) -> Description:
    match event:
        case ReferralInterimNoteSent(note=note, ongoing=ongoing):
            return said("Interim note sent", "service under way" if ongoing else None, note)
        case ReferralOutcomeSent(outcome=outcome, report=report):
            return said("Outcome sent to the referrer", outcome, after("report", report))
        case ReferralCompleted():
            return said("Referral completed", "nothing more is owed")
        case ReferralStatusDelivered(status=status, to=to, way=way, answer=answer):
            return said(f"Sender told: {status}", f"{_WAYS[way]} to {to}", after("answered", answer))
        case _:
            raise TypeError(type(event))
