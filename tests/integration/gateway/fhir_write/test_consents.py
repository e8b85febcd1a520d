"""Consents that come by POST and in Bundles are stored, and answered with where they will be."""

from uuid import uuid4

from shared.events.base import Identifier
from shared.events.inbound import ConsentNotice, Referral
from shared.identifiers import consent_id
from tests.integration.gateway.fhir_write.conftest import SECRET, Edge, outcome_of
from tests.unit.gateway.fhir_write.consents import consent
from tests.unit.gateway.fhir_write.resources import bundle, entry, referral_transaction

NUMBER = Identifier("GENERALHOSPITAL-FORMS", "C-1", "CONS")
HERE = consent_id("general", NUMBER, SECRET)


async def test_a_consent_is_stored_and_answered_with_where_it_will_be(edge: Edge):
    answer = await edge.post("/fhir/Consent", consent())
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"].endswith(f"/fhir/Consent/{HERE}")
    [envelope] = await edge.stored()
    assert isinstance(envelope.data, ConsentNotice)
    assert (envelope.data.status, envelope.data.number) == ("active", NUMBER)
    assert envelope.type == "throughcare.inbound.ConsentNotice"


async def test_one_that_ended_is_the_same_consent(edge: Edge):
    answer = await edge.post("/fhir/Consent", consent("inactive"))
    assert answer.status_code == 200, answer.text
    assert answer.headers["location"].endswith(f"/fhir/Consent/{HERE}")


async def test_an_update_has_to_stand_at_the_address_of_its_number(edge: Edge):
    right = await edge.client.put(f"/fhir/Consent/{HERE}", json=consent("inactive", id=str(HERE)))
    assert right.status_code in (200, 503), right.text  # 503: there is no database to look it up in
    other = uuid4()
    wrong = await edge.client.put(f"/fhir/Consent/{other}", json=consent("inactive", id=str(other)))
    assert wrong.status_code in (404, 503), wrong.text


async def test_a_referral_and_its_consent_are_stored_together(edge: Edge):
    told = referral_transaction()
    told["entry"].append(entry(consent(patient={"reference": "Patient/p1"})))
    answer = await edge.post("/fhir", told)
    assert answer.status_code == 200, answer.text
    assert answer.json()["entry"][-1]["response"]["status"] == "201 Created"
    kinds = [type(each.data) for each in await edge.stored()]
    assert kinds.count(Referral) == kinds.count(ConsentNotice) == 1


async def test_a_consent_that_names_nobody_is_refused_with_its_place(edge: Edge):
    answer = await edge.post("/fhir/Consent", consent(provision={"type": "permit"}))
    assert answer.status_code == 422
    assert outcome_of(answer)["expression"] == ["Consent.provision.actor"]
    alone = await edge.post("/fhir", bundle("transaction", entry(consent("draft"))))
    assert outcome_of(alone)["expression"] == ["Bundle.entry[0].resource.status"]
    assert await edge.count() == 0
