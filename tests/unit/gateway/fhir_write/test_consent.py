"""What a Consent says to us, and what is refused rather than passed over."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from services.gateway.fhir.auth import Caller
from services.gateway.fhir.outcome import FhirError
from services.gateway.fhir.write.contents import contents
from services.gateway.fhir.write.scope import Entry, Scope
from services.gateway.fhir.write.submission import Submission
from shared.events.base import Identifier
from shared.events.inbound import ConsentNotice, Referral
from tests.unit.gateway.fhir_write.consents import actor, consent, permit, whole
from tests.unit.gateway.fhir_write.resources import Resource, contained_referral

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SYSTEM = "http://hl7.org/fhir/resource-types"


def submission_of(*resources: Resource) -> Submission:
    raws = [msgspec.json.encode(each) for each in resources]
    entries = [
        Entry(each["resourceType"], None, raw, each["resourceType"])
        for each, raw in zip(resources, raws, strict=True)
    ]
    return Submission(raws[0], Caller("general"), NOW, Scope(entries))


def read(resource: Resource) -> ConsentNotice:
    [told] = contents(submission_of(resource))
    assert isinstance(told.message, ConsentNotice)
    return told.message


def test_all_that_a_consent_says_is_taken():
    told = read(whole())
    assert told.number == Identifier("GENERALHOSPITAL-FORMS", "C-1", "CONS")
    assert told.person.identifiers == (Identifier("GENERALHOSPITAL", "100200"),)
    assert (told.status, told.occurred) == ("active", "2026-11-20T10:00:00-05:00")
    assert (told.recipients, told.classes) == (("general",), ("treating-provider",))
    assert (told.purpose, told.scope) == (("TREAT", "HPAYMT"), ("CarePlan",))
    assert (told.starts, told.expires) == ("2026-11-20", "2027-11-20")
    assert (told.part2, told.counselling_notes) == (True, False)
    assert told.original.control_id == "C-1"


def test_without_its_policy_or_a_label_a_consent_is_not_for_substance_use_treatment():
    told = read(consent(policyRule={"coding": [{"code": "OPTIN"}]}))
    assert (told.part2, told.purpose, told.expires) == (False, ("TREAT",), None)


def test_the_permission_may_stand_within_a_denial_of_all_else():
    told = read(consent(provision={"type": "deny", "provision": [permit()], "period": {"end": "2027-01-01"}}))
    assert (told.recipients, told.expires) == (("general",), "2027-01-01")


def test_counselling_notes_are_told_by_their_label():
    told = read(consent(provision=permit(securityLabel=[{"code": "PSYTHPN"}])))
    assert told.counselling_notes


@pytest.mark.parametrize("status", ["inactive", "rejected", "entered-in-error"])
def test_a_consent_that_ended_is_one_taken_back_whatever_else_it_says(status: str):
    told = read(consent(status, provision={"type": "deny"}))
    assert (told.status, told.recipients) == ("inactive", ())
    assert told.number == Identifier("GENERALHOSPITAL-FORMS", "C-1", "CONS")


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"status": "draft"}, "Consent.status"),
        ({"scope": {"coding": [{"code": "research"}]}}, "Consent.scope"),
        ({"patient": None}, "Consent.patient"),
        ({"provision": None}, "Consent.provision"),
        ({"provision": {"type": "deny", "actor": [actor("general")]}}, "Consent.provision"),
        ({"provision": permit(provision=[{"type": "deny"}])}, "Consent.provision"),
        ({"provision": {"provision": [permit(), permit()]}}, "Consent.provision"),
        ({"provision": permit(actor("general", role="CST"))}, "Consent.provision.actor"),
        (
            {"provision": permit(actor("1234567893", "http://hl7.org/fhir/sid/us-npi"))},
            "Consent.provision.actor",
        ),
        ({"provision": permit(code=[{"text": "labs"}])}, "Consent.provision.code"),
        ({"provision": permit(dataPeriod={"start": "2026"})}, "Consent.provision.dataPeriod"),
        ({"provision": permit(data=[{"meaning": "instance"}])}, "Consent.provision.data"),
        ({"provision": permit(action=[{"coding": [{"code": "collect"}]}])}, "Consent.provision.action"),
        ({"provision": permit(securityLabel=[{"code": "HIV"}])}, "Consent.provision.securityLabel"),
        (
            {"provision": permit(securityLabel=[{"code": "MH"}, {"code": "PSYTHPN"}])},
            "Consent.provision.securityLabel",
        ),
        ({"provision": permit(period={"end": "2027"})}, "Consent.provision.period.end"),
        (
            {"provision": permit(**{"class": [{"system": "urn:x", "code": "Task"}]})},
            "Consent.provision.class",
        ),
    ],
)
def test_what_cannot_be_kept_to_is_refused(change: dict[str, Any], where: str):
    told = {name: value for name, value in {**consent(), **change}.items() if value is not None}
    with pytest.raises(FhirError) as refused:
        read(told)
    [issue] = refused.value.issues
    assert issue.expression == (where,)
    assert refused.value.status == 422


def test_beside_a_referral_a_consent_that_cannot_be_taken_is_left_out_with_a_warning():
    submission = submission_of(contained_referral(), consent("draft"))
    [told] = contents(submission)
    assert isinstance(told.message, Referral)
    assert any("Consent.status" in each for each in submission.warnings)


def test_beside_a_referral_a_consent_is_a_message_of_its_own():
    referral, told = contents(submission_of(contained_referral(), consent()))
    assert isinstance(referral.message, Referral)
    assert isinstance(told.message, ConsentNotice)
