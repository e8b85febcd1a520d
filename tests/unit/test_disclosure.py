"""Who may be told what, under which consent, at which instant."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from shared.disclosure import (
    Allowed,
    HeldConsent,
    Protection,
    Recipient,
    RecipientClasses,
    Request,
    Withheld,
    disclosure,
    labels_in,
    marks_of,
    protection_of,
)
from shared.events.consent import ConsentGranted
from tests.unit.timeline.facts import id_of

NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2026, 3, 3, 15, tzinfo=UTC)
GENERAL = Recipient("general", frozenset({"treating-provider", "hospital"}))
TERMS = ConsentGranted(consent=id_of(1), recipients=("general",))
ASKED = Request(recipient=GENERAL, kind="Goal")


def why(terms: ConsentGranted, asked: Request = ASKED, *, now: datetime = NOW, revoked: bool = False) -> str:
    """Return why it is withheld; "" where it is allowed under these very terms."""
    match disclosure([HeldConsent(terms, revoked)], asked, now, NEW_YORK):
        case Allowed(under=under):
            assert under == terms
            return ""
        case Withheld(because=because):
            return because


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ({}, ""),
        ({"recipients": ("other",)}, "no-consent"),
        ({"recipients": ("General",)}, "no-consent"),  # a token is a token
        ({"recipients": (), "classes": ("hospital",)}, ""),
        ({"recipients": (), "classes": ("general",)}, "no-consent"),  # a name is no class
        ({"recipients": ("hospital",)}, "no-consent"),  # and a class no name
        ({"purpose": ("HPAYMT",)}, "other-purpose"),
        ({"purpose": ("HPAYMT", "TREAT")}, ""),
        ({"scope": ("Task", "CarePlan")}, "out-of-scope"),
        ({"scope": ("Task", "Goal")}, ""),
        ({"starts": "2026-03-03"}, ""),
        ({"starts": "2026-03-04"}, "not-yet"),
        ({"starts": "2026-03-03T15:00:01Z"}, "not-yet"),
        ({"expires": "2026-03-02"}, "expired"),
        ({"expires": "2026-03-03"}, ""),
        ({"expires": "2026-03-03T15:00:00Z"}, "expired"),
        ({"expires": "2026-03-03T15:00:01Z"}, ""),
        ({"counselling_notes": True}, "out-of-scope"),
    ],
)
def test_a_consent_allows_what_it_says_and_nothing_else(terms: dict[str, Any], expected: str):
    assert why(replace(TERMS, **terms)) == expected


def test_nothing_is_allowed_without_a_consent():
    assert disclosure([], ASKED, NOW, NEW_YORK) == Withheld("no-consent")


def test_a_revoked_consent_allows_nothing():
    assert why(TERMS, revoked=True) == "revoked"


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-03-08T04:59:59+00:00", ""),  # 7 March, the last second in New York
        ("2026-03-08T05:00:00+00:00", "expired"),
        ("2026-03-09T03:59:59+00:00", "expired"),  # the clocks go forward on 8 March
    ],
)
def test_a_consent_expires_when_its_last_day_has_ended_at_the_site(now: str, expected: str):
    assert why(replace(TERMS, expires="2026-03-07"), now=datetime.fromisoformat(now)) == expected


def test_the_last_day_may_be_one_of_twenty_three_hours():
    terms = replace(TERMS, expires="2026-03-08")
    assert why(terms, now=datetime.fromisoformat("2026-03-09T03:59:59+00:00")) == ""
    assert why(terms, now=datetime.fromisoformat("2026-03-09T04:00:00+00:00")) == "expired"


@pytest.mark.parametrize(
    ("labels", "part2", "notes", "expected"),
    [
        ("MH", False, False, ""),
        ("MH", True, False, ""),
        ("SUD", False, False, "part2"),
        ("MH,ETHUD", False, False, "part2"),
        ("MH OPIOIDUD", True, False, ""),
        ("PSYTHPN", False, False, "counselling-notes"),
        ("PSYTHPN", True, False, "counselling-notes"),
        ("PSYTHPN", False, True, ""),
        ("PSYTHPN,SUD", False, True, "part2"),
        ("PSYTHPN,SUD", True, True, ""),
        ("SUD", True, True, "out-of-scope"),  # one for notes is for nothing else
        ("", False, False, ""),
    ],
)
def test_labels_ask_for_more_of_a_consent(labels: str, *, part2: bool, notes: bool, expected: str):
    protection: Protection = protection_of(labels_in(labels))
    terms = replace(TERMS, part2=part2, counselling_notes=notes)
    assert why(terms, replace(ASKED, protection=protection)) == expected


def test_of_several_consents_one_that_allows_it_is_enough():
    several = [
        HeldConsent(replace(TERMS, recipients=("other",))),
        HeldConsent(TERMS, is_revoked=True),
        HeldConsent(replace(TERMS, consent=id_of(2))),
    ]
    assert disclosure(several, ASKED, NOW, NEW_YORK) == Allowed(replace(TERMS, consent=id_of(2)))


def test_the_reason_is_that_of_the_consent_which_comes_nearest():
    several = [
        HeldConsent(replace(TERMS, purpose=("HPAYMT",))),
        HeldConsent(replace(TERMS, recipients=("other",))),
        HeldConsent(TERMS, is_revoked=True),
    ]
    assert disclosure(several, ASKED, NOW, NEW_YORK) == Withheld("other-purpose")


def test_a_consent_is_found_by_the_marks_of_its_recipients():
    terms = replace(TERMS, classes=("payer",))
    assert marks_of(terms) == ("name:general", "class:payer")
    assert GENERAL.marks == ["name:general", "class:hospital", "class:treating-provider"]


def test_classes_are_told_as_pairs():
    classes = RecipientClasses("general=hospital general=treating-provider health=payer")
    assert classes.recipient("general") == GENERAL
    assert classes.recipient("unknown") == Recipient("unknown")
    for wrong in ("general", "=payer", "general="):
        with pytest.raises(ValueError, match="source=class"):
            RecipientClasses(wrong)
