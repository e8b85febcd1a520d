"""The one table of instruments in LOINC, against the instruments themselves and the published codes."""

from services.gateway.instruments import PANEL_OF_ITEM, PANELS
from services.intake.deciders.instruments import SCALES
from shared.loinc import INSTRUMENTS


def test_every_item_of_an_instrument_has_a_code_and_every_answer_that_it_takes():
    assert set(INSTRUMENTS) == set(SCALES)
    for instrument, scale in SCALES.items():
        codes = INSTRUMENTS[instrument]
        assert tuple(codes.questions) == scale.items
        assert len(codes.answers) == scale.highest + 1
        assert (codes.total is None) == (not scale.bands)
        assert (codes.difficulty is None) == (scale.highest_difficulty is None)


def test_no_item_is_of_two_instruments():
    assert len(PANEL_OF_ITEM) == sum(len(panel.items) for panel in PANELS)


def test_answers_count_from_none_up():
    phq_9, _, c_ssrs = PANELS
    assert (phq_9.answers["LA6568-5"], phq_9.answers["LA6571-9"]) == (0, 3)
    assert (c_ssrs.answers["LA32-8"], c_ssrs.answers["LA33-6"]) == (0, 1)
    assert [panel.is_yes_or_no for panel in PANELS] == [False, False, True]


def test_the_questions_about_suicide_have_their_published_codes():
    assert INSTRUMENTS["PHQ-9"].questions["9"] == "44260-8"
    assert INSTRUMENTS["C-SSRS"].questions["6-recent"] == "93269-9"
