"""Referrals as coordinators and senders live them; the table has its own test."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from services.intake.deciders.referral import DECIDER
from services.intake.deciders.transitions import Status
from shared.commands.intake import (
    AmendReferral,
    Party,
    RecordIntakeNoShow,
    RequestReferralCancellation,
    ScheduleIntakeAppointment,
)
from shared.events.base import Coding, EventData, Identifier
from shared.events.moment import moment
from shared.events.referral import (
    InformationReceived,
    InformationRequested,
    IntakeAppointmentAttended,
    IntakeAppointmentMissed,
    IntakeAppointmentScheduled,
    ReferralAccepted,
    ReferralAmended,
    ReferralCancellationRefused,
    ReferralCancellationRequested,
    ReferralCompleted,
    ReferralDuplicateDetected,
    ReferralInterimNoteSent,
    ReferralOutcomeSent,
    ReferralReceived,
    Waitlisted,
    WaitlistRemoved,
)
from tests.unit.intake.referral_stories import (
    APPOINTMENT,
    ASKED,
    HOUR,
    MAR_10,
    PLACER,
    REFERRAL,
    ask,
    reached,
    receive,
    told_by,
)
from tests.unit.scenario import Given, given

RECEIVED = ReferralReceived(referral=REFERRAL, placer=PLACER, source="hospital", message=told_by(1))
ACCEPTED = ReferralAccepted(referral=REFERRAL, owner="coordinator:7")
SCHEDULED = IntakeAppointmentScheduled(
    referral=REFERRAL, appointment=APPOINTMENT, start=MAR_10, end=MAR_10 + HOUR
)
ATTENDED = IntakeAppointmentAttended(referral=REFERRAL, appointment=APPOINTMENT)
CANCEL_ASKED = ReferralCancellationRequested(referral=REFERRAL, reason="moved")


def accepted(*happened: EventData):
    return given(DECIDER, RECEIVED, ACCEPTED, *happened)


def schedule(start: datetime, end: datetime) -> ScheduleIntakeAppointment:
    return ScheduleIntakeAppointment(**ASKED, appointment=APPOINTMENT, start=start, end=end)


def test_a_referral_is_received_once():
    given(DECIDER).when(receive()).then(RECEIVED)


def test_a_referral_sent_again_in_another_message_is_a_duplicate_noted_once():
    duplicate = ReferralDuplicateDetected(referral=REFERRAL, message=told_by(2))
    given(DECIDER, RECEIVED).when(receive(message=told_by(2))).then(duplicate).when(receive()).then_nothing()


def test_a_duplicate_with_another_content_amends_nothing():
    urgent = replace(receive(message=told_by(2)), priority="urgent")
    after = (
        given(DECIDER, RECEIVED)
        .when(urgent)
        .then(ReferralDuplicateDetected(referral=REFERRAL, message=told_by(2)))
    )
    assert after.state.asked == RECEIVED


def test_a_duplicate_of_a_completed_referral_is_noted_too():
    Given(DECIDER, reached("completed")).when(receive(message=told_by(2))).then(
        ReferralDuplicateDetected(referral=REFERRAL, message=told_by(2))
    )


def test_a_referral_under_another_placer_number_is_another_referral():
    given(DECIDER, RECEIVED).when(
        receive(placer=Identifier("GENERAL", "R-200", "PLAC"), message=told_by(2))
    ).then_refused("placer-differs", field="placer")


def test_nothing_is_asked_of_a_referral_that_was_never_received():
    given(DECIDER).when(ask("accept")).then_refused("referral-unknown")


def test_a_refusal_says_where_the_referral_is_and_what_is_possible():
    no = given(DECIDER, RECEIVED).when(ask("outcome")).then_refused("transition-not-allowed")
    assert no.sentence == (
        "The referral is received: it is not possible now to send the outcome. "
        "Possible now: accept it, decline it, ask for information."
    )


def test_a_closed_referral_says_that_nothing_is_possible():
    no = Given(DECIDER, reached("rejected")).when(ask("accept")).then_refused("transition-not-allowed")
    assert no.sentence.endswith("Nothing more is possible for you now.")


def test_a_wrong_party_hears_whose_it_is():
    party: Party = "recipient"
    no = given(DECIDER, RECEIVED).when(ask("request-cancel", party=party)).then_refused("wrong-party")
    assert no.sentence == "Only whoever sent the referral may ask to cancel it."


def test_accepting_again_by_the_same_owner_changes_nothing():
    accepted().when(ask("accept", words="coordinator:7")).then_nothing()


def test_an_accepted_referral_is_not_accepted_by_another_owner():
    accepted().when(ask("accept", words="coordinator:8")).then_refused("transition-not-allowed")


def test_an_amendment_gives_only_what_changed():
    urgent = AmendReferral(**ASKED, priority="urgent", reasons=(), message=told_by(3))
    given(DECIDER, RECEIVED).when(urgent).then(
        ReferralAmended(referral=REFERRAL, priority="urgent", message=told_by(3))
    )


def test_an_older_amendment_delivered_again_does_not_undo_a_newer_one():
    urgent = AmendReferral(**ASKED, priority="urgent", message=told_by(3))
    routine = AmendReferral(**ASKED, priority="routine", message=told_by(4))
    amended = (
        given(DECIDER, RECEIVED)
        .when(urgent)
        .then(ReferralAmended(referral=REFERRAL, priority="urgent", message=told_by(3)))
    )
    amended.when(routine).then(
        ReferralAmended(referral=REFERRAL, priority="routine", message=told_by(4))
    ).when(urgent).then_nothing()


def test_reasons_may_be_amended():
    reasons = (Coding("icd-10-cm", "F10.20"),)
    after = (
        given(DECIDER, RECEIVED)
        .when(AmendReferral(**ASKED, reasons=reasons))
        .then(ReferralAmended(referral=REFERRAL, reasons=reasons))
    )
    assert after.state.asked == replace(RECEIVED, reasons=reasons)


def test_the_program_amends_nothing_and_a_closed_referral_is_not_amended():
    amend = AmendReferral(**ASKED, priority="urgent")
    given(DECIDER, RECEIVED).when(replace(amend, party="recipient")).then_refused("wrong-party")
    Given(DECIDER, reached("cancelled")).when(amend).then_refused("referral-closed")


@pytest.mark.parametrize("start", [RECEIVED, ACCEPTED], ids=["received", "accepted"])
def test_an_answer_brings_the_referral_back_to_where_it_was(start: EventData):
    before = given(DECIDER, RECEIVED, start)
    asked = before.when(ask("request-information", words="insurance")).then(
        InformationRequested(referral=REFERRAL, what="insurance")
    )
    assert asked.state.status == "awaiting-information"
    answered = asked.when(ask("receive-information", words="card copied")).then(
        InformationReceived(referral=REFERRAL, what="card copied")
    )
    assert answered.state.status == before.state.status


def test_a_cancellation_refused_while_waiting_for_information_waits_again():
    asked = given(DECIDER, RECEIVED, InformationRequested(referral=REFERRAL, what="insurance"))
    refused = asked.when(ask("request-cancel", words="moved")).then(CANCEL_ASKED)
    refused = refused.when(ask("refuse-cancel", words="by phone")).then(
        ReferralCancellationRefused(referral=REFERRAL, reason="by phone")
    )
    assert refused.state.status == "awaiting-information"
    answered = refused.after([InformationReceived(referral=REFERRAL, what="card")])
    assert answered.state.status == "received"


@pytest.mark.parametrize(
    "status", ["received", "accepted", "scheduled", "no-show", "visit-completed", "active"]
)
def test_a_cancellation_refused_brings_the_referral_back(status: Status):
    before = Given(DECIDER, reached(status))
    after = before.when(ask("request-cancel", words="moved")).then(CANCEL_ASKED)
    after = after.when(ask("refuse-cancel", words="by phone")).then(
        ReferralCancellationRefused(referral=REFERRAL, reason="by phone")
    )
    assert after.state.status == status


def test_a_cancellation_asked_in_two_messages_is_asked_once():
    asked = ReferralCancellationRequested(referral=REFERRAL, reason="moved", message=told_by(5))
    given(DECIDER, RECEIVED, asked).when(replace(cancellation(), message=told_by(6))).then_nothing()


def test_a_cancellation_message_delivered_again_after_it_was_refused_does_not_ask_again():
    asked = ReferralCancellationRequested(referral=REFERRAL, reason="moved", message=told_by(5))
    refused = ReferralCancellationRefused(referral=REFERRAL, reason="by phone")
    story = given(DECIDER, RECEIVED, asked, refused)
    story.when(replace(cancellation(), message=told_by(5))).then_nothing()
    story.when(replace(cancellation(), message=told_by(6))).then(replace(asked, message=told_by(6)))


def cancellation() -> RequestReferralCancellation:
    return RequestReferralCancellation(**ASKED, reason="moved")


def test_a_waitlisted_referral_comes_back_accepted():
    accepted().when(ask("waitlist", words="iop")).then(Waitlisted(referral=REFERRAL, program="iop")).when(
        ask("remove-from-waitlist", words="a place")
    ).then(WaitlistRemoved(referral=REFERRAL, reason="a place")).when(schedule(MAR_10, MAR_10 + HOUR)).then(
        SCHEDULED
    )


def test_an_attended_appointment_moves_nothing_and_is_recorded_once():
    after = accepted(SCHEDULED).when(ask("attend")).then(ATTENDED)
    assert after.state.status == "scheduled"


@pytest.mark.parametrize("action", ["reschedule", "no-show"])
def test_an_attended_appointment_is_not_changed_any_more(action: str):
    story = accepted(SCHEDULED, ATTENDED)
    command = ask("reschedule") if action == "reschedule" else ask("no-show")
    story.when(command).then_refused("appointment-attended")


def test_an_appointment_is_neither_attended_nor_missed_before_it_starts():
    early = moment(MAR_10 - timedelta(minutes=1))
    accepted(SCHEDULED).when(replace(ask("attend"), at=early)).then_refused(
        "attended-before-start", field="at"
    )
    accepted(SCHEDULED).when(replace(ask("no-show"), at=early)).then_refused(
        "missed-before-start", field="at"
    )


def test_an_appointment_missed_on_a_day_that_is_all_we_know_is_missed():
    no_show = RecordIntakeNoShow(**ASKED, at="2026-03-10")
    accepted(SCHEDULED).when(no_show).then(
        IntakeAppointmentMissed(referral=REFERRAL, appointment=APPOINTMENT)
    )


def test_an_appointment_ends_after_it_starts():
    accepted().when(schedule(MAR_10, MAR_10)).then_refused("ends-before-start", field="end")


def test_an_appointment_without_a_time_zone_is_refused():
    naive = MAR_10.replace(tzinfo=None)
    accepted().when(schedule(naive, naive + HOUR)).then_refused("time-zone-missing", field="start")


def test_a_visit_noted_without_an_appointment_has_none_to_cancel():
    note = ReferralInterimNoteSent(referral=REFERRAL, note="seen")
    accepted(note).when(ask("cancel-appointment")).then_refused("no-appointment")


def test_another_note_is_sent_but_not_the_same_one_twice():
    first = ReferralInterimNoteSent(referral=REFERRAL, note="seen")
    accepted(SCHEDULED, first).when(ask("interim-note", words="seen")).then_nothing().when(
        ask("interim-note", words="seen again")
    ).then(ReferralInterimNoteSent(referral=REFERRAL, note="seen again"))


def test_the_outcome_completes_the_referral():
    accepted().when(ask("outcome", words="enrolled")).then(
        ReferralOutcomeSent(referral=REFERRAL, outcome="enrolled"), ReferralCompleted(referral=REFERRAL)
    )


def test_a_referral_is_an_entity_of_its_own():
    assert UUID(ask("accept").entity) == REFERRAL
