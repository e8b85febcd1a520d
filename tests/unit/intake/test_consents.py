"""A participant's consents: granted, revoked, and what is recorded of disclosures under them."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from services.intake.deciders.consent import DECIDER
from shared.commands.consent import (
    GrantConsent,
    RecordDisclosure,
    RecordRefusedDisclosure,
    RevokeConsent,
)
from shared.events.base import Identifier, MessageReference
from shared.events.consent import ConsentGranted, ConsentRevoked, DisclosureMade, DisclosureRefused
from tests.unit.scenario import given

CONSENT, OTHER = UUID(int=1), UUID(int=2)
TODAY, TOMORROW = date(2026, 3, 3), date(2026, 3, 4)
ASKED: dict[str, Any] = {
    "id": UUID(int=900),
    "participant": UUID(int=7),
    "actor": "coordinator:7",
    "now": datetime(2026, 3, 3, 15, tzinfo=UTC),
}
MESSAGE = MessageReference(source="general", control_id="M-1", trigger="fhir:Consent", inbound_id="i-1")
GRANTED = ConsentGranted(consent=CONSENT, recipients=("general",), expires="2027-03-03", part2=True)
REVOKED = ConsentRevoked(consent=CONSENT, reason="changed her mind")


def grant(**more: object) -> GrantConsent:
    asked = GrantConsent(**ASKED, consent=CONSENT, recipients=("general",), expires="2027-03-03", part2=True)
    return replace(asked, **more)


def revoke(consent: UUID = CONSENT) -> RevokeConsent:
    return RevokeConsent(**ASKED, consent=consent, reason="changed her mind")


def disclose(**more: object) -> RecordDisclosure:
    asked = RecordDisclosure(
        **ASKED, consent=CONSENT, recipient="general", kind="Goal", means="fhir-read", day=TODAY
    )
    return replace(asked, **more)


MADE = DisclosureMade(
    recipient="general", kind="Goal", means="fhir-read", purpose="TREAT", consent=CONSENT, day=TODAY
)
WITHHELD = DisclosureRefused(
    recipient="other", kind="Goal", means="fhir-read", purpose="TREAT", because="no-consent", day=TODAY
)


def test_a_consent_is_granted_once():
    given(DECIDER).when(grant()).then(GRANTED)


def test_the_same_terms_in_another_message_are_no_news():
    given(DECIDER, GRANTED).when(grant(message=MESSAGE)).then_nothing()


def test_other_terms_of_the_same_consent_hold_from_then_on():
    given(DECIDER, GRANTED).when(grant(part2=False)).then(replace(GRANTED, part2=False))


def test_a_sender_s_number_of_a_consent_is_kept():
    number = Identifier("general", "C-1", "CONS")
    granted = replace(GRANTED, identifier=number, message=MESSAGE)
    given(DECIDER).when(grant(identifier=number, message=MESSAGE)).then(granted)


@pytest.mark.parametrize(
    ("told", "code", "field"),
    [
        ({"recipients": ()}, "recipient-missing", "recipients"),
        ({"for_purpose": ()}, "purpose-missing", "for_purpose"),
        ({"starts": "2027-03-04"}, "expires-before-start", "expires"),
    ],
)
def test_a_consent_says_to_whom_what_for_and_no_impossible_time(told: dict[str, Any], code: str, field: str):
    given(DECIDER).when(grant(**told)).then_refused(code, field=field)


def test_a_class_is_recipient_enough():
    granted = given(DECIDER).when(grant(recipients=(), classes=("treating-provider",)))
    granted.then(replace(GRANTED, recipients=(), classes=("treating-provider",)))


def test_a_revocation_is_for_good():
    revoked = given(DECIDER, GRANTED).when(revoke()).then(REVOKED)
    revoked.when(grant()).then_refused("consent-revoked")
    revoked.when(grant(consent=OTHER)).then(replace(GRANTED, consent=OTHER))


def test_what_was_not_granted_is_not_revoked():
    given(DECIDER, GRANTED).when(revoke(OTHER)).then_refused("consent-unknown")


def test_a_read_of_a_kind_is_recorded_once_a_day():
    told = given(DECIDER, GRANTED).when(disclose()).then(MADE)
    told.when(disclose(kind="CarePlan")).then(replace(MADE, kind="CarePlan"))
    told.when(disclose()).then_nothing()
    later = told.when(disclose(day=TOMORROW)).then(replace(MADE, day=TOMORROW))
    later.when(disclose()).then_nothing()


def test_every_status_that_is_told_is_recorded_for_itself():
    first: dict[str, Any] = {
        "kind": "Task",
        "means": "referral-status",
        "referral": UUID(int=5),
        "outbound": UUID(int=6),
    }
    made = replace(MADE, **first)
    told = given(DECIDER, GRANTED).when(disclose(**first)).then(made)
    second = {**first, "outbound": UUID(int=8)}
    told.when(disclose(**second)).then(replace(made, outbound=UUID(int=8)))


def test_nothing_is_told_under_a_consent_that_was_revoked_or_never_granted():
    given(DECIDER, GRANTED, REVOKED).when(disclose()).then_refused("consent-not-active", field="consent")
    given(DECIDER).when(disclose()).then_refused("consent-not-active", field="consent")


def test_what_was_disclosed_before_a_revocation_stays_recorded():
    given(DECIDER, GRANTED, MADE).when(revoke()).then(REVOKED).when(revoke()).then_nothing()


def test_what_is_withheld_is_recorded_once_a_day_for_each_reason():
    asked = RecordRefusedDisclosure(
        **ASKED, recipient="other", kind="Goal", means="fhir-read", because="no-consent", day=TODAY
    )
    told = given(DECIDER).when(asked).then(WITHHELD)
    told.when(replace(asked, because="expired")).then(replace(WITHHELD, because="expired"))
