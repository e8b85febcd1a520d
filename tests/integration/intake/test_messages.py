"""Every kind of message, from INBOUND into the log, the parked or nowhere."""

from uuid import UUID

import msgspec
import pytest
from prometheus_client import REGISTRY as METRICS

from services.intake.held import Held
from services.intake.policies import InboundPolicy
from services.timeline import queries
from shared.commands.intake import RequestInformation
from shared.eventlog.errors import NotYetError, PolicyRefusedError
from shared.eventlog.policies import Delivery
from shared.events.base import Demographics, Identifier
from shared.events.inbound import InboundEnvelope
from shared.events.outbound import OutboundEnvelope
from shared.events.participant import ParticipantRegistered
from shared.events.referral import ReferralAmended, ReferralReceived
from tests.integration.intake.conftest import House, name_of, until
from tests.integration.intake.hospital import MAR_1, MAR_3, NOW, Hospital, mrn, subject_of

A, B = mrn("A"), mrn("B")
GENERAL = Hospital()


class Stranger(Hospital):
    """Another sender, which names the first one's referrals."""

    def placer(self, number: str) -> Identifier:
        return GENERAL.placer(number)


async def parked_are(house: House, count: int) -> bool:
    return len(await house.parked()) == count


async def referral_of(house: House, who: UUID) -> UUID:
    (event,) = [
        event for event in await house.events("referral", who) if name_of(event) == "ReferralReceived"
    ]
    assert isinstance(event.data, ReferralReceived)
    return event.data.referral


async def by_hand(house: House, envelope: InboundEnvelope) -> None:
    """Handle a message as the first delivery does, here and now."""
    runtime = house.runtime
    policy = InboundPolicy(
        runtime.executor, house.identification, Held(runtime.log), runtime.log, runtime.clock
    )
    await policy(
        Delivery(
            stream="INBOUND",
            sequence=1,
            subject=subject_of(envelope),
            payload=msgspec.json.encode(envelope),
            recorded_at=NOW,
        )
    )


async def test_an_i13_changes_what_is_asked_and_an_i14_asks_to_cancel_it(house: House):
    await house.tell(GENERAL.refers("1", A), GENERAL.amends("1", A), GENERAL.cancels_referral("1", A))
    told = await house.events("referral", await house.known(A))
    assert [name_of(event) for event in told] == [
        "ReferralReceived",
        "ReferralAmended",
        "ReferralCancellationRequested",
    ]
    amended = told[1].data
    assert isinstance(amended, ReferralAmended)
    assert (amended.priority, amended.message and amended.message.trigger) == ("urgent", "REF^I13")


async def test_an_i13_that_overtakes_its_referral_waits_for_it(house: House):
    await house.store(GENERAL.amends("1", A))
    await house.store(GENERAL.refers("1", A))
    await house.settled()
    told = await house.told(await house.known(A), "referral")
    assert told == ["ReferralReceived", "ReferralAmended"]
    assert await house.parked() == []


@pytest.mark.parametrize(
    "message", [GENERAL.amends("9"), GENERAL.cancels_referral("9"), GENERAL.informs("9", "a letter")]
)
async def test_what_is_asked_of_a_referral_that_never_came_says_so(house: House, message: InboundEnvelope):
    """It is tried some times over three seconds, and then parked with this reason."""
    with pytest.raises(NotYetError, match="No referral of this sender has this number") as told:
        await by_hand(house, message)
    assert told.value.tries == 5


async def test_what_is_asked_of_a_referral_that_comes_late_is_seen_by_a_person_and_told_when_it_comes(
    house: House,
):
    await house.store(GENERAL.amends("1", A))
    await house.store(GENERAL.cancels_referral("2"))
    await until(lambda: parked_are(house, 2))
    assert all(entry.reason.startswith("referral-unknown: ") for entry in await house.parked())
    assert not (await house.replay((await house.parked())[0])).done
    await house.tell(GENERAL.refers("3", A), GENERAL.refers("1", A), GENERAL.refers("2"))
    told = await house.told(await house.known(A), "referral")
    assert told == ["ReferralReceived", "ReferralReceived", "ReferralAmended"]
    referred = [name_of(event) for event in await house.events("referral")]
    assert referred.count("ReferralCancellationRequested") == 1
    assert await house.parked() == []
    assert not await house.is_held()


STRANGER = Stranger("stranger")


@pytest.mark.parametrize(
    "asked",
    [STRANGER.amends("1", A), STRANGER.cancels_referral("1", A), STRANGER.informs("1", "a letter")],
    ids=["I13", "I14", "Task"],
)
async def test_only_whoever_sent_a_referral_may_ask_of_it(house: House, asked: InboundEnvelope):
    """Another hospital knows the placer's number, and says that it is the placer."""
    await house.tell(GENERAL.refers("1", A), asked)
    assert await house.told(await house.known(A), "referral") == ["ReferralReceived"]
    (parked,) = await house.parked()
    assert parked.reason.startswith("other-sender: ")
    assert not (await house.replay(parked)).done


@pytest.mark.parametrize(
    "message",
    [GENERAL.refers("1", B, control="again"), GENERAL.amends("1", B), GENERAL.cancels_referral("1", B)],
    ids=["I12", "I13", "I14"],
)
async def test_a_referral_s_number_with_another_patient_s_is_put_before_a_person(
    house: House, message: InboundEnvelope
):
    await house.tell(GENERAL.refers("1", A), GENERAL.refers("2", B), message)
    assert await house.told(await house.known(A), "referral") == ["ReferralReceived"]
    assert await house.told(await house.known(B), "referral") == ["ReferralReceived"]
    (parked,) = await house.parked()
    assert parked.reason.startswith("referral-of-another: ")


async def test_a_referral_that_another_sender_repeats_is_still_answered_to_whoever_sent_it(house: House):
    await house.tell(GENERAL.refers("1", A), STRANGER.refers("1", A))
    who = await house.known(A)
    assert await house.told(who, "referral") == ["ReferralReceived", "ReferralDuplicateDetected"]
    (status, *_) = [
        msgspec.json.decode(each.payload, type=OutboundEnvelope)
        async for each in house.runtime.log.tail("OUTBOUND", "outbound.*.status", 0)
    ]
    assert status.inboundsequence == 1


async def test_the_same_placer_number_of_another_hospital_is_another_referral(house: House):
    other = Hospital("other")
    await house.tell(GENERAL.refers("1", A), other.refers("1", B), other.cancels_referral("1"))
    assert await house.told(await house.known(A), "referral") == ["ReferralReceived"]
    assert "ReferralCancellationRequested" in await house.told(await house.known(B), "referral")


async def test_an_answer_that_was_asked_for_is_received_and_another_one_is_parked(house: House):
    await house.tell(GENERAL.refers("1", A))
    who = await house.known(A)
    await house.ask(
        RequestInformation(
            id=UUID(int=1),
            participant=who,
            actor="coordinator:7",
            now=NOW,
            referral=await referral_of(house, who),
            what="the discharge letter",
        )
    )
    await house.tell(GENERAL.informs("1", "attached"))
    assert (await house.told(who, "referral"))[-1] == "InformationReceived"
    await house.tell(GENERAL.informs("1", "once more"))
    (parked,) = await house.parked()
    assert parked.reason.partition(":")[0]
    assert (await house.told(who, "referral")).count("InformationReceived") == 1


async def test_a_referral_without_any_identifier_is_received_and_found_again_by_its_number(house: House):
    await house.tell(GENERAL.refers("1"), GENERAL.refers("1", control="again"), GENERAL.amends("1"))
    registered = [event for event in await house.events() if name_of(event) == "ParticipantRegistered"]
    assert len(registered) == 1
    told = await house.told(registered[0].subject, "referral")
    assert told == ["ReferralReceived", "ReferralDuplicateDetected", "ReferralAmended"]
    assert isinstance(registered[0].data, ParticipantRegistered)
    assert registered[0].data.identifiers == ()
    assert await house.parked() == []


async def test_a_notice_that_names_nobody_is_parked(house: House):
    await house.tell(GENERAL.discharges("V1"))
    (parked,) = await house.parked()
    assert parked.reason.startswith("person-unnamed: ")


async def test_transfers_and_appointments_elsewhere_are_told_to_the_record(house: House):
    await house.tell(
        GENERAL.refers("1", A),
        GENERAL.admits("V1", A),
        GENERAL.transfers("V1", A),
        GENERAL.books("S1", "booked", A),
        GENERAL.books("S1", "noshow", A),
    )
    told = await house.told(await house.known(A))
    assert told[-4:] == [
        "InpatientAdmissionNotified",
        "TransferNotified",
        "AppointmentNotified",
        "AppointmentNotified",
    ]


async def test_answers_to_an_instrument_are_recorded_and_a_wrong_total_is_parked(house: House):
    await house.tell(GENERAL.refers("1", A), GENERAL.reports(7, A), GENERAL.reports(8, A))
    assert (await house.told(await house.known(A))).count("AssessmentCompleted") == 1
    (parked,) = await house.parked()
    assert "total" in parked.reason


async def test_a_wrong_report_that_was_held_is_parked_and_the_referral_received(house: House):
    await house.tell(GENERAL.reports(8, A), GENERAL.discharges("V1", A), GENERAL.refers("1", A))
    who = await house.known(A)
    assert "DischargeNotified" in await house.told(who)
    assert await house.told(who, "referral") == ["ReferralReceived"]
    (parked,) = await house.parked()
    assert (parked.stream, parked.consumer) == ("INBOUND", "intake")
    assert "total" in parked.reason
    assert not await house.is_held()


async def test_other_results_are_counted_and_nothing_follows(house: House):
    before = METRICS.get_sample_value("throughcare_results_kept_total") or 0
    await house.tell(GENERAL.refers("1", A), GENERAL.reports_potassium(A))
    assert METRICS.get_sample_value("throughcare_results_kept_total") == before + 1
    assert await house.told(await house.known(A)) == ["ParticipantRegistered"]


async def test_demographics_change_no_state(house: House):
    await house.tell(GENERAL.refers("1", A), GENERAL.discharges("V1", A))
    who = await house.known(A)
    before = await queries.care_state(house.connection, who)
    await house.tell(GENERAL.corrects(Demographics(phone="555-0101"), A))
    after = await queries.care_state(house.connection, who)
    assert before is not None
    assert after is not None
    assert (after.phone, after.status, after.stays) == ("555-0101", before.status, before.stays)


async def test_the_same_message_again_is_told_once_and_another_control_id_is_another_message(house: House):
    told = GENERAL.discharges("V1", A)
    await house.tell(GENERAL.refers("1", A), told)
    await house.again(told)
    who = await house.known(A)
    assert (await house.told(who)).count("DischargeNotified") == 1
    later = "2026-03-04T10:00:00-05:00"
    await house.tell(GENERAL.discharges("V1", A, occurred=later, control="2"))
    assert (await house.told(who))[-2:] == ["DischargeCancelled", "DischargeNotified"]


async def test_a_late_message_lands_where_it_happened_and_keeps_when_it_was_recorded(house: House):
    await house.tell(GENERAL.refers("1", A), GENERAL.discharges("V1", A), GENERAL.admits("V1", A))
    entries = await queries.timeline(house.connection, await house.known(A))
    stay = [entry for entry in entries if "Notified" in entry.type]
    assert [entry.happened for entry in stay] == [MAR_1, MAR_3]
    admitted, discharged = stay
    assert admitted.type.endswith("InpatientAdmissionNotified")
    assert admitted.recorded_at > discharged.recorded_at
    state = await queries.care_state(house.connection, await house.known(A))
    assert state is not None
    assert state.inpatient_facility is None


async def test_whatever_the_order_of_a_discharge_and_its_cancellation_it_is_taken_back(house: House):
    await house.tell(GENERAL.refers("1", A), GENERAL.cancels_discharge("V1", A), GENERAL.discharges("V1", A))
    assert (await house.told(await house.known(A)))[-3:] == [
        "ReversalUnmatched",
        "DischargeNotified",
        "DischargeCancelled",
    ]


async def test_what_a_hospital_sends_in_one_go_about_a_person_is_told_in_its_order(house: House):
    people = [mrn(f"P{number}") for number in range(12)]
    await house.tell(*(GENERAL.refers(one.value, one) for one in people))
    for one in people:
        for sent in (GENERAL.discharges(one.value, one), GENERAL.cancels_discharge(one.value, one)):
            await house.store(sent)
    await house.settled()
    for one in people:
        told = await house.told(await house.known(one))
        assert told[-2:] == ["DischargeNotified", "DischargeCancelled"]


async def test_a_refusal_names_its_code_and_nobody(house: House):
    await house.tell(GENERAL.refers("1", A))
    with pytest.raises(PolicyRefusedError) as refused:
        await by_hand(house, GENERAL.reports(8, A))
    assert "Lovelace" not in str(refused.value)
