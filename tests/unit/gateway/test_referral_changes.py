from shared.events.base import Coding, Identifier
from shared.events.inbound import Amendment, Cancellation, Referral
from tests.unit.gateway.messages import PID, msh, referral, text
from tests.unit.gateway.translating import refusal_of, translated

RF1 = "RF1|P|S|||O|R-5501^LAKEREF"


def test_an_amendment_says_only_what_it_changes():
    message = translated(text(msh("REF^I13^REF_I12"), RF1, PID))
    assert isinstance(message, Amendment)
    assert message.placer == Identifier("LAKEREF", "R-5501", "PLAC")
    assert message.priority == "stat"
    assert (message.referrer, message.service_requested, message.reasons, message.insurance) == (None,) * 4


def test_an_amendment_may_change_everything():
    message = translated(referral().replace(b"REF^I12^", b"REF^I13^"))
    assert isinstance(message, Amendment)
    assert message.referrer is not None
    assert message.referrer.organisation == "Lakeside Behavioral Unit"
    assert message.service_requested == Coding("HL70281", "PSY", "Psychiatric")
    assert message.reasons is not None
    assert message.reasons[0].code == "F32.2"
    assert message.insurance is not None
    assert message.insurance[0].member_id == "KM-100200"


def test_a_cancellation_names_the_referral_and_why():
    rf1 = RF1 + "||||||||Admitted elsewhere"
    message = translated(text(msh("REF^I14^REF_I12"), rf1, PID))
    assert isinstance(message, Cancellation)
    assert message.placer == Identifier("LAKEREF", "R-5501", "PLAC")
    assert message.reason == "Admitted elsewhere"


def test_a_change_without_the_referrals_number_is_refused():
    for trigger in ("I13", "I14"):
        assert str(refusal_of(text(msh(f"REF^{trigger}"), "RF1|P", PID)).place) == "RF1-6"


def test_a_referral_is_received_although_its_patient_has_no_identifier():
    message = translated(text(msh("REF^I12"), RF1, "PID|1||||Okafor^Ngozi||19910412"))
    assert isinstance(message, Referral)
    assert message.person.identifiers == ()
    assert message.person.demographics.family == "Okafor"


def test_a_referral_without_a_patient_is_refused():
    assert str(refusal_of(text(msh("REF^I12"), RF1)).place) == "PID"
