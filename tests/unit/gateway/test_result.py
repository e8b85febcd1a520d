from collections.abc import Mapping

import pytest

from services.gateway.instruments import PANELS
from shared.events.base import Coding, Identifier
from shared.events.inbound import AssessmentReport, InboundMessage, Referral, ResultReport
from tests.unit.gateway.messages import PID, msh, referral, text
from tests.unit.gateway.translating import refusal_of, told

PHQ_9, GAD_7, C_SSRS = PANELS
OBR = "OBR|1|||44249-1^PHQ-9^LN|||20260302"
OFTEN = ("LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9")


def obx(code: str, value: str, *, kind: str = "NM", status: str = "F") -> str:
    return f"OBX|1|{kind}|{code}^Question^LN||{value}||||||{status}"


def items(panel: Mapping[str, str], value: str = "1^Several days^L") -> list[str]:
    return [obx(code, value, kind="CWE") for code in panel]


def results(*segments: str) -> bytes:
    return text(msh("ORU^R01^ORU_R01"), PID, *segments)


def reports(*segments: str) -> list[AssessmentReport]:
    messages = told(results(*segments))
    assert all(isinstance(message, AssessmentReport) for message in messages)
    return [message for message in messages if isinstance(message, AssessmentReport)]


def only(messages: tuple[InboundMessage, ...]) -> ResultReport:
    [message] = messages
    assert isinstance(message, ResultReport)
    return message


def test_a_phq_9_is_read_item_by_item_with_its_total_and_difficulty():
    answers = [obx(code, OFTEN[number % 4], kind="CWE") for number, code in enumerate(PHQ_9.items)]
    [report] = reports(OBR, *answers, obx("44261-6", "12"), obx("69722-7", "LA6575-0", kind="CWE"))
    assert report.instrument == "PHQ-9"
    assert report.items == {str(number + 1): number % 4 for number in range(9)}
    assert (report.total, report.difficulty) == (12, 2)
    assert report.administered_at == report.occurred == "2026-03-02"
    assert report.original.trigger == "ORU^R01"


def test_the_ninth_item_is_thoughts_of_being_better_off_dead():
    [report] = reports(OBR, obx("44260-8", "2"))
    assert report.items == {"9": 2}


def test_the_c_ssrs_screener_is_yes_or_no():
    [report] = reports(
        "OBR|1|||93373-9^C-SSRS^LN|||20260302",
        obx("93246-7", "LA33-6^Yes^LN", kind="CWE"),
        obx("93247-5", "LA32-8^No^LN", kind="CWE"),
        obx("93267-3", "Y", kind="ST"),
        obx("93269-9", "no", kind="ST"),
        obx("93374-7", "LA9194-7^High^LN", kind="CWE"),
    )
    assert (report.instrument, report.items) == ("C-SSRS", {"1": 1, "2": 0, "6": 1, "6-recent": 0})
    assert report.total is None


def test_gad_7_has_seven_items_and_a_total():
    [report] = reports("OBR|1|||69737-5^GAD-7^LN|||20260302", *items(GAD_7.items), obx("70274-6", "7"))
    assert (report.instrument, len(report.items), report.total) == ("GAD-7", 7, 7)


def test_two_instruments_of_one_message_are_two_assessments():
    found = reports(OBR, *items(PHQ_9.items), "OBR|2|||69737-5^GAD-7^LN|||20260302", *items(GAD_7.items))
    assert [report.instrument for report in found] == ["PHQ-9", "GAD-7"]


def test_the_same_instrument_on_two_days_is_two_assessments():
    found = reports(OBR, *items(PHQ_9.items), OBR.replace("0302", "0201"), *items(PHQ_9.items))
    assert [report.administered_at for report in found] == ["2026-03-02", "2026-02-01"]


def test_a_question_answered_twice_in_one_group_is_of_two_sittings_and_none_is_lost():
    once, twice = items(PHQ_9.items, "1^Several days^L"), items(PHQ_9.items, "0^Not at all^L")
    assert [report.items["9"] for report in reports(OBR, *once, *twice)] == [1, 0]
    assert [
        report.items for report in reports(OBR, obx("44260-8", "3", status="P"), obx("44260-8", "0"))
    ] == [
        {"9": 3},
        {"9": 0},
    ]


def test_a_question_answered_a_thousand_times_is_refused_and_not_compared():
    refusal = refusal_of(results(OBR, *(obx("44260-8", str(number % 4)) for number in range(1_000))))
    assert (str(refusal.place), refusal.rejects) == ("OBR", True)


def test_what_is_told_twice_alike_or_corrected_in_the_same_message_is_one_sitting():
    [report] = reports(OBR, *items(PHQ_9.items), obx("44260-8", "1"))
    assert len(report.items) == 9
    [corrected] = reports(OBR, obx("44250-9", "1"), obx("44260-8", "0"), obx("44260-8", "2", status="C"))
    assert corrected.items == {"1": 1, "9": 2}


def test_questions_ordered_one_by_one_are_one_assessment():
    ordered = [part for code in PHQ_9.items for part in (OBR, obx(code, "1"))]
    [report] = reports(*ordered, OBR, obx("44261-6", "9"))
    assert (len(report.items), report.total) == (9, 9)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("2", "NM"),
        ("2.0", "NM"),
        ("+2", "NM"),
        ("2", "ST"),
        ("LA6570-1", "CWE"),
        ("LA6570-1^More than half the days^LN", "CE"),
        ("2^More than half the days^L", "CWE"),
        ("MHD^More than half^L^LA6570-1^More than half^LN", "CWE"),
    ],
)
def test_an_answer_may_be_a_number_or_a_code(value: str, kind: str):
    [report] = reports(OBR, obx("44250-9", value, kind=kind))
    assert report.items == {"1": 2}


@pytest.mark.parametrize(
    ("line", "taken"),
    [
        (obx("44255-8", ""), {"1": 1}),
        (obx("44255-8", "3", status="X"), {"1": 1}),
        (obx("44255-8", "3", status="W"), {"1": 1}),
        (obx("44255-8", "ASKU^Asked but unknown^NULLFL", kind="CWE"), {"1": 1}),
        (obx("44255-8", "3", status="C"), {"1": 1, "2": 3}),
    ],
)
def test_a_question_that_was_not_answered_is_missing_and_not_guessed(line: str, taken: dict[str, int]):
    [report] = reports(OBR, obx("44250-9", "1"), line)
    assert report.items == taken


@pytest.mark.parametrize("value", ["often", "-1", "1.5", "1234", "LA33-6"])
def test_an_answer_that_cannot_be_read_is_refused_by_its_place(value: str):
    refusal = refusal_of(results(OBR, obx("44250-9", "1"), obx("44260-8", value, kind="ST")))
    assert str(refusal.place) == "OBX(2)-5"
    assert not refusal.rejects
    assert value not in refusal.sentence


def test_an_instrument_is_known_by_the_alternate_code_and_not_by_a_local_one():
    alternate = "OBX|1|NM|Q1^Interest^L^44250-9^Interest^LN||1||||||F"
    local = "OBX|2|NM|44255-8^Not LOINC^L||1||||||F"
    [report] = reports(OBR, alternate, local)
    assert report.items == {"1": 1}


def test_a_total_alone_is_no_assessment():
    report = only(told(results(OBR, obx("44261-6", "17"))))
    assert report.codes == (Coding("loinc", "44249-1", "PHQ-9"),)
    assert report.original.warnings == ("A PHQ-9 score without any answer was not taken as an assessment.",)


def test_any_other_result_is_kept_with_its_codes():
    report = only(told(results("OBR|1|||24357-6^Urinalysis^LN", obx("5778-6", "yellow", kind="ST"))))
    assert report.codes == (Coding("loinc", "24357-6", "Urinalysis"),)
    assert report.person.identifiers[0] == Identifier("LAKESIDE", "40071", "MR")


def test_results_without_a_patient_are_kept_but_no_assessment_is():
    report = only(told(text(msh("ORU^R01"), "OBR|1|||24357-6^Urinalysis^LN")))
    assert report.person.identifiers == ()
    assert report.original.warnings == ("The results name no patient.",)
    assert str(refusal_of(text(msh("ORU^R01"), OBR, obx("44250-9", "1"))).place) == "PID"


def test_results_of_two_patients_are_told_of_each():
    other = PID.replace("40071", "40072")
    messages = told(results(OBR, obx("44250-9", "1"), other, OBR, obx("44250-9", "3")))
    assert [message.person.identifiers[0].value for message in messages] == ["40071", "40072"]
    assert [getattr(message, "items", None) for message in messages] == [{"1": 1}, {"1": 3}]


def test_without_a_time_of_its_own_it_was_answered_when_the_message_was_sent():
    [report] = reports("OBR|1|||44249-1^PHQ-9^LN", obx("44250-9", "1"))
    assert report.administered_at == "2026-03-03T10:15:00-05:00"


@pytest.mark.parametrize(("value", "kind"), [(">^2", "SN"), ("<=^3", "SN"), ("^1^-^2", "SN"), ("0~3", "NM")])
def test_an_answer_that_may_be_several_numbers_is_none(value: str, kind: str):
    refusal = refusal_of(results(OBR, obx("44260-8", value, kind=kind)))
    assert str(refusal.place) == "OBX-5"


@pytest.mark.parametrize("value", ["^2", "=^2"])
def test_a_structured_number_that_is_one_is_read(value: str):
    [report] = reports(OBR, obx("44260-8", value, kind="SN"))
    assert report.items == {"9": 2}


def test_the_answers_that_a_referral_brings_along_are_an_assessment_beside_it():
    sent, report = told(referral(OBR, obx("44260-8", "2")))
    assert isinstance(sent, Referral)
    assert isinstance(report, AssessmentReport)
    assert report.items == {"9": 2}
    assert report.person == sent.person


def test_answers_of_a_referral_whose_patient_has_no_identifier_are_left_out_and_that_is_told():
    without = referral(OBR, obx("44260-8", "2")).replace(
        b"|40071^^^LAKESIDE^MR~900-11-2222^^^USSSA^SS|", b"||"
    )
    [sent] = told(without)
    assert isinstance(sent, Referral)
    assert sent.original.warnings == (
        "The screening answers were left out: their patient has no identifier.",
    )


def test_a_referral_with_an_answer_that_cannot_be_read_is_refused():
    assert str(refusal_of(referral(OBR, obx("44260-8", "often", kind="ST"))).place) == "OBX(2)-5"
