"""A referral's row is where the harmonised state table has it."""

from datetime import date

import pytest
from msgspec.structs import replace

from services.timeline.read_models.referral_status import ReferralStatus, Status, referral_status
from shared.events.base import Coding, EventData, MessageReference
from shared.events.referral import (
    InformationReceived,
    InformationRequested,
    IntakeAppointmentAttended,
    IntakeAppointmentCancelled,
    IntakeAppointmentMissed,
    IntakeAppointmentRescheduled,
    ReferralAmended,
    ReferralCancellationConfirmed,
    ReferralCancellationRefused,
    ReferralCancellationRequested,
    ReferralCompleted,
    ReferralDeclined,
    ReferralDuplicateDetected,
    ReferralInterimNoteSent,
    ReferralOutcomeSent,
    Waitlisted,
    WaitlistRemoved,
)
from tests.unit.timeline.facts import (
    APPOINTMENT,
    HOSPITAL,
    OTHER_REFERRAL,
    REFERRAL,
    accepted,
    intake_on,
    received,
)
from tests.unit.timeline.story import MONDAY, ROBIN, At, on, story

MODEL = referral_status()

ASKED = InformationRequested(referral=REFERRAL, what="Medication list", by_when=date(2026, 3, 4))
ANSWERED = InformationReceived(referral=REFERRAL, what="Medication list")
CANCEL = ReferralCancellationRequested(referral=REFERRAL, reason="moved away")
REFUSED = ReferralCancellationRefused(referral=REFERRAL, reason="wants to stay")
WAIT = Waitlisted(referral=REFERRAL, program="iop", reason="no place")


def row(*facts: EventData | At) -> ReferralStatus:
    return story(received(), *facts).row(MODEL)


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ((), "received"),
        ((accepted(),), "accepted"),
        ((ReferralDeclined(referral=REFERRAL, reason_code="full"),), "rejected"),
        ((accepted(), intake_on(on(6))), "scheduled"),
        ((accepted(), intake_on(on(6), ongoing=True)), "active"),
        (
            (intake_on(on(6)), IntakeAppointmentMissed(referral=REFERRAL, appointment=APPOINTMENT)),
            "no-show",
        ),
        (
            (intake_on(on(6)), IntakeAppointmentCancelled(referral=REFERRAL, appointment=APPOINTMENT)),
            "appointment-cancelled",
        ),
        (
            (intake_on(on(6)), IntakeAppointmentAttended(referral=REFERRAL, appointment=APPOINTMENT)),
            "scheduled",
        ),
        ((accepted(), ReferralInterimNoteSent(referral=REFERRAL, note="seen")), "visit-completed"),
        ((accepted(), ReferralInterimNoteSent(referral=REFERRAL, note="seen", ongoing=True)), "active"),
        ((accepted(), ReferralCompleted(referral=REFERRAL)), "completed"),
        ((CANCEL,), "cancel-requested"),
        ((CANCEL, ReferralCancellationConfirmed(referral=REFERRAL)), "cancelled"),
        ((accepted(), CANCEL, REFUSED), "accepted"),
        ((ASKED,), "awaiting-information"),
        ((accepted(), ASKED, ANSWERED), "accepted"),
        ((ASKED, CANCEL), "cancel-requested"),
        ((ASKED, CANCEL, REFUSED), "awaiting-information"),
        ((ASKED, CANCEL, REFUSED, ANSWERED), "received"),
        ((accepted(), WAIT), "waitlisted"),
        ((accepted(), WAIT, WaitlistRemoved(referral=REFERRAL)), "accepted"),
    ],
)
def test_the_status_is_where_the_events_lead(facts: tuple[EventData, ...], status: Status):
    assert row(*facts).status == status


def test_the_row_says_who_asked_and_when():
    message = MessageReference(source="general-hospital", control_id="1", trigger="REF^I12", inbound_id="x")
    told = received("urgent")
    first = story(At(MONDAY, _with(told, message))).row(MODEL)
    assert (first.participant, first.sender, first.organisation) == (ROBIN, "general-hospital", HOSPITAL)
    assert (first.placer_assigner, first.priority, first.received_at) == (
        "general-hospital",
        "urgent",
        MONDAY,
    )


def test_acceptance_names_the_owner_and_by_when():
    taken = row(At(on(3), accepted(date(2026, 3, 6))))
    assert (taken.owner, taken.expected_by, taken.accepted_at) == ("coordinator:7", date(2026, 3, 6), on(3))


def test_a_moved_appointment_is_at_its_last_time():
    moved = IntakeAppointmentRescheduled(
        referral=REFERRAL, appointment=APPOINTMENT, start=on(7), end=on(7, 11)
    )
    assert row(accepted(), intake_on(on(6)), moved).appointment_start == on(7)


def test_what_is_waited_for_is_told_until_it_comes():
    assert (row(ASKED).asked_for, row(ASKED).asked_by) == ("Medication list", date(2026, 3, 4))
    assert row(ASKED, ANSWERED).asked_for is None


def test_an_amendment_changes_only_what_it_tells():
    reasons = (Coding("icd-10-cm", "F32.2", "Severe depressive episode"),)
    amended = row(ReferralAmended(referral=REFERRAL, priority="stat", reasons=reasons))
    assert (amended.priority, amended.reasons) == ("stat", ("F32.2 Severe depressive episode",))
    assert (amended.status, amended.organisation) == ("received", HOSPITAL)


def test_a_duplicate_is_counted_and_moves_nothing():
    again = row(accepted(), ReferralDuplicateDetected(referral=REFERRAL))
    assert (again.status, again.duplicates) == ("accepted", 1)


def test_the_outcome_is_the_reason_of_its_completion():
    outcome = ReferralOutcomeSent(referral=REFERRAL, outcome="Enrolled")
    closed = row(accepted(), outcome, At(on(9), ReferralCompleted(referral=REFERRAL)))
    assert (closed.status, closed.reason, closed.closed_at) == ("completed", "Enrolled", on(9))


def test_each_referral_has_a_row_of_its_own():
    rows = story(received(), received(referral=OTHER_REFERRAL), accepted()).rows(MODEL)
    assert {each.referral: each.status for each in rows} == {REFERRAL: "accepted", OTHER_REFERRAL: "received"}


def _with(event: EventData, message: MessageReference) -> EventData:
    return replace(event, message=message)
