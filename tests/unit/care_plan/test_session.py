"""Sessions: scheduled, attended, missed, cancelled; the family's part in them."""

from datetime import timedelta

import pytest

from services.care_plan.deciders.care import DECIDER
from shared.commands.care_plan import CancelSession
from shared.events.episode import EpisodeEndedEarly, EpisodePaused
from shared.events.session import (
    FamilyMemberInvolved,
    SessionAttended,
    SessionCancelled,
    SessionMissed,
    SessionType,
)
from tests.unit.care_plan.care_stories import (
    ASKED,
    EPISODE,
    HOUR,
    MAR_9,
    NINE,
    SESSION,
    attend,
    involve,
    miss,
    opened,
    schedule,
    scheduled,
)
from tests.unit.scenario import given

BEFORE_NINE = "2026-03-10T08:59:00+00:00"
ATTENDED = SessionAttended(session=SESSION, minutes=175, lead="clinician:3")
MISSED = SessionMissed(session=SESSION)
CANCELLED = SessionCancelled(session=SESSION, by="program")
MOTHER = FamilyMemberInvolved(session=SESSION, relationship="mother", consent="consent:1")
CANCEL = CancelSession(**ASKED, session=SESSION)


def test_a_session_is_scheduled_in_an_open_episode():
    given(DECIDER, *opened()).when(schedule()).then(scheduled())


def test_a_session_without_an_open_episode_is_refused():
    given(DECIDER).when(schedule()).then_refused("no-open-episode")


def test_a_session_after_the_episode_ended_is_refused():
    ended = EpisodeEndedEarly(episode=EPISODE, on=MAR_9, reason="moved")
    given(DECIDER, *opened(), ended).when(schedule()).then_refused("no-open-episode")


def test_a_session_while_the_episode_is_on_hold_is_refused():
    paused = EpisodePaused(episode=EPISODE, reason="surgery")
    given(DECIDER, *opened(), paused).when(schedule()).then_refused("episode-on-hold")


def test_a_session_before_the_episode_starts_is_refused():
    early = NINE - timedelta(days=9)
    given(DECIDER, *opened()).when(schedule(start=early)).then_refused("before-episode", field="start")


def test_a_session_ends_after_it_starts():
    given(DECIDER, *opened()).when(schedule(end=NINE)).then_refused("end-before-start", field="end")


def test_a_session_without_a_time_zone_is_refused():
    naive = NINE.replace(tzinfo=None)
    given(DECIDER, *opened()).when(schedule(start=naive)).then_refused("no-time-zone", field="start")


@pytest.mark.parametrize(
    ("type", "credential"),
    [
        ("individual", "RN"),
        ("group", "peer"),
        ("family", "CADC"),
        ("medication", "LCSW"),
        ("psychoeducation", "peer"),
        ("skills", "OT"),
        ("social", "volunteer"),
        ("life-skills", ""),
    ],
)
def test_a_lead_without_the_credential_that_the_type_needs_is_refused(type: SessionType, credential: str):
    given(DECIDER, *opened()).when(schedule(type=type, credential=credential)).then_refused(
        "credential-not-sufficient", field="credential"
    )


@pytest.mark.parametrize(
    ("type", "credential"),
    [
        ("individual", "PsyD"),
        ("group", "LMFT"),
        ("family", "lpc"),
        ("medication", "PMHNP"),
        ("psychoeducation", "RN"),
        ("skills", "QMHP"),
        ("social", "Peer"),
        ("vocational", "OT"),
    ],
)
def test_a_lead_with_the_credential_that_the_type_needs_is_taken(type: SessionType, credential: str):
    assert given(DECIDER, *opened()).when(schedule(type=type, credential=credential)).events


def test_a_session_scheduled_again_with_other_details_is_refused():
    given(DECIDER, *opened(), scheduled()).when(schedule(end=NINE + HOUR)).then_refused(
        "session-already-scheduled"
    )


def test_a_session_is_attended():
    given(DECIDER, *opened(), scheduled()).when(attend()).then(ATTENDED)


def test_attended_before_the_scheduled_start_is_refused():
    given(DECIDER, *opened(), scheduled()).when(attend(at=BEFORE_NINE)).then_refused(
        "attended-before-start", field="at"
    )


def test_an_attendance_known_only_to_the_day_is_taken_on_the_sessions_day():
    given(DECIDER, *opened(), scheduled()).when(attend(at="2026-03-10")).then(ATTENDED)


def test_attended_after_a_cancellation_is_refused():
    given(DECIDER, *opened(), scheduled(), CANCELLED).when(attend()).then_refused("session-cancelled")


def test_attended_after_missed_is_refused_and_the_other_way_round():
    given(DECIDER, *opened(), scheduled(), MISSED).when(attend()).then_refused("already-missed")
    given(DECIDER, *opened(), scheduled(), ATTENDED).when(miss()).then_refused("already-attended")


@pytest.mark.parametrize("minutes", [0, -5])
def test_attended_minutes_are_counted_from_one(minutes: int):
    given(DECIDER, *opened(), scheduled()).when(attend(minutes=minutes)).then_refused(
        "minutes-not-positive", field="minutes"
    )


def test_other_minutes_are_a_correction_not_a_second_attendance():
    given(DECIDER, *opened(), scheduled(), ATTENDED).when(attend(minutes=60)).then_refused("already-attended")


def test_a_session_is_missed():
    given(DECIDER, *opened(), scheduled()).when(miss(excused=True)).then(
        SessionMissed(session=SESSION, excused=True)
    )


def test_missed_before_the_scheduled_start_is_refused():
    given(DECIDER, *opened(), scheduled()).when(miss(at=BEFORE_NINE)).then_refused("missed-before-start")


def test_missed_after_a_cancellation_is_refused():
    given(DECIDER, *opened(), scheduled(), CANCELLED).when(miss()).then_refused("session-cancelled")


def test_a_session_is_cancelled():
    given(DECIDER, *opened(), scheduled()).when(CANCEL).then(CANCELLED)


def test_an_attended_or_missed_session_is_not_cancelled():
    given(DECIDER, *opened(), scheduled(), ATTENDED).when(CANCEL).then_refused("already-attended")
    given(DECIDER, *opened(), scheduled(), MISSED).when(CANCEL).then_refused("already-missed")


def test_nothing_is_recorded_on_a_session_that_nobody_scheduled():
    for command in (attend(), miss(), CANCEL, involve()):
        given(DECIDER, *opened()).when(command).then_refused("unknown-session", field="session")


@pytest.mark.parametrize("type", ["individual", "family"])
def test_a_family_member_takes_part_on_the_participants_consent(type: SessionType):
    given(DECIDER, *opened(), scheduled(type)).when(involve()).then(MOTHER)


@pytest.mark.parametrize("consent", [None, "", "  "])
def test_family_involvement_without_consent_is_refused(consent: str | None):
    given(DECIDER, *opened(), scheduled("family")).when(involve(consent=consent)).then_refused(
        "no-consent", field="consent"
    )


def test_a_family_member_takes_no_part_in_a_group():
    given(DECIDER, *opened(), scheduled("group")).when(involve()).then_refused("no-family-session")


def test_a_family_member_takes_no_part_before_the_session_or_after_its_cancellation():
    given(DECIDER, *opened(), scheduled("family")).when(involve(at=BEFORE_NINE)).then_refused(
        "attended-before-start"
    )
    given(DECIDER, *opened(), scheduled("family"), CANCELLED).when(involve()).then_refused(
        "session-cancelled"
    )
