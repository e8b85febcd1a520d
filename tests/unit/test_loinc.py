"""What is rendered in LOINC is what the gateway reads in LOINC."""

from services.gateway.instruments import PANELS
from shared.loinc import INSTRUMENTS


def test_what_we_write_is_what_we_read():
    for panel in PANELS:
        codes = INSTRUMENTS[panel.instrument]
        assert (codes.panel, codes.total, codes.difficulty) == (panel.panel, panel.total, panel.difficulty)
        assert {code: item for item, code in codes.questions.items()} == panel.items
        assert {code: value for value, code in enumerate(codes.answers)} == panel.answers
