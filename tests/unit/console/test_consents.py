"""`throughcare consent`: how consents are listed."""

from datetime import UTC, datetime

import msgspec

from services.console.commands.consents import _consent, _row  # pyright: ignore[reportPrivateUsage]
from shared.events.consent import ConsentGranted
from tests.unit.timeline.facts import id_of


def test_a_consent_is_one_line_of_the_list():
    terms = ConsentGranted(
        consent=id_of(1), recipients=("general",), classes=("payer",), expires="2027-03-02", part2=True
    )
    row = {
        "consent": id_of(1),
        "terms": msgspec.json.encode(terms).decode(),
        "granted_at": datetime(2026, 3, 2, tzinfo=UTC),
        "revoked_at": datetime(2026, 4, 1, tzinfo=UTC),
        "reason": None,
    }
    told = _consent(dict(row))
    assert told.terms == terms
    assert list(_row(told)) == [
        str(id_of(1)),
        "general, any payer",
        "TREAT",
        "all, with substance use",
        "2027-03-02",
        "2026-04-01",
    ]
