"""What is to be done, by when, and what takes it away (domain.md, section 4)."""

from datetime import date, datetime

import pytest

from services.timeline.read_models.tasks.desk import Task
from services.timeline.read_models.worklist import worklist
from shared.events.aftercare import (
    AftercareAttended,
    AftercareClosed,
    AftercareMissed,
    AftercareRescheduled,
    FollowUpEscalated,
    FollowUpReinstated,
    FollowUpSuperseded,
    OutreachAttempted,
    OutreachExhausted,
)
from shared.events.assessment import (
    AssessmentDeclined,
    LevelOfCareRecommended,
    SuicideRiskFlagged,
    SuicideRiskResolved,
)
from shared.events.base import EventData
from shared.events.encounter import DeathNotified, ReversalUnmatched
from shared.events.enrolment import OrientationCompleted
from shared.events.episode import (
    CareClosedOnDeath,
    EpisodeCompleted,
    EpisodeEndedEarly,
    EpisodePaused,
    EpisodeResumed,
    StepDownPending,
    StepDownReversed,
    SteppedDown,
)
from shared.events.plan import GoalSet
from shared.events.referral import (
    InformationReceived,
    InformationRequested,
    IntakeAppointmentAttended,
    IntakeAppointmentCancelled,
    IntakeAppointmentMissed,
    IntakeAppointmentRescheduled,
    Priority,
    ReferralAmended,
    ReferralCancellationConfirmed,
    ReferralCancellationRefused,
    ReferralCancellationRequested,
    ReferralCompleted,
    ReferralDeclined,
    ReferralInterimNoteSent,
    Waitlisted,
    WaitlistRemoved,
)
from shared.events.session import SessionAttended, SessionMissed
from tests.unit.timeline.facts import (
    APPOINTMENT,
    CSSRS,
    DISCHARGE,
    ENROLMENT,
    EPISODE,
    FOLLOW_UP,
    GAD7,
    GOAL,
    HOSPITAL,
    LATER_FOLLOW_UP,
    LATER_PHQ9,
    NEXT_SESSION,
    OTHER_REFERRAL,
    READMISSION,
    REFERRAL,
    SESSION,
    THIRD_SESSION,
    accepted,
    admission_cancelled,
    assessed,
    discharge_cancelled,
    enrolled,
    intake_on,
    opened,
    owed,
    received,
)
from tests.unit.timeline.story import SITE, At, on, story

MODEL = worklist(SITE)

FLAGGED = SuicideRiskFlagged(level="high", basis="C-SSRS high", assessment=CSSRS)
ASKED = InformationRequested(referral=REFERRAL, what="Medication list", by_when=date(2026, 3, 4))
ANSWERED = InformationReceived(referral=REFERRAL, what="Medication list")
CANCEL = ReferralCancellationRequested(referral=REFERRAL)
REFUSED = ReferralCancellationRefused(referral=REFERRAL, reason="wants to stay")
DECLINED = ReferralDeclined(referral=REFERRAL, reason_code="full")
RECOMMENDED = LevelOfCareRecommended(edition="3", dimensions=(), level="2.1")
PENDING = StepDownPending(discharge=DISCHARGE, discharged="2026-03-03", from_organisation=HOSPITAL)
BOOKED = AftercareRescheduled(follow_up=FOLLOW_UP, appointment="2026-03-09T11:00:00-04:00")
NO_SHOW = AftercareMissed(follow_up=FOLLOW_UP, cause="no-show")
READMITTED = FollowUpSuperseded(follow_up=FOLLOW_UP, cause="readmission", admission=READMISSION)


def tasks(*facts: EventData | At) -> dict[str, Task]:
    """What is shown, by kind: a second task of a kind fails the test."""
    shown = [row for row in story(*facts).rows(MODEL) if row.held_for is None]
    by_kind = {row.kind: row for row in shown}
    assert len(by_kind) == len(shown), shown
    return {str(kind): row for kind, row in by_kind.items()}


def due(kind: str, *facts: EventData | At) -> date | None:
    return tasks(*facts)[kind].due


@pytest.mark.parametrize(
    ("priority", "at", "expected"),
    [
        ("stat", on(6), date(2026, 3, 7)),
        ("urgent", on(6), date(2026, 3, 8)),
        ("asap", on(6), date(2026, 3, 8)),
        ("routine", on(6), date(2026, 3, 10)),  # a Friday: Monday, Tuesday
        ("routine", on(2, month=7), date(2026, 7, 7)),  # Independence Day is observed on Friday the 3rd
        ("routine", on(2, 23), date(2026, 3, 4)),  # late in the evening it is still the 2nd at the site
    ],
)
def test_a_referral_is_triaged_by_its_priority(priority: Priority, at: datetime, expected: date):
    assert due("triage", At(at, received(priority))) == expected


def test_triage_counts_from_when_we_were_told_and_not_from_when_it_was_sent():
    assert due("triage", At(on(6), received("stat"), happened="2026-01-02")) == date(2026, 3, 7)


def test_an_amended_priority_counts_from_the_same_day():
    amended = ReferralAmended(referral=REFERRAL, priority="stat")
    row = tasks(At(on(2), received()), At(on(3), amended))["triage"]
    assert (row.due, row.priority) == (date(2026, 3, 3), "stat")


def test_an_accepted_referral_needs_an_intake_appointment():
    shown = tasks(received(), accepted(date(2026, 3, 5)))
    assert set(shown) == {"schedule-intake"}
    assert shown["schedule-intake"].due == date(2026, 3, 5)


def test_an_intake_appointment_is_due_on_its_day_at_the_site():
    late = datetime.fromisoformat("2026-03-07T02:00:00+00:00")
    assert due("intake-appointment", received(), accepted(), intake_on(late)) == date(2026, 3, 6)


def test_a_moved_intake_appointment_is_due_on_its_new_day():
    moved = IntakeAppointmentRescheduled(
        referral=REFERRAL, appointment=APPOINTMENT, start=on(12), end=on(12, 11)
    )
    assert due("intake-appointment", received(), accepted(), intake_on(on(6)), moved) == date(2026, 3, 12)


@pytest.mark.parametrize(
    "gone",
    [
        IntakeAppointmentMissed(referral=REFERRAL, appointment=APPOINTMENT),
        IntakeAppointmentCancelled(referral=REFERRAL, appointment=APPOINTMENT),
    ],
)
def test_an_intake_appointment_missed_or_cancelled_needs_another(gone: EventData):
    assert set(tasks(received(), accepted(), intake_on(on(6)), gone)) == {"schedule-intake"}


def test_after_intake_a_level_of_care_is_recommended_and_then_enrolment_is_decided():
    came = IntakeAppointmentAttended(referral=REFERRAL, appointment=APPOINTMENT)
    told = (received(), accepted(), intake_on(on(6)), came)
    assert set(tasks(*told)) == {"assess"}
    assert set(tasks(*told, RECOMMENDED)) == {"decide-enrolment"}
    assert set(tasks(*told, RECOMMENDED, DECLINED)) == set()


@pytest.mark.parametrize(
    "answer",
    [
        intake_on(on(6), ongoing=True),
        ReferralInterimNoteSent(referral=REFERRAL, note="seen"),
        ReferralCompleted(referral=REFERRAL),
        DECLINED,
        ReferralCancellationConfirmed(referral=REFERRAL),
    ],
)
def test_a_referral_that_is_answered_otherwise_needs_no_intake(answer: EventData):
    assert tasks(received(), accepted(), answer) == {}


def test_information_asked_for_holds_back_triage_until_it_comes():
    assert due("information", received(), ASKED) == date(2026, 3, 4)
    assert set(tasks(received(), ASKED)) == {"information"}
    back = tasks(At(on(2), received("stat")), At(on(2), ASKED), At(on(4), ANSWERED))
    assert set(back) == {"triage"}
    assert back["triage"].due == date(2026, 3, 5), "A business day to triage what came late."


def test_a_cancellation_is_confirmed_or_refused_before_anything_else():
    assert set(tasks(received(), CANCEL)) == {"confirm-cancellation"}
    assert due("confirm-cancellation", At(on(6), received()), At(on(6), CANCEL)) == date(2026, 3, 9)
    assert set(tasks(received(), CANCEL, REFUSED)) == {"triage"}
    assert tasks(received(), CANCEL, ReferralCancellationConfirmed(referral=REFERRAL)) == {}


def test_a_refused_cancellation_goes_back_to_waiting_for_information():
    assert set(tasks(received(), ASKED, CANCEL)) == {"confirm-cancellation"}
    assert set(tasks(received(), ASKED, CANCEL, REFUSED)) == {"information"}
    assert set(tasks(received(), ASKED, CANCEL, REFUSED, ANSWERED)) == {"triage"}


def test_a_waitlisted_referral_waits_for_a_place_without_a_day():
    wait = Waitlisted(referral=REFERRAL, program="iop")
    assert due("waitlisted", received(), accepted(), wait) is None
    off = WaitlistRemoved(referral=REFERRAL)
    assert set(tasks(received(), accepted(), wait, off)) == {"schedule-intake"}


def test_one_referral_does_not_close_another():
    assert set(tasks(received(), received(referral=OTHER_REFERRAL), DECLINED)) == {"triage"}


def test_suicide_risk_is_looked_at_the_same_day_and_stands_on_top():
    row = tasks(At(on(6), FLAGGED))["suicide-risk"]
    assert (row.due, row.priority, row.about) == (date(2026, 3, 6), "safety", (str(CSSRS),))
    met = SuicideRiskResolved(assessment=CSSRS, clinician="clinician:3", action="seen")
    assert tasks(FLAGGED, met) == {}


def test_enrolment_asks_for_orientation_a_plan_and_assessments():
    rows = story(At(on(2), enrolled(date(2026, 3, 9)))).rows(MODEL)
    shown = {row.task: row.due for row in rows if row.held_for is None}
    assert shown == {
        f"orientation:{ENROLMENT}": date(2026, 3, 9),
        f"first-week-plan:{ENROLMENT}": date(2026, 3, 16),
        "assessment:PHQ-9": date(2026, 3, 9),
        "assessment:GAD-7": date(2026, 3, 9),
    }


def test_enrolment_ends_what_its_referral_asked_for():
    rows = story(received(), accepted(), RECOMMENDED, enrolled()).rows(MODEL)
    assert not {row.kind for row in rows} & {"schedule-intake", "decide-enrolment"}


def test_orientation_and_the_first_plan_are_closed_when_done():
    done = (OrientationCompleted(enrolment=ENROLMENT), GoalSet(goal=GOAL, description="choir"))
    rows = story(enrolled(), *done).rows(MODEL)
    assert {row.kind for row in rows if row.held_for is None} == {"assessment"}


def test_assessments_are_repeated_every_two_weeks():
    rows = {row.task: row.due for row in story(enrolled(), assessed(at="2026-03-12")).rows(MODEL)}
    assert rows["assessment:PHQ-9"] == date(2026, 3, 26)
    assert rows["assessment:GAD-7"] == date(2026, 3, 9)


def test_the_assessment_at_intake_counts_for_the_first_one():
    facts = (assessed(at="2026-03-02"), assessed("GAD-7", at="2026-02-01", assessment=GAD7), enrolled())
    rows = {row.task: row for row in story(*facts).rows(MODEL)}
    assert rows["assessment:PHQ-9"].due == date(2026, 3, 16)
    assert rows["assessment:GAD-7"].due == date(2026, 3, 9), "An old one is repeated at the start."
    assert rows["assessment:PHQ-9"].held_for is None


def test_nobody_who_is_not_in_care_is_assessed_again():
    assert tasks(assessed()) == {}


def test_an_assessment_told_late_or_incomplete_does_not_change_when_the_next_is_due():
    facts = (enrolled(), assessed(at="2026-03-12"), assessed(at="2026-03-10", assessment=LATER_PHQ9))
    assert {row.task: row.due for row in story(*facts).rows(MODEL)}["assessment:PHQ-9"] == date(2026, 3, 26)
    incomplete = (enrolled(), assessed(at="2026-03-12", complete=False))
    rows = {row.task: row.due for row in story(*incomplete).rows(MODEL)}
    assert rows["assessment:PHQ-9"] == date(2026, 3, 9)


def test_a_declined_assessment_is_asked_for_again_in_two_weeks():
    declined = AssessmentDeclined(instrument="PHQ-9")
    rows = {row.task: row.due for row in story(enrolled(), At(on(10), declined)).rows(MODEL)}
    assert rows["assessment:PHQ-9"] == date(2026, 3, 24)


def test_while_an_episode_is_on_hold_nothing_is_assessed():
    paused = EpisodePaused(episode=EPISODE, reason="family")
    assert "assessment" not in {row.kind for row in _shown(opened(), paused)}
    resumed = At(on(20), EpisodeResumed(episode=EPISODE))
    assert {row.due for row in _shown(opened(), paused, resumed)} == {date(2026, 3, 23)}


@pytest.mark.parametrize(
    "end",
    [
        EpisodeCompleted(episode=EPISODE, on=date(2026, 5, 15)),
        EpisodeEndedEarly(episode=EPISODE, on=date(2026, 4, 1), reason="moved"),
    ],
)
def test_the_end_of_an_episode_ends_what_the_program_asks(end: EventData):
    missed = (SessionMissed(session=SESSION), SessionMissed(session=NEXT_SESSION))
    assert tasks(enrolled(), opened(), *missed, end) == {}


def test_a_missed_session_is_followed_by_outreach_within_a_business_day():
    assert due("missed-session", At(on(6), SessionMissed(session=SESSION))) == date(2026, 3, 9)


def test_two_sessions_missed_in_a_row_ask_for_a_review_of_the_plan():
    missed = (SessionMissed(session=SESSION), SessionMissed(session=NEXT_SESSION))
    shown = tasks(*missed)
    assert set(shown) == {"missed-session", "plan-review"}
    assert shown["plan-review"].about == (str(SESSION), str(NEXT_SESSION))
    assert set(tasks(*missed, GoalSet(goal=GOAL, description="x"))) == {"missed-session"}


def test_a_session_attended_in_between_begins_the_count_anew():
    came = SessionAttended(session=NEXT_SESSION, minutes=170, lead="clinician:3")
    told = (SessionMissed(session=SESSION), came)
    assert tasks(*told) == {}
    assert set(tasks(*told, SessionMissed(session=THIRD_SESSION))) == {"missed-session"}


def test_a_discharge_into_no_episode_is_taken_up_by_a_person():
    row = tasks(At(on(6), PENDING))["step-down"]
    assert (row.due, row.about, row.priority) == (date(2026, 3, 9), (str(DISCHARGE),), "urgent")
    taken_up = SteppedDown(
        episode=EPISODE, from_level="4", to_level="2.1", edition="3", at="2026-03-03", discharge=DISCHARGE
    )
    assert tasks(PENDING, taken_up) == {}
    assert tasks(PENDING, StepDownReversed(discharge=DISCHARGE, cause="A13")) == {}


def test_a_cancellation_without_its_original_waits_until_the_original_comes():
    no_discharge = ReversalUnmatched(of="discharge", facility=HOSPITAL, visit_number="V-1")
    no_admission = ReversalUnmatched(of="admission", facility=HOSPITAL, visit_number="V-1")
    assert due("unmatched-reversal", At(on(6), no_discharge)) == date(2026, 3, 9)
    assert set(tasks(no_discharge, admission_cancelled())) == {"unmatched-reversal"}
    assert tasks(no_discharge, discharge_cancelled()) == {}
    assert tasks(no_admission, admission_cancelled()) == {}


def test_a_follow_up_is_booked_by_the_end_of_its_window_and_then_kept():
    assert due("book-follow-up", owed()) == date(2026, 3, 10)
    assert due("follow-up-appointment", owed(), BOOKED) == date(2026, 3, 9)
    kept = AftercareAttended(follow_up=FOLLOW_UP, on=date(2026, 3, 9), within_window=True)
    assert tasks(owed(), BOOKED, kept) == {}


def test_a_missed_follow_up_is_reached_out_to_a_business_day_after_each_attempt():
    def tried(attempt: int, day: int) -> OutreachAttempted:
        return OutreachAttempted(
            follow_up=FOLLOW_UP,
            attempt=attempt,
            channel="phone",
            on=date(2026, 3, day),
            result="no-answer",
        )

    missed = (owed(), BOOKED, At(on(9, 12), NO_SHOW))
    assert due("outreach", *missed) == date(2026, 3, 10)
    assert due("outreach", *missed, tried(1, 10)) == date(2026, 3, 11)
    assert due("outreach", *missed, tried(1, 10), tried(2, 13)) == date(2026, 3, 16)
    reached = OutreachAttempted(
        follow_up=FOLLOW_UP, attempt=2, channel="text", on=date(2026, 3, 11), result="reached"
    )
    assert tasks(*missed, tried(1, 10), reached) == {}


def test_a_follow_up_that_nobody_could_be_reached_for_is_escalated():
    told = (
        owed(),
        NO_SHOW,
        OutreachExhausted(follow_up=FOLLOW_UP, attempts=3),
        FollowUpEscalated(follow_up=FOLLOW_UP, to="clinical-lead"),
    )
    row = tasks(*told)["escalated-follow-up"]
    assert row.priority == "urgent"
    assert "7-day follow-up" in row.detail


def test_a_readmission_sets_a_follow_up_aside_until_it_is_cancelled():
    assert tasks(owed(), READMITTED) == {}
    back = tasks(owed(), READMITTED, FollowUpReinstated(follow_up=FOLLOW_UP, admission=READMISSION))
    assert set(back) == {"book-follow-up"}


def test_nothing_is_owed_after_a_discharge_that_was_cancelled():
    superseded = FollowUpSuperseded(follow_up=FOLLOW_UP, cause="discharge-cancelled")
    assert story(owed(), superseded).rows(MODEL) == []


def test_closing_aftercare_closes_every_follow_up_and_nothing_else():
    later = owed("follow-up-30-day", due=date(2026, 4, 2), follow_up=LATER_FOLLOW_UP)
    told = (received(), owed(), later, AftercareClosed(reason="moved"))
    assert set(tasks(*told)) == {"triage"}


@pytest.mark.parametrize(
    "death",
    [
        DeathNotified(facility=HOSPITAL, died="2026-06-01"),
        CareClosedOnDeath(died="2026-06-01"),
        AftercareClosed(reason="died"),
        EpisodeEndedEarly(episode=EPISODE, on=date(2026, 6, 1), reason="died"),
    ],
)
def test_death_takes_every_task_away_and_none_is_shown_again(death: EventData):
    before = (received(), FLAGGED, enrolled(), SessionMissed(session=SESSION), owed())
    late = (received("stat", OTHER_REFERRAL), owed(follow_up=LATER_FOLLOW_UP), FLAGGED)
    assert tasks(*before, death) == {}
    assert tasks(*before, death, *late) == {}


def _shown(*facts: EventData | At) -> list[Task]:
    return [row for row in story(*facts).rows(MODEL) if row.held_for is None]
