from datetime import date
from uuid import UUID

import pytest

from shared.events.assessment import AsamEdition
from shared.events.enrolment import Enrolled, OrientationCompleted
from tests.unit.intake.participant_stories import ENROLMENT, enrol, met, orient

IN_IOP = Enrolled(enrolment=ENROLMENT, program="iop-adult", level="2.1", edition="4", start=date(2026, 3, 9))


def test_a_participant_joins_a_program():
    met().when(enrol()).then(IN_IOP)


def test_a_participant_is_in_a_program_once():
    met(IN_IOP).when(enrol(UUID(int=401))).then_refused("already-enrolled", field="program")


def test_a_participant_may_join_another_program():
    assert met(IN_IOP).when(enrol(UUID(int=401), program="family")).events


def test_the_same_enrolment_again_changes_nothing():
    met(IN_IOP).when(enrol(level="2.5")).then_nothing()


@pytest.mark.parametrize(
    ("edition", "level"), [("3", "2.7"), ("3", "1.5"), ("4", "0.5"), ("4", "3.3"), ("4", "")]
)
def test_a_level_of_another_edition_is_refused(edition: AsamEdition, level: str):
    no = met().when(enrol(edition=edition, level=level)).then_refused("level-unknown", field="level")
    assert "2.1" in no.sentence


def test_orientation_is_completed_once():
    met(IN_IOP).when(orient()).then(OrientationCompleted(enrolment=ENROLMENT))


def test_nobody_is_oriented_in_a_program_that_they_are_not_in():
    met(IN_IOP).when(orient(UUID(int=401))).then_refused("enrolment-unknown", field="enrolment")
