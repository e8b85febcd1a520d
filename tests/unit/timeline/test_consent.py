"""Consents as rows and as FHIR: valid R4, and written so that a sender may send the same back."""

from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace

from services.gateway.fhir.auth import Caller
from services.gateway.fhir.write.consent import notice
from services.gateway.fhir.write.resources import Consent
from services.gateway.fhir.write.scope import Scope
from services.gateway.fhir.write.submission import Submission
from services.timeline.read_models.consent import consent
from services.timeline.read_models.fhir_resource import fhir_resource
from shared.events.base import Identifier, MessageReference
from shared.events.consent import ConsentGranted, ConsentRevoked
from tests.unit.timeline.facts import id_of
from tests.unit.timeline.r4 import Json, expect_valid
from tests.unit.timeline.story import ROBIN, Story, on, story

CONSENT = id_of(0xC1)
MESSAGE = MessageReference(source="general", control_id="M-1", trigger="fhir:Consent", inbound_id="i-1")
GRANTED = ConsentGranted(
    consent=CONSENT,
    recipients=("general", "other"),
    classes=("payer",),
    purpose=("TREAT", "HPAYMT"),
    scope=("Task", "CarePlan"),
    starts="2026-03-02",
    expires="2027-03-02",
    part2=True,
    identifier=Identifier("general-hospital", "FORM-1", "CONS"),
    message=MESSAGE,
)
REVOKED = ConsentRevoked(consent=CONSENT, reason="changed her mind")


def drawn(told: Story) -> tuple[Json, str | None]:
    """Return the Consent, and whose it is."""
    [row] = [row for row in told.rows(fhir_resource()) if row.type == "Consent"]
    resource: Json = msgspec.json.decode(row.resource)
    expect_valid(resource)
    assert row.status == resource["status"]
    return resource, row.sender


def test_a_consent_is_active_until_it_is_revoked():
    active, sender = drawn(story(GRANTED))
    assert (active["status"], active["patient"], sender) == (
        "active",
        {"reference": f"Patient/{ROBIN}"},
        "general",
    )
    ended, sender = drawn(story(GRANTED, REVOKED))
    assert (ended["status"], sender) == ("inactive", "general")
    assert ended["provision"] == active["provision"]


def test_what_is_written_is_read_as_the_same_terms():
    for terms in (GRANTED, replace(GRANTED, part2=False, scope=(), starts=None, counselling_notes=True)):
        resource, _ = drawn(story(terms))
        resource["patient"] = {"identifier": {"system": "urn:x", "value": "1"}}
        submission = Submission(b"{}", Caller("general"), datetime(2026, 3, 3, tzinfo=UTC), Scope())
        told = notice(submission, msgspec.convert(resource, Consent), "Consent")
        read = ConsentGranted(
            consent=CONSENT,
            recipients=told.recipients,
            classes=told.classes,
            purpose=told.purpose,
            scope=told.scope,
            starts=told.starts,
            expires=told.expires,
            part2=told.part2,
            counselling_notes=told.counselling_notes,
            identifier=told.number,
            message=MESSAGE,
        )
        assert read == terms


def test_a_row_has_the_terms_told_last_and_when_they_were_taken_back():
    narrower = replace(GRANTED, recipients=("general",), classes=())
    row = story(GRANTED, narrower, REVOKED).row(consent())
    assert (row.terms, row.recipients) == (narrower, ("name:general",))
    assert (row.granted_at, row.revoked_at) == (on(2).replace(minute=1), on(2).replace(minute=2))
    assert row.reason == "changed her mind"
