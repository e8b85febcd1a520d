from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.hl7v2.error import Hl7Error
from shared.events.base import Coding, Demographics, Identifier
from shared.events.inbound import (
    Admission,
    AdmissionCancellation,
    DemographicsUpdate,
    Discharge,
    DischargeCancellation,
    InboundMessage,
    Referral,
)
from shared.events.referral import Insurance, Referrer
from tests.unit.gateway.messages import PID, PV1, discharge, msh, referral, text
from tests.unit.gateway.translating import NOW, refusal_of, translated


def test_a_discharge_tells_the_stay_and_its_diagnoses_the_principal_one_first():
    message = translated(discharge())
    assert isinstance(message, Discharge)
    assert message.visit.facility == "LAKESIDE"
    assert message.visit.visit_number == "V-778"
    assert message.visit.encounter_class == "IMP"
    assert message.visit.admitted == "2026-02-25T08:30:00-05:00"
    assert message.visit.discharged == "2026-03-03T09:45:00-05:00"
    assert message.visit.disposition == "01"
    assert message.visit.diagnoses == (
        Coding("icd-10-cm", "F10.20", "Alcohol dependence"),
        Coding("icd-10-cm", "F32.2", "Major depressive disorder, severe"),
    )
    assert message.occurred == message.visit.discharged
    assert message.original.trigger == "ADT^A03"
    assert message.original.control_id == "LK-3"
    assert message.original.sent_at == "2026-03-03T10:15:00-05:00"
    assert message.original.text == discharge().decode()
    assert message.original.warnings == ()


def test_a_person_is_read_with_every_identifier_and_its_assigner():
    person = translated(discharge()).person
    assert person.identifiers == (
        Identifier("LAKESIDE", "40071", "MR"),
        Identifier("USSSA", "900-11-2222", "SS"),
    )
    assert person.demographics == Demographics(
        family="Okafor",
        given=("Ngozi", "Ada"),
        birth_date=date(1991, 4, 12),
        sex="female",
        phone="1 814 5550100",
        email="ngozi@example.org",
        address="12 Shore Rd, Apt 4, Erie, PA 16501, USA",
        language="es",
    )
    assert not person.deceased


@pytest.mark.parametrize(
    ("pid", "identifier"),
    [
        ("PID|1||7", Identifier("LAKESIDE", "7", "MR")),
        ("PID|1||7^^^&1.2.3&ISO^PI", Identifier("1.2.3", "7", "PI")),
        ("PID|1||7^^^^MR^NORTH", Identifier("NORTH", "7", "MR")),
        ("PID|1|7^^^OLD", Identifier("OLD", "7", "MR")),
        ("PID|1|||7^^^ALT^MR", Identifier("ALT", "7", "MR")),
        ('PID|1||""~7^^^K', Identifier("K", "7", "MR")),
    ],
)
def test_an_identifier_may_stand_in_pid_3_2_or_4_and_without_assigner_is_the_senders(
    pid: str, identifier: Identifier
):
    assert translated(text(msh("ADT^A08"), pid)).person.identifiers == (identifier,)


@pytest.mark.parametrize(
    ("pid_29_and_30", "deceased"),
    [("|", False), ("|N", False), ("|Y", True), ("20260301|", True), ("20260301|N", False)],
)
def test_death_is_told_by_pid_30_or_by_its_date(pid_29_and_30: str, *, deceased: bool):
    person = translated(text(msh("ADT^A08"), "PID|1||7" + "|" * 26 + pid_29_and_30)).person
    assert person.deceased is deceased
    assert person.died == ("2026-03-01" if "2026" in pid_29_and_30 else None)


def test_a_referral_tells_what_is_asked_by_whom_and_why():
    message = translated(referral())
    assert isinstance(message, Referral)
    assert message.placer == Identifier("LAKEREF", "R-5501", "PLAC")
    assert message.priority == "stat"
    assert message.referral_source == "hospital"
    assert message.service_requested == Coding("HL70281", "PSY", "Psychiatric")
    assert message.referrer == Referrer(
        name="Miriam Weiss", organisation="Lakeside Behavioral Unit", phone="1 814 5550111"
    )
    assert [reason.code for reason in message.reasons] == ["F32.2", "D"]
    assert message.insurance == (
        Insurance(payer="Keystone Mutual", member_id="KM-100200", plan="Keystone Gold"),
    )
    assert message.documents == ("Consult note",)
    assert message.requested_on == "2026-03-02"
    assert message.occurred == "2026-03-03T10:15:00-05:00"


@pytest.mark.parametrize(
    ("rf1", "placer"),
    [
        ("RF1|||||", Identifier("LAKESIDE", "LK-1", "PLAC")),
        ("RF1||||||" + "|" * 4 + "|X-1^^1.2.3^ISO", Identifier("1.2.3", "X-1", "PLAC")),
        ("RF1||||||X-2", Identifier("LAKESIDE", "X-2", "PLAC")),
        ("ZZZ|", Identifier("LAKESIDE", "LK-1", "PLAC")),
    ],
)
def test_the_placers_number_is_rf1_6_else_rf1_11_else_the_control_id(rf1: str, placer: Identifier):
    message = translated(text(msh("REF^I12"), rf1, PID))
    assert isinstance(message, Referral)
    assert message.placer == placer


def test_without_a_referring_provider_the_referring_doctor_of_the_visit_is_meant():
    pv1 = "PV1|1|I||||||77^Adeyemi^Tunde"
    message = translated(text(msh("REF^I12"), "PRD|RT|Else^Someone", PID, pv1))
    assert isinstance(message, Referral)
    assert message.referrer.name == "Tunde Adeyemi"


@pytest.mark.parametrize(
    ("trigger", "kind"),
    [
        ("A01", Admission),
        ("A03", Discharge),
        ("A08", DemographicsUpdate),
        ("A11", AdmissionCancellation),
        ("A13", DischargeCancellation),
    ],
)
def test_the_trigger_is_the_headers_whatever_evn_and_the_structure_say(
    trigger: str, kind: type[InboundMessage]
):
    raw = text(msh(f"ADT^{trigger}^ADT_A99"), "EVN|A40|20260303", PID, PV1)
    assert type(translated(raw)) is kind


def test_an_old_sender_names_the_trigger_in_evn_only():
    assert isinstance(translated(text(msh("ADT", version="2.2"), "EVN|A01|20260303", PID)), Admission)


def test_an_admission_without_a_visit_segment_is_taken():
    message = translated(text(msh("ADT^A01"), PID))
    assert isinstance(message, Admission)
    assert message.visit.facility == "LAKESIDE"
    assert message.occurred == "2026-03-03T10:15:00-05:00"


@pytest.mark.parametrize(
    ("evn", "occurred"),
    [
        ("EVN||20260303100000-0500||||20260303093000-0500", "2026-03-03T09:30:00-05:00"),
        ("EVN||20260303100000-0500", "2026-03-03T10:00:00-05:00"),
        ("EVN|", "2026-03-03T10:15:00-05:00"),
    ],
)
def test_a_change_happened_when_evn_says_else_when_it_was_sent(evn: str, occurred: str):
    assert translated(text(msh("ADT^A08"), evn, PID)).occurred == occurred


def test_without_any_time_a_message_happened_when_it_was_received():
    assert translated(b"MSH|^~\\&|A|B|||||ADT^A01|1|P|2.5\rPID|1||7").occurred == NOW.isoformat()


@pytest.mark.parametrize(
    ("raw", "place", "condition"),
    [
        (text(msh("")), "MSH-9", 101),
        (text(msh("ADT^A01", "")), "MSH-10", 101),
        (text(msh("ADT^A01", version="3.0")), "MSH-12", 203),
        (text(msh("ADT^A01")), "PID", 100),
        (text(msh("ADT^A01"), "PID|1||^^^K^MR||Doe"), "PID-3", 101),
        (text(msh("ADT^A13"), PID, "PV1|1|I"), "PV1-19", 101),
        (text(msh("ADT^A11"), PID), "PV1-19", 101),
        (text(msh("ADT^A08"), "PID|1||7||||12.4.1991"), "PID-7", 102),
        (text(msh("ADT^A03"), PID, "PV1" + "|" * 45 + "soon"), "PV1-45", 102),
        (text(msh("REF^I12"), "RF1" + "|" * 7 + "x", PID), "RF1-7", 102),
    ],
)
def test_a_message_without_what_is_needed_is_refused_by_segment_and_field(
    raw: bytes, place: str, condition: int
):
    refusal = refusal_of(raw)
    assert str(refusal.place) == place
    assert refusal.condition == condition
    assert refusal.rejects is (condition >= 200)


@pytest.mark.parametrize(
    ("kind", "condition", "named"),
    [
        ("ADT^A60", 201, "ADT^A60 is unsupported"),
        ("ORM^O01", 200, "ORM^O01 is unsupported"),
        ("REF^I15^REF_I12", 201, "REF^I15 is unsupported"),
        ("ADT", 201, "ADT without a trigger event is unsupported"),
        ("Ngozi Okafor", 200, "This message type is unsupported"),
    ],
)
def test_any_other_message_is_rejected_by_name(kind: str, condition: int, named: str):
    refusal = refusal_of(text(msh(kind), PID))
    assert refusal.condition == condition
    assert refusal.rejects
    assert refusal.sentence.startswith(named)


def test_what_was_tolerated_is_told_with_the_message():
    raw = text(msh("REF^I12"), "RF1||Z|", "PID|1||7||||1991|Q", "DG1|1|||no code", "DG1|2|I9|300.4|Dysthymia")
    message = translated(raw)
    assert isinstance(message, Referral)
    assert message.reasons == (Coding("icd-9-cm", "300.4", "Dysthymia"),)
    assert set(message.original.warnings) == {
        "RF1-2 is not a code of HL7 table 0280 and was read as routine.",
        "PID-7 names no day and was left out.",
        "PID-8 is not a code of HL7 table 0001 and was left out.",
        "A DG1 without a code in DG1-3 was left out.",
    }


def test_of_two_codings_the_one_that_everybody_knows_is_taken_and_a_deleted_diagnosis_is_not():
    deleted = "DG1|2||F41.1^^I10" + "|" * 18 + "D"
    message = translated(
        text(msh("ADT^A03"), PID, "DG1|1||LOC7^low mood^L^F32.0^Mild depression^I10", deleted)
    )
    assert isinstance(message, Discharge)
    assert message.visit.diagnoses == (Coding("icd-10-cm", "F32.0", "Mild depression"),)


_fields = st.lists(st.text(alphabet='|^~\\&"09FX20260303 ', max_size=12), min_size=1, max_size=50).map(
    "|".join
)


def _taken_or_refused(raw: bytes) -> bool:
    try:
        translated(raw)
    except Hl7Error:
        return False
    return True


@given(st.sampled_from(["A01", "A03", "A08", "A11", "A13"]), _fields, _fields)
def test_any_adt_is_translated_or_refused(trigger: str, pid: str, pv1: str):
    _taken_or_refused(text(msh(f"ADT^{trigger}"), f"PID|1||7|{pid}", f"PV1|{pv1}", f"DG1|{pid}"))


@given(_fields, _fields)
def test_any_referral_is_translated_or_refused(rf1: str, other: str):
    _taken_or_refused(
        text(msh("REF^I12"), f"RF1|{rf1}", f"PRD|RP|{other}", PID, f"IN1|{other}", f"OBX|1|ED|{other}")
    )


def test_an_explicit_null_takes_back_what_was_told():
    pid = 'PID|1||40071^^^LAKESIDE^MR||Okafor^Ngozi||""|""|||""^""^""||""|""|""'
    update = translated(text(msh("ADT^A08"), pid)).person
    assert update.emptied == ("birth_date", "sex", "phone", "email", "address", "language")
    assert update.demographics == Demographics(family="Okafor", given=("Ngozi",))


def test_what_is_empty_or_told_in_another_field_is_not_taken_back():
    pid = 'PID|1||40071^^^LAKESIDE^MR||""||19910412|F|||||""|^WPN^PH^^1^814^5550100'
    update = translated(text(msh("ADT^A08"), pid)).person
    assert update.emptied == ("email",)
    assert update.demographics.phone == "1 814 5550100"
