"""ADT beyond admission and discharge: transfers, merges, and what a sender's own conventions change."""

from zoneinfo import ZoneInfo

import pytest

from services.gateway.hl7v2.conventions import Conventions
from services.gateway.hl7v2.location import Location, location
from shared.events.base import Identifier
from shared.events.inbound import (
    Admission,
    AdmissionCancellation,
    DemographicsUpdate,
    Discharge,
    DischargeCancellation,
    Merge,
    Transfer,
)
from tests.unit.gateway.messages import PID, PV1, discharge, msh, text
from tests.unit.gateway.translating import refusal_of, told, translated

ZONE = ZoneInfo("America/New_York")
MRG = "MRG|39000^^^LAKESIDE^MR~39001^^^LAKESIDE^MR"


def conventions(**fields: str) -> Conventions:
    overrides = {
        location(field.replace("_", "-")): tuple(map(location, place.split()))
        for field, place in fields.items()
    }
    return Conventions(zone=ZONE, fields=overrides)


@pytest.mark.parametrize(
    ("trigger", "kind"),
    [
        ("A01", Admission),
        ("A04", Admission),
        ("A05", Admission),
        ("A02", Transfer),
        ("A06", Transfer),
        ("A07", Transfer),
        ("A03", Discharge),
        ("A08", DemographicsUpdate),
        ("A28", DemographicsUpdate),
        ("A31", DemographicsUpdate),
        ("A11", AdmissionCancellation),
        ("A38", AdmissionCancellation),
        ("A13", DischargeCancellation),
    ],
)
def test_a_trigger_becomes_its_kind(trigger: str, kind: type):
    assert type(translated(text(msh(f"ADT^{trigger}"), PID, PV1))) is kind


@pytest.mark.parametrize(
    ("trigger", "implied"), [("A05", "PRENC"), ("A06", "IMP"), ("A07", "AMB"), ("A01", "UNK")]
)
def test_where_the_class_is_not_told_the_trigger_tells_it(trigger: str, implied: str):
    silent = getattr(translated(text(msh(f"ADT^{trigger}"), PID)), "visit", None)
    spoken = getattr(translated(text(msh(f"ADT^{trigger}"), PID, "PV1|1|E")), "visit", None)
    assert (getattr(silent, "encounter_class", None), getattr(spoken, "encounter_class", None)) == (
        implied,
        "EMER",
    )


def test_a_transfer_happened_when_the_event_did_and_not_when_the_stay_began():
    message = translated(text(msh("ADT^A02"), "EVN|A02|20260303101400-0500", PID, PV1))
    assert isinstance(message, Transfer)
    assert message.occurred == "2026-03-03T10:14:00-05:00"
    assert (message.location, message.visit.visit_number) == ("3W 301 A", "V-778")


@pytest.mark.parametrize("trigger", ["A11", "A13", "A38"])
def test_a_cancellation_without_a_visit_number_is_an_error_of_the_message(trigger: str):
    refusal = refusal_of(text(msh(f"ADT^{trigger}"), PID, "PV1|1|I"))
    assert (str(refusal.place), refusal.rejects) == ("PV1-19", False)


@pytest.mark.parametrize("trigger", ["A40", "A18", "A34"])
def test_a_merge_names_who_survives_and_whom_it_replaces(trigger: str):
    message = translated(text(msh(f"ADT^{trigger}"), PID, MRG))
    assert isinstance(message, Merge)
    assert message.person.identifiers[0] == Identifier("LAKESIDE", "40071", "MR")
    assert [each.value for each in message.prior] == ["39000", "39001"]


def test_one_message_may_merge_several_pairs():
    raw = text(msh("ADT^A40"), PID, MRG, PID.replace("40071", "40072"), "MRG|39100^^^LAKESIDE")
    merges = told(raw)
    assert [
        (message.person.identifiers[0].value, message.prior[0].value)
        for message in merges
        if isinstance(message, Merge)
    ] == [("40071", "39000"), ("40072", "39100")]


def test_each_record_that_is_given_up_for_one_patient_is_a_merge():
    merges = told(text(msh("ADT^A40"), PID, MRG, "MRG|39100^^^LAKESIDE"))
    assert [
        (message.person.identifiers[0].value, message.prior[0].value)
        for message in merges
        if isinstance(message, Merge)
    ] == [("40071", "39000"), ("40071", "39100")]
    assert str(refusal_of(text(msh("ADT^A40"), PID, MRG, "MRG|")).place) == "MRG(2)-1"


@pytest.mark.parametrize("kind", ["ADT^A08", "ADT^A03", "REF^I12"])
def test_a_second_patient_of_a_message_about_one_is_refused_and_not_passed_over(kind: str):
    refusal = refusal_of(text(msh(kind), "RF1||||||R-1", PID, PV1, PID.replace("40071", "40072")))
    assert (str(refusal.place), refusal.condition, refusal.rejects) == ("PID(2)", 100, False)


def test_an_old_merge_has_its_number_in_mrg_4():
    message = translated(text(msh("ADT^A34"), PID, "MRG||||39000"))
    assert isinstance(message, Merge)
    assert message.prior == (Identifier("LAKESIDE", "39000", "MR"),)


def test_a_merge_that_names_nobody_is_refused():
    assert str(refusal_of(text(msh("ADT^A40"), PID)).place) == "MRG"
    assert str(refusal_of(text(msh("ADT^A40"), PID, "MRG|")).place) == "MRG-1"


def test_an_identifier_without_an_assigner_has_the_agreed_one():
    agreed = Conventions(zone=ZONE, assigner="LAKE-MPI", facility="Lakeside Main")
    message = translated(text(msh("ADT^A40"), "PID|1||40071~77^^^OTHER", "MRG|39000"), agreed)
    assert isinstance(message, Merge)
    assert message.person.identifiers == (Identifier("LAKE-MPI", "40071"), Identifier("OTHER", "77"))
    assert message.prior == (Identifier("LAKE-MPI", "39000"),)


def test_a_visit_without_a_facility_is_at_the_agreed_one():
    agreed = Conventions(zone=ZONE, facility="Lakeside Main")
    for pv1 in ("PV1|1|I", "ZZZ|"):
        message = translated(text(msh("ADT^A01"), PID, pv1), agreed)
        assert isinstance(message, Admission)
        assert message.visit.facility == "Lakeside Main"


def test_a_time_without_an_offset_is_of_the_agreed_zone():
    agreed = Conventions(zone=ZoneInfo("America/Chicago"))
    raw = (
        discharge()
        .replace(b"20260303101500-0500", b"20260303101500")
        .replace(b"-0500|20260303094500-0500", b"|20260303094500")
    )
    assert translated(raw, agreed).occurred == "2026-03-03T09:45:00-06:00"


def test_a_message_that_names_no_character_set_is_read_in_the_agreed_one():
    raw = discharge().replace(b"Okafor", "Łukasz".encode("iso8859-2"))
    agreed = Conventions(zone=ZONE, charset="8859/2")
    assert translated(raw, agreed).person.demographics.family == "Łukasz"


def test_a_sender_may_have_its_visit_number_in_another_field():
    raw = (
        discharge()
        .replace(b"V-778", b"")
        .replace(b"|20260303094500-0500", b"|20260303094500-0500|||||V-99^^^ACC")
    )
    message = translated(raw, conventions(PV1_19="PV1-50"))
    assert isinstance(message, Discharge)
    assert message.visit.visit_number == "V-99"


def test_a_sender_may_have_its_discharge_time_in_another_segment():
    message = translated(discharge(), conventions(PV1_45="EVN-2"))
    assert message.occurred == "2026-03-03T10:14:00-05:00"


def test_of_several_places_the_first_with_a_value_counts():
    message = translated(discharge(), conventions(PV1_19="ZPV-2 PV1-50 PV1-19"))
    assert isinstance(message, Discharge)
    assert message.visit.visit_number == "V-778"
    own = translated(discharge("ZPV|1|Z-5"), conventions(PV1_19="ZPV-2 PV1-19"))
    assert isinstance(own, Discharge)
    assert own.visit.visit_number == "Z-5"


def test_a_field_that_is_elsewhere_and_empty_there_is_empty():
    assert str(refusal_of(text(msh("ADT^A11"), PID, PV1), conventions(PV1_19="PV1-50")).place) == "PV1-19"


def test_a_part_of_a_field_may_be_meant_and_a_segment_may_be_missing():
    message = translated(text(msh("ADT^A11"), PID, "ZPV|x^V-5&V-6"), conventions(PV1_19="ZPV-1.2.2"))
    assert isinstance(message, AdmissionCancellation)
    assert message.visit.visit_number == "V-6"
    assert message.original.text == text(msh("ADT^A11"), PID, "ZPV|x^V-5&V-6").decode()


@pytest.mark.parametrize(
    "wrong", ["", "PV1", "PV1-0", "pv1-19", "PV1-19.", "PV1-19.1.1.1", "PV1_19", "PV1-1234"]
)
def test_a_place_is_written_as_engineers_write_it(wrong: str):
    with pytest.raises(ValueError, match="SEG-FIELD"):
        location(wrong)
    assert location("PV1-3.4") == Location("PV1", 3, 4)
    assert str(location("ZPV-2.1.2")) == "ZPV-2.1.2"
