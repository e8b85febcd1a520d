"""PHQ-9, GAD-7 and C-SSRS: totals, bands, what is refused, and who must be seen today."""

import pytest

from shared.commands.intake import DeclineAssessment
from shared.events.assessment import (
    AssessmentCompleted,
    AssessmentCorrected,
    AssessmentDeclined,
    Instrument,
    RiskLevel,
    SuicideRiskFlagged,
    SuicideRiskResolved,
)
from shared.events.base import EventData
from tests.unit.intake.participant_stories import (
    ASKED,
    ASSESSMENT,
    MAR_3,
    answers,
    assess,
    correct_answers,
    met,
    resolve,
)


def completed(
    instrument: Instrument,
    items: dict[str, int],
    *,
    total: int | None = None,
    severity: str | None = None,
    risk: bool = False,
    difficulty: int | None = None,
) -> AssessmentCompleted:
    return AssessmentCompleted(
        assessment=ASSESSMENT,
        instrument=instrument,
        items=items,
        administered_at=MAR_3,
        mode="in-person",
        complete=severity is not None,
        total=total,
        severity=severity,
        flags=("suicide-risk",) if risk else (),
        difficulty=difficulty,
    )


def corrected(
    instrument: Instrument, items: dict[str, int], *, total: int | None, severity: str, risk: bool = False
) -> AssessmentCorrected:
    return AssessmentCorrected(
        assessment=ASSESSMENT,
        instrument=instrument,
        items=items,
        reason="misread",
        total=total,
        severity=severity,
        flags=("suicide-risk",) if risk else (),
    )


def flagged(level: RiskLevel, basis: str) -> SuicideRiskFlagged:
    return SuicideRiskFlagged(level=level, basis=basis, assessment=ASSESSMENT)


def adding_up_to(total: int, items: int) -> dict[str, int]:
    """Return answers 0 to 3 that add up to the total, the first items highest."""
    return answers(*(min(3, max(0, total - 3 * before)) for before in range(items)))


PHQ_9_BANDS = [
    (0, "minimal"),
    (4, "minimal"),
    (5, "mild"),
    (9, "mild"),
    (10, "moderate"),
    (14, "moderate"),
    (15, "moderately severe"),
    (19, "moderately severe"),
    (20, "severe"),
    (24, "severe"),
]


@pytest.mark.parametrize(("total", "severity"), PHQ_9_BANDS)
def test_phq_9_has_these_bands(total: int, severity: str):
    items = adding_up_to(total, 9)
    met().when(assess("PHQ-9", items, total=total)).then(
        completed("PHQ-9", items, total=total, severity=severity)
    )


def test_phq_9_of_27_is_severe():
    items = answers(*[3] * 9)
    met().when(assess("PHQ-9", items)).then(
        completed("PHQ-9", items, total=27, severity="severe", risk=True),
        flagged("moderate", "PHQ-9 item 9 = 3"),
    )


GAD_7_BANDS = [
    (0, "minimal"),
    (4, "minimal"),
    (5, "mild"),
    (9, "mild"),
    (10, "moderate"),
    (14, "moderate"),
    (15, "severe"),
    (21, "severe"),
]


@pytest.mark.parametrize(("total", "severity"), GAD_7_BANDS)
def test_gad_7_has_these_bands(total: int, severity: str):
    items = adding_up_to(total, 7)
    met().when(assess("GAD-7", items, total=total)).then(
        completed("GAD-7", items, total=total, severity=severity)
    )


def test_a_total_that_is_not_the_sum_of_its_items_is_refused():
    no = met().when(assess("GAD-7", answers(*[1] * 7), total=8)).then_refused("total-not-sum", field="total")
    assert no.sentence == "The total 8 is not the sum of the items, which is 7."


def test_a_total_of_items_that_are_not_all_there_is_refused_where_it_was_imputed():
    met().when(assess("GAD-7", answers(1, 1, 1, 1), total=7)).then_refused("total-not-sum", field="total")


@pytest.mark.parametrize("answer", [-1, 4])
def test_an_answer_out_of_range_is_refused(answer: int):
    items = answers(1, 1, answer, 1, 1, 1, 1)
    met().when(assess("GAD-7", items)).then_refused("item-out-of-range", field="items.3")


def test_a_c_ssrs_question_is_answered_with_yes_or_no():
    met().when(assess("C-SSRS", answers(2))).then_refused("item-out-of-range", field="items.1")


@pytest.mark.parametrize(
    ("instrument", "item"), [("PHQ-9", "10"), ("GAD-7", "8"), ("C-SSRS", "7"), ("PHQ-9", "6-recent")]
)
def test_an_item_that_the_instrument_does_not_have_is_refused(instrument: Instrument, item: str):
    met().when(assess(instrument, {"1": 1, item: 1})).then_refused("item-unknown", field=f"items.{item}")


def test_an_assessment_without_any_answer_is_refused():
    met().when(assess("PHQ-9", {})).then_refused("items-missing", field="items")


def test_a_c_ssrs_has_no_total():
    met().when(assess("C-SSRS", answers(1, 0), total=1)).then_refused("total-unknown", field="total")


def test_difficulty_is_recorded_and_not_summed():
    items = answers(*[1] * 8, 0)
    met().when(assess("PHQ-9", items, total=8, difficulty=3)).then(
        completed("PHQ-9", items, total=8, severity="mild", difficulty=3)
    )


def test_difficulty_out_of_range_is_refused():
    met().when(assess("PHQ-9", answers(1), difficulty=4)).then_refused(
        "item-out-of-range", field="difficulty"
    )
    met().when(assess("GAD-7", answers(1), difficulty=1)).then_refused("item-unknown", field="difficulty")


def test_a_missing_answer_makes_it_incomplete_and_is_never_imputed():
    items = answers(3, 3, 3, 3, 3, 3, 3, 3)
    met().when(assess("PHQ-9", items)).then(completed("PHQ-9", items))
    met().when(assess("PHQ-9", items, total=24)).then(completed("PHQ-9", items))


@pytest.mark.parametrize("answer", [1, 2, 3])
def test_any_thought_of_being_better_off_dead_is_flagged(answer: int):
    items = answers(*[0] * 8, answer)
    met().when(assess("PHQ-9", items)).then(
        completed("PHQ-9", items, total=answer, severity="minimal", risk=True),
        flagged("moderate", f"PHQ-9 item 9 = {answer}"),
    )


def test_item_9_is_flagged_though_other_answers_are_missing():
    met().when(assess("PHQ-9", {"9": 1})).then(
        completed("PHQ-9", {"9": 1}, risk=True), flagged("moderate", "PHQ-9 item 9 = 1")
    )


C_SSRS_LEVELS: list[tuple[dict[str, int], str]] = [
    (answers(0, 0, 0, 0, 0, 0), "none"),
    (answers(1, 0, 0, 0, 0, 0), "low"),
    (answers(1, 1, 0, 0, 0, 0), "low"),
    (answers(1, 1, 1, 0, 0, 0), "moderate"),
    (answers(0, 0, 0, 0, 0, 1) | {"6-recent": 0}, "moderate"),
    (answers(1, 1, 0, 1, 0, 0), "high"),
    (answers(1, 1, 1, 1, 1, 0), "high"),
    (answers(0, 0, 0, 0, 0, 1) | {"6-recent": 1}, "high"),
]


@pytest.mark.parametrize(("items", "level"), C_SSRS_LEVELS)
def test_c_ssrs_has_these_levels(items: dict[str, int], level: RiskLevel):
    is_risk = level in {"moderate", "high"}
    expected: list[EventData] = [completed("C-SSRS", items, severity=level, risk=is_risk)]
    expected += [flagged(level, f"C-SSRS {level}")] if is_risk else []
    met().when(assess("C-SSRS", items)).then(*expected)


def test_questions_that_the_c_ssrs_skips_are_not_missing():
    skipped = {"1": 1, "2": 0, "6": 0}
    met().when(assess("C-SSRS", skipped)).then(completed("C-SSRS", skipped, severity="low"))


@pytest.mark.parametrize("items", [{"1": 0, "6": 0}, {"1": 0, "2": 1, "6": 0}, {"1": 0, "2": 0}])
def test_a_c_ssrs_with_a_question_left_open_is_incomplete(items: dict[str, int]):
    met().when(assess("C-SSRS", items)).then(completed("C-SSRS", items))


def test_a_c_ssrs_never_asked_how_recent_is_incomplete_and_flagged_for_what_it_establishes():
    items = answers(0, 0, 0, 0, 0, 1)
    met().when(assess("C-SSRS", items)).then(
        completed("C-SSRS", items, risk=True), flagged("moderate", "C-SSRS moderate")
    )


def test_an_attempt_within_3_months_is_high_whatever_else_was_not_answered():
    met().when(assess("C-SSRS", {"6-recent": 1})).then(
        completed("C-SSRS", {"6-recent": 1}, risk=True), flagged("high", "C-SSRS high")
    )


CALM, LOW_MOOD = answers(*[0] * 9), answers(*[1] * 8, 0)
AT_RISK = answers(*[0] * 8, 1)
FLAGGED = (
    completed("PHQ-9", AT_RISK, total=1, severity="minimal", risk=True),
    flagged("moderate", "PHQ-9 item 9 = 1"),
)


def test_other_answers_under_the_same_assessment_are_a_correction():
    met(completed("PHQ-9", CALM, total=0, severity="minimal")).when(assess("PHQ-9", LOW_MOOD)).then_refused(
        "assessment-recorded", field="assessment"
    )


def test_the_first_answers_told_again_do_not_undo_a_correction():
    met(
        completed("PHQ-9", CALM, total=0, severity="minimal"),
        corrected("PHQ-9", LOW_MOOD, total=8, severity="mild"),
    ).when(assess("PHQ-9", CALM)).then_nothing()


def test_a_correction_is_scored_again():
    met(completed("PHQ-9", CALM, total=0, severity="minimal")).when(correct_answers(LOW_MOOD, total=8)).then(
        corrected("PHQ-9", LOW_MOOD, total=8, severity="mild")
    )


def test_a_correction_that_changes_nothing_is_nothing():
    met(*FLAGGED).when(correct_answers(AT_RISK)).then_nothing()


def test_a_correction_is_refused_as_answers_are():
    met(*FLAGGED).when(correct_answers(CALM, total=3)).then_refused("total-not-sum", field="total")
    met(*FLAGGED).when(correct_answers({"1": 9})).then_refused("item-out-of-range", field="items.1")


def test_what_was_never_recorded_is_not_corrected():
    met().when(correct_answers(CALM)).then_refused("assessment-unknown", field="assessment")


def test_a_correction_may_raise_a_flag():
    met(completed("PHQ-9", CALM, total=0, severity="minimal")).when(correct_answers(AT_RISK)).then(
        corrected("PHQ-9", AT_RISK, total=1, severity="minimal", risk=True),
        flagged("moderate", "PHQ-9 item 9 = 1"),
    )


def test_a_correction_does_not_flag_the_same_level_twice():
    worse = answers(*[0] * 8, 3)
    met(*FLAGGED).when(correct_answers(worse)).then(
        corrected("PHQ-9", worse, total=3, severity="minimal", risk=True)
    )


def test_a_correction_to_a_higher_level_is_flagged_again():
    moderate, high = answers(1, 1, 1, 0, 0, 0), answers(1, 1, 1, 1, 0, 0)
    met(
        completed("C-SSRS", moderate, severity="moderate", risk=True), flagged("moderate", "C-SSRS moderate")
    ).when(correct_answers(high)).then(
        corrected("C-SSRS", high, total=None, severity="high", risk=True), flagged("high", "C-SSRS high")
    )


def test_a_correction_that_takes_the_risk_away_leaves_the_flag_to_a_clinician():
    after = (
        met(*FLAGGED).when(correct_answers(CALM)).then(corrected("PHQ-9", CALM, total=0, severity="minimal"))
    )
    assert after.when(resolve()).events


RESOLVED = SuicideRiskResolved(assessment=ASSESSMENT, clinician="clinician:3", action="safety plan agreed")


def test_a_clinician_says_how_a_risk_was_met():
    met(*FLAGGED).when(resolve()).then(RESOLVED)


def test_a_risk_is_resolved_once():
    met(*FLAGGED, RESOLVED).when(resolve(action="phoned")).then_refused("risk-already-resolved")


def test_a_risk_that_nobody_flagged_is_not_resolved():
    met(completed("PHQ-9", CALM, total=0, severity="minimal")).when(resolve()).then_refused(
        "risk-not-flagged"
    )


def test_declining_twice_in_a_row_is_recorded_once_until_the_instrument_is_answered():
    decline = DeclineAssessment(**ASKED, instrument="PHQ-9", reason="tired")
    declined = AssessmentDeclined(instrument="PHQ-9", reason="tired")
    met().when(decline).then(declined).when(assess("PHQ-9", CALM)).then(
        completed("PHQ-9", CALM, total=0, severity="minimal")
    ).when(decline).then(declined)
