"""DG1 as senders really write it: a diagnosis that is not recognised calls for no follow-up."""

import pytest

from shared.diagnoses import concerns_the_program
from shared.events.base import Coding
from shared.events.inbound import Discharge
from tests.unit.gateway.messages import PID, PV1, msh, text
from tests.unit.gateway.translating import translated


def diagnosed(dg1: str) -> Coding:
    told = translated(text(msh("ADT^A03^ADT_A03"), PID, PV1, dg1))
    assert isinstance(told, Discharge)
    [diagnosis] = told.visit.diagnoses
    return diagnosis


@pytest.mark.parametrize(
    "dg1",
    [
        "DG1|1||F32.2^Severe^I10C",
        "DG1|1||F322^Severe^I10",
        "DG1|1||F32.2^Severe^ICD-10 CM",
        "DG1|1||F32.2^Severe^2.16.840.1.113883.6.90",
        "DG1|1|ICD10|F32.2|Severe",
        "DG1|1|ICD|F32.2|Severe",
        "DG1|1|ICD|F322|Severe",
        "DG1|1||F32.2^Severe",
        "DG1|1||F32.2|Severe",
    ],
)
def test_the_same_diagnosis_in_every_spelling_of_its_system_concerns_the_program(dg1: str):
    assert diagnosed(dg1) == Coding("icd-10-cm", "F32.2", "Severe")
    assert concerns_the_program([diagnosed(dg1)])


@pytest.mark.parametrize(
    ("dg1", "kept"),
    [
        ("DG1|1||296.23^Severe", Coding("local", "296.23", "Severe")),
        ("DG1|1|I9|296.23|Severe", Coding("icd-9-cm", "296.23", "Severe")),
        ("DG1|1||V62.84^Ideation^ICD", Coding("ICD", "V62.84", "Ideation")),
        ("DG1|1||DEP^Depression^99LAKE", Coding("99LAKE", "DEP", "Depression")),
        ("DG1|1||F32.2^Severe^99LAKE", Coding("99LAKE", "F32.2", "Severe")),
    ],
)
def test_what_may_be_of_another_system_stays_as_it_was_sent(dg1: str, kept: Coding):
    assert diagnosed(dg1) == kept
