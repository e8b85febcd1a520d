"""The demo's hospital writes messages that the gateway reads as they are meant."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from services.console.demo import hl7
from services.console.demo.cohort import run_token
from services.gateway.hl7v2.conventions import Conventions
from services.gateway.hl7v2.message import parse
from services.gateway.hl7v2.translate import translate
from shared.events.base import Identifier
from shared.events.inbound import Discharge, DischargeCancellation, InboundMessage, Referral

ZONE = ZoneInfo("America/New_York")
THEN = datetime(2026, 3, 3, 9, tzinfo=ZONE)
ANN = hl7.Patient(number="DEMO-X-01", given="Ann", family="Example", birth_date=date(1990, 1, 1), sex="F")
STAY = hl7.Stay(visit_number="V-1", admitted=datetime(2026, 2, 20, 9, tzinfo=ZONE), discharged=THEN)


def read(message: bytes) -> InboundMessage:
    [told] = translate(
        parse(message), source="demo", received=datetime.now(UTC), conventions=Conventions(zone=ZONE)
    )
    return told


def test_a_referral():
    told = read(hl7.referral(ANN, control_id="C-1", placer="R-1", sent=THEN, priority="U"))
    assert isinstance(told, Referral)
    assert told.placer == Identifier(hl7.FACILITY, "R-1", "PLAC")
    assert told.person.identifiers == (Identifier(hl7.FACILITY, "DEMO-X-01", "MR"),)
    assert told.person.demographics.family == "Example"
    assert told.person.demographics.birth_date == date(1990, 1, 1)
    assert (told.priority, told.occurred) == ("urgent", "2026-03-03T09:00:00-05:00")
    assert (told.reasons[0].system, told.reasons[0].code) == ("icd-10-cm", "F33.1")
    assert told.referrer.name == "Robin Example"
    assert told.original.warnings == ()


def test_a_discharge_and_its_cancellation_share_the_visit_number():
    told = read(hl7.discharge(ANN, STAY, control_id="C-2"))
    assert isinstance(told, Discharge)
    assert told.visit.discharged == "2026-03-03T09:00:00-05:00"
    assert told.visit.encounter_class == "IMP"
    back = read(hl7.cancelled_discharge(ANN, STAY, control_id="C-3", sent=THEN))
    assert isinstance(back, DischargeCancellation)
    assert back.visit.visit_number == told.visit.visit_number == "V-1"


def test_two_runs_have_different_tokens():
    first = run_token(datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC))
    assert first != run_token(datetime(2026, 11, 22, 12, 0, 1, tzinfo=UTC))
    assert first.isalnum()
