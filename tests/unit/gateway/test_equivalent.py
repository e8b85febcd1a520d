import pytest

from services.gateway.equivalent import type_of
from services.gateway.hl7v2.message import parse
from tests.unit.gateway.messages import PID, PV1, discharge, msh, referral, text
from tests.unit.gateway.translating import translated

CHANGED = referral().replace(b"REF^I12", b"REF^I13")
WITHDRAWN = referral().replace(b"REF^I12", b"REF^I14")
STAYS = ("A01", "A02", "A08", "A11", "A13", "A40")


@pytest.mark.parametrize(
    "raw",
    [
        referral(),
        CHANGED,
        WITHDRAWN,
        discharge(),
        *(text(msh(f"ADT^{trigger}"), PID, PV1, "MRG|40072^^^LAKESIDE^MR") for trigger in STAYS),
    ],
    ids=lambda raw: parse(raw).kind[1],
)
def test_what_another_way_says_counts_as_the_hl7_v2_message_that_says_the_same(raw: bytes):
    assert type_of(translated(raw)) == parse(raw).kind
