import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from services.intake.deciders.asam import LEVELS, level_called_for
from shared.commands.intake import RecommendLevelOfCare
from shared.events.assessment import AsamDimension, AsamEdition, LevelOfCareRecommended
from tests.unit.intake.participant_stories import ASKED, met, rated, recommend

RULE = [
    ((0, 0, 0, 0, 0, 0), "0.5", "1.0"),
    ((0, 0, 1, 0, 0, 0), "1", "1.5"),
    ((0, 0, 2, 0, 0, 0), "1", "1.5"),
    ((0, 0, 2, 0, 2, 0), "2.1", "2.1"),
    ((0, 0, 0, 0, 3, 0), "2.1", "2.1"),
    ((0, 0, 0, 3, 3, 0), "2.5", "2.5"),
    ((0, 0, 3, 0, 0, 0), "2.5", "2.7"),
    ((0, 0, 0, 0, 4, 0), "3.5", "3.5"),
    ((3, 0, 3, 0, 0, 0), "3.7", "3.7"),
    ((0, 4, 0, 0, 0, 0), "4", "4"),
    ((0, 0, 0, 0, 0, 4), "3.5", "1.0"),
]


@pytest.mark.parametrize(("severities", "third", "fourth"), RULE)
def test_the_six_dimensions_call_for_a_level(severities: tuple[int, ...], third: str, fourth: str):
    levels: dict[AsamEdition, str] = {"3": third, "4": fourth}
    for edition, level in levels.items():
        met().when(recommend(*severities, edition=edition)).then(
            LevelOfCareRecommended(edition=edition, dimensions=rated(*severities), level=level)
        )


@for_any(
    edition=st.sampled_from(["3", "4"]),
    severities=st.lists(st.integers(0, 3), min_size=6, max_size=6),
    worse=st.integers(0, 5),
)
def test_a_higher_severity_never_calls_for_a_lower_level(
    edition: AsamEdition, severities: list[int], worse: int
):
    raised = [severity + (place == worse) for place, severity in enumerate(severities)]
    before, after = (level_called_for(edition, rated(*each)) for each in (severities, raised))
    assert LEVELS[edition].index(after) >= LEVELS[edition].index(before)


def test_a_clinician_overrides_with_a_reason():
    met().when(
        recommend(0, 0, 2, 0, 2, 0, level="2.5", overridden_by="clinician:3", reason="lives alone")
    ).then(
        LevelOfCareRecommended(
            edition="3",
            dimensions=rated(0, 0, 2, 0, 2, 0),
            level="2.5",
            overridden_by="clinician:3",
            reason="lives alone",
        )
    )


def test_an_override_needs_a_level_somebody_and_a_reason():
    zeros = (0, 0, 0, 0, 0, 0)
    met().when(recommend(*zeros, level="2.1")).then_refused("override-incomplete", field="overridden_by")
    met().when(recommend(*zeros, level="2.1", overridden_by="c")).then_refused(
        "override-incomplete", field="reason"
    )
    met().when(recommend(*zeros, overridden_by="c", reason="r")).then_refused(
        "override-incomplete", field="level"
    )


def test_an_override_to_a_level_that_the_edition_does_not_have_is_refused():
    met().when(recommend(0, 0, 0, 0, 0, 0, level="2.7", overridden_by="c", reason="r")).then_refused(
        "level-unknown", field="level"
    )


def test_each_dimension_is_rated_once():
    met().when(recommend(1, 1, 1, 1, 1)).then_refused("dimension-not-once", field="dimensions.6")
    met().when(recommend(1, 1, 1, 1, 1, 1, 1)).then_refused("dimension-unknown", field="dimensions.7")
    twice = (*rated(1, 1, 1, 1, 1, 1), AsamDimension(number=2, severity=1))
    met().when(RecommendLevelOfCare(**ASKED, edition="3", dimensions=twice)).then_refused(
        "dimension-not-once", field="dimensions.2"
    )


def test_a_severity_is_0_to_4():
    met().when(recommend(1, 1, 5, 1, 1, 1)).then_refused("severity-out-of-range", field="dimensions.3")


def test_the_order_in_which_dimensions_are_given_does_not_matter():
    command = RecommendLevelOfCare(**ASKED, edition="3", dimensions=rated(0, 1, 2, 0, 0, 0)[::-1])
    met().when(command).then(
        LevelOfCareRecommended(edition="3", dimensions=rated(0, 1, 2, 0, 0, 0), level="1")
    )
