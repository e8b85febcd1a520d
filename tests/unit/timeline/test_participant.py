"""The current care state follows from what happened, in whatever order it was told."""

from datetime import date

import pytest
from msgspec.structs import replace

from services.timeline.read_models.care.state import CareState, Status
from services.timeline.read_models.participant import participant
from shared.events.assessment import AssessmentCorrected, SuicideRiskFlagged, SuicideRiskResolved
from shared.events.base import Demographics, EventData, Identifier
from shared.events.encounter import DeathNotified, TransferNotified
from shared.events.episode import (
    EpisodeCompleted,
    EpisodeEndedEarly,
    EpisodePaused,
    EpisodeResumed,
    StepDownReversed,
    SteppedDown,
    SteppedUp,
)
from shared.events.participant import DemographicsCorrected, IdentifierLinked
from shared.events.plan import GoalAbandoned, GoalAchieved, GoalSet, RelapsePreventionPlanAgreed
from shared.events.referral import (
    ReferralCancellationConfirmed,
    ReferralCompleted,
    ReferralDeclined,
    Waitlisted,
    WaitlistRemoved,
)
from shared.events.session import SessionAttended, SessionCancelled, SessionMissed
from tests.unit.timeline.facts import (
    CSSRS,
    DISCHARGE,
    EPISODE,
    GOAL,
    HOSPITAL,
    LATER_PHQ9,
    NEXT_SESSION,
    OTHER_GOAL,
    OTHER_REFERRAL,
    PHQ9,
    READMISSION,
    REFERRAL,
    SESSION,
    accepted,
    admission_cancelled,
    admitted,
    assessed,
    discharge_cancelled,
    discharged,
    enrolled,
    level_started,
    opened,
    received,
    registered,
    session_on,
)
from tests.unit.timeline.story import SITE, At, on, story

MODEL = participant(SITE)
DIED = DeathNotified(facility=HOSPITAL, died="2026-06-01")
FINISHED = EpisodeCompleted(episode=EPISODE, on=date(2026, 5, 15))
DECLINED = ReferralDeclined(referral=REFERRAL, reason_code="full")


def state(*facts: EventData | At) -> CareState:
    return story(*facts).row(MODEL)


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ((registered(),), "registered"),
        ((received(),), "referred"),
        ((received(), accepted()), "accepted"),
        ((received(), accepted(), Waitlisted(referral=REFERRAL, program="iop")), "waitlisted"),
        (
            (received(), Waitlisted(referral=REFERRAL, program="iop"), WaitlistRemoved(referral=REFERRAL)),
            "accepted",
        ),
        ((received(), DECLINED), "declined"),
        ((received(), ReferralCancellationConfirmed(referral=REFERRAL)), "cancelled"),
        ((received(), ReferralCompleted(referral=REFERRAL)), "referral-completed"),
        ((received(), DECLINED, received(referral=OTHER_REFERRAL)), "referred"),
        ((received(), received(referral=OTHER_REFERRAL), accepted(), DECLINED), "referred"),
        ((received(), accepted(), enrolled()), "enrolled"),
        ((received(), accepted(), enrolled(), opened()), "active"),
        ((opened(), EpisodePaused(episode=EPISODE, reason="x")), "on-hold"),
        ((opened(), EpisodePaused(episode=EPISODE, reason="x"), EpisodeResumed(episode=EPISODE)), "active"),
        ((opened(), FINISHED), "finished"),
        ((opened(), EpisodeEndedEarly(episode=EPISODE, on=date(2026, 4, 1), reason="moved")), "ended-early"),
        ((opened(), FINISHED, received()), "referred"),
        ((opened(), FINISHED, received(), DECLINED), "finished"),
        ((opened(), admitted()), "inpatient"),
        ((opened(), admitted(), discharged()), "active"),
        ((opened(), admitted(encounter_class="AMB")), "active"),
        ((opened(), admitted(), DIED), "deceased"),
        ((opened(), DIED, received()), "deceased"),
    ],
)
def test_one_word_says_where_the_participant_is(facts: tuple[EventData, ...], status: Status):
    assert state(*facts).status == status


def test_a_correction_of_demographics_replaces_the_whole():
    corrected = DemographicsCorrected(demographics=Demographics(family="Sample-Doe", given=("Robin",)))
    row = state(registered(), corrected)
    assert (row.family, row.given, row.phone) == ("Sample-Doe", ("Robin",), None)


def test_an_identifier_linked_twice_is_one():
    link = IdentifierLinked(identifier=Identifier("general-hospital", "MRN-1"))
    other = IdentifierLinked(identifier=Identifier("clinic", "77"))
    assert state(link, other, link).identifiers == ("clinic|77", "general-hospital|MRN-1")
    with_both = replace(registered(), identifiers=(link.identifier, other.identifier))
    assert state(with_both, link).identifiers == ("clinic|77", "general-hospital|MRN-1")


def test_a_discharge_ends_the_stay_and_a_cancelled_one_brings_it_back():
    stay = (admitted("2026-02-20"), discharged("2026-03-03"))
    assert state(*stay).inpatient_facility is None
    assert state(*stay).last_discharge == "2026-03-03"
    back = state(*stay, discharge_cancelled())
    assert (back.inpatient_facility, back.inpatient_since) == (HOSPITAL, "2026-02-20")
    assert back.last_discharge is None


def test_a_discharge_told_before_its_admission_is_one_stay():
    row = state(discharged("2026-03-03"), admitted("2026-02-20"))
    assert row.inpatient_facility is None
    assert [(stay.admitted, stay.discharged) for stay in row.stays] == [("2026-02-20", "2026-03-03")]


def test_an_admission_or_a_discharge_told_anew_is_no_other_stay():
    again = state(admitted("2026-02-20"), admitted("2026-02-21"))
    assert [stay.admitted for stay in again.stays] == ["2026-02-21"]
    left = state(admitted("2026-02-20"), discharged("2026-03-03"), discharged("2026-03-04"))
    assert [(stay.admitted, stay.discharged) for stay in left.stays] == [("2026-02-20", "2026-03-04")]


def test_an_admission_cancelled_did_not_happen():
    readmitted = admitted("2026-03-20", visit="V-2", admission=READMISSION)
    row = state(admitted(), discharged(), readmitted, admission_cancelled(READMISSION, "V-2"))
    assert row.inpatient_facility is None
    assert row.last_discharge == "2026-03-03"


def test_a_discharge_stands_although_its_admission_was_cancelled_until_it_is_as_well():
    told = (admitted(), discharged(), admission_cancelled())
    assert state(*told).last_discharge == "2026-03-03"
    row = state(*told, discharge_cancelled())
    assert (row.last_discharge, row.inpatient_facility, row.stays) == (None, None, [])


def test_a_discharge_without_a_visit_number_ends_the_open_stay_of_its_facility():
    assert state(admitted(), discharged(visit=None)).inpatient_facility is None


def test_a_readmission_is_another_stay():
    row = state(admitted(), discharged(), admitted("2026-03-20", visit="V-2", admission=READMISSION))
    assert (row.inpatient_since, row.last_discharge, len(row.stays)) == ("2026-03-20", "2026-03-03", 2)


def test_a_transfer_to_an_inpatient_ward_begins_a_stay():
    moved = TransferNotified(facility=HOSPITAL, visit_number="V-1", encounter_class="IMP")
    assert state(admitted(encounter_class="AMB")).inpatient_facility is None
    assert state(admitted(encounter_class="AMB"), moved).inpatient_facility == HOSPITAL


def test_the_level_of_care_is_that_of_the_last_step():
    row = state(opened(), level_started("2.1"), _up("2.5", "2026-03-20"))
    assert (row.level, row.level_since) == ("2.5", "2026-03-20")


def test_a_step_told_after_a_later_one_moves_no_level():
    row = state(opened(), level_started("2.1"), _up("2.5", "2026-03-20"), _up("3.1", "2026-03-12"))
    assert row.level == "2.5"


def test_a_reversed_step_down_gives_back_the_level_of_before():
    up, down = _up("3.1", "2026-03-20"), _down_after_discharge("2.1", "2026-03-28")
    assert state(opened(), level_started(), up, down).level == "2.1"
    row = state(opened(), level_started(), up, down, StepDownReversed(discharge=DISCHARGE, cause="A13"))
    assert (row.level, row.level_since) == ("3.1", "2026-03-20")


def test_a_step_down_to_the_level_that_it_was_does_not_begin_it_anew():
    row = state(opened(), level_started(), _down_after_discharge("2.1", "2026-03-28"))
    assert (row.level, row.level_since) == ("2.1", "2026-03-09")


def test_the_end_of_an_episode_ends_its_level_and_its_sessions():
    row = state(opened(), level_started(), session_on(on(10)), FINISHED)
    assert (row.level, row.next_session, row.episode_status, row.end_reason) == (
        None,
        None,
        "finished",
        "completed",
    )


def test_the_highest_open_flag_is_the_risk():
    high = SuicideRiskFlagged(level="high", basis="C-SSRS high", assessment=CSSRS)
    moderate = SuicideRiskFlagged(level="moderate", basis="PHQ-9 item 9 = 1", assessment=PHQ9)
    met = SuicideRiskResolved(assessment=CSSRS, clinician="clinician:3", action="seen")
    assert state(moderate, high).risk_level == "high"
    assert state(moderate, high, met).risk_level == "moderate"
    other = SuicideRiskResolved(assessment=PHQ9, clinician="clinician:3", action="seen")
    assert state(moderate, high, met, other).risk_level is None


def test_the_last_score_is_the_one_administered_last():
    later = assessed(at="2026-03-16", total=7, severity="mild", assessment=LATER_PHQ9)
    row = state(later, assessed(at="2026-03-02"))
    assert row.phq9 is not None
    assert (row.phq9.total, row.phq9.severity, row.phq9.at) == (7, "mild", "2026-03-16")


def test_a_corrected_assessment_replaces_its_own_score_and_no_other():
    correction = AssessmentCorrected(
        assessment=PHQ9, instrument="PHQ-9", items={"1": 0}, reason="misread", total=11, severity="moderate"
    )
    row = state(assessed(), correction)
    assert row.phq9 is not None
    assert row.phq9.total == 11
    newer = state(assessed(), assessed(at="2026-03-16", total=7, assessment=LATER_PHQ9), correction)
    assert newer.phq9 is not None
    assert newer.phq9.total == 7


def test_the_next_session_is_the_earliest_without_a_result():
    planned = (session_on(on(12), NEXT_SESSION), session_on(on(10)))
    assert state(*planned).next_session == on(10)
    assert state(*planned, SessionAttended(session=SESSION, minutes=170, lead="x")).next_session == on(12)
    assert state(*planned, SessionCancelled(session=SESSION, by="program")).next_session == on(12)


def test_sessions_attended_and_missed_are_counted():
    attended = SessionAttended(session=SESSION, minutes=170, lead="x")
    row = state(
        session_on(on(10)), attended, session_on(on(12), NEXT_SESSION), SessionMissed(session=NEXT_SESSION)
    )
    assert (row.sessions_attended, row.sessions_missed, row.next_session) == (1, 1, None)


def test_goals_are_open_until_achieved_or_abandoned():
    goals = (GoalSet(goal=GOAL, description="a"), GoalSet(goal=OTHER_GOAL, description="b"))
    row = state(*goals, GoalAchieved(goal=GOAL), GoalAbandoned(goal=OTHER_GOAL, reason="x"))
    assert (row.goals_open, row.goals_achieved) == (0, 1)


def test_the_relapse_prevention_plan_is_agreed_on_the_day_at_the_site():
    agreed = RelapsePreventionPlanAgreed(warning_signs=("a",), action_steps=("b",))
    row = state(At(on(5), agreed, happened="2026-03-05T03:30:00+00:00"))
    assert row.relapse_plan_agreed == date(2026, 3, 4)


def test_the_row_says_up_to_which_event_it_is():
    row = state(registered(), received(), accepted())
    assert (row.k, row.seq) == (0, 3)


def _up(level: str, at: str) -> SteppedUp:
    return SteppedUp(episode=EPISODE, from_level="2.1", to_level=level, edition="3", at=at)


def _down_after_discharge(level: str, at: str) -> SteppedDown:
    return SteppedDown(
        episode=EPISODE, from_level="4", to_level=level, edition="3", at=at, discharge=DISCHARGE
    )
