import pytest

from shared.commands.intake import ParticipantCommand
from shared.events.assessment import SuicideRiskFlagged, SuicideRiskResolved
from shared.events.base import Demographics
from shared.events.encounter import DeathNotified
from tests.unit.intake.participant_stories import (
    ASSESSMENT,
    DECIDER,
    GENERAL,
    MRN,
    answers,
    assess,
    correct,
    discharge,
    enrol,
    met,
    orient,
    recommend,
    register,
    resolve,
    told_by,
    undo_discharge,
)
from tests.unit.scenario import given

DIED = DeathNotified(facility=GENERAL)

OF_COORDINATORS = [
    assess("GAD-7", answers(1, 1, 1, 1, 1, 1, 1)),
    enrol(),
    orient(),
    recommend(1, 1, 1, 1, 1, 1),
    resolve(),
    correct(Demographics(phone="1")),
]


@pytest.mark.parametrize("command", OF_COORDINATORS, ids=lambda command: type(command).__name__)
def test_nothing_is_recorded_of_somebody_we_never_met(command: ParticipantCommand):
    given(DECIDER).when(command).then_refused("participant-unknown")


@pytest.mark.parametrize(
    "command",
    [*(one for one in OF_COORDINATORS if one != resolve()), register(MRN)],
    ids=lambda command: type(command).__name__,
)
def test_after_death_no_care_is_recorded(command: ParticipantCommand):
    met(DIED).when(command).then_refused("participant-deceased")


def test_after_death_a_late_discharge_and_its_cancellation_are_still_facts():
    assert met(DIED).when(discharge()).events
    assert met(DIED).when(undo_discharge()).events


def test_after_death_what_a_message_says_of_the_person_is_still_taken_over():
    assert met(DIED).when(correct(Demographics(phone="1"), message=told_by(1))).events


def test_after_death_an_open_risk_is_closed():
    flagged = SuicideRiskFlagged(level="high", basis="C-SSRS high", assessment=ASSESSMENT)
    met(flagged, DIED).when(resolve()).then(
        SuicideRiskResolved(assessment=ASSESSMENT, clinician="clinician:3", action="safety plan agreed")
    )
