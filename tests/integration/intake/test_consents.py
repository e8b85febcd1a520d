"""A participant's consent, from a sender's message to what the sender is told."""

from uuid import UUID, uuid4

import msgspec

from services.timeline import queries
from shared.commands.consent import GrantConsent
from shared.commands.intake import MergeParticipants, RequestInformation
from shared.commands.reply import Appended
from shared.disclosure import NOTICE
from shared.events.consent import DisclosureMade, DisclosureRefused
from shared.events.outbound import OutboundEnvelope, ReferralStatus
from tests.integration.intake.conftest import House
from tests.integration.intake.hospital import NOW, Hospital, mrn
from tests.integration.intake.test_messages import referral_of

A, B = mrn("A"), mrn("B")
GENERAL, OTHER = Hospital(), Hospital("other")
WORDS = "Which medication?"


async def ask_back(house: House, who: UUID) -> ReferralStatus:
    """Have the program ask the sender something; returns what the sender is told."""
    asked = RequestInformation(
        id=uuid4(),
        participant=who,
        actor="coordinator:7",
        now=NOW,
        referral=await referral_of(house, who),
        what=WORDS,
    )
    assert isinstance(await house.ask(asked), Appended)
    told = [
        msgspec.json.decode(each.payload, type=OutboundEnvelope).data
        async for each in house.runtime.log.tail("OUTBOUND", f"outbound.{GENERAL.source}.status", 0)
    ]
    assert told[-1].status == "awaiting-information"
    return told[-1]


async def test_without_a_consent_the_sender_is_told_the_status_without_its_words(house: House):
    await house.tell(GENERAL.refers("1", A))
    who = await house.known(A)
    status = await ask_back(house, who)
    assert (status.reason, status.notice, status.withheld) == (None, None, True)
    [refused] = await house.events("consent", who)
    assert isinstance(refused.data, DisclosureRefused)
    assert (refused.data.recipient, refused.data.because) == (GENERAL.source, "no-consent")
    entries = await queries.timeline(house.connection, who)
    assert "Withheld from genhosp" in [entry.title for entry in entries]


async def test_under_a_consent_the_words_go_with_the_notice_and_until_it_is_revoked(house: House):
    await house.tell(GENERAL.consents("C", A))  # before anybody referred the person: it is held
    assert await house.is_held()
    await house.tell(GENERAL.refers("1", A))
    who = await house.known(A)
    status = await ask_back(house, who)
    assert (status.reason, status.notice, status.withheld) == (WORDS, NOTICE, False)
    granted, made = await house.events("consent", who)
    assert isinstance(made.data, DisclosureMade)
    assert made.data.consent == getattr(granted.data, "consent", None)
    await house.tell(GENERAL.consents("C", A, status="inactive"), GENERAL.informs("1", "aspirin"))
    assert (await ask_back(house, who)).withheld
    names = ["ConsentGranted", "DisclosureMade", "ConsentRevoked", "DisclosureRefused"]
    assert await house.told(who, "consent") == names


async def test_a_sender_speaks_only_for_people_of_whom_it_told_us(house: House):
    await house.tell(GENERAL.refers("1", A), OTHER.consents("C", A))
    assert await house.told(await house.known(A), "consent") == []
    [parked] = await house.parked()
    assert parked.reason.startswith("consent-of-another-sender: ")


async def test_a_consent_from_before_a_merge_is_revoked_where_it_stands(house: House):
    await house.tell(GENERAL.refers("1", A), GENERAL.refers("2", B), GENERAL.consents("C", A))
    prior, survivor = await house.known(A), await house.known(B)
    merge = MergeParticipants(
        id=uuid4(), participant=prior, survivor=survivor, actor="coordinator:7", now=NOW
    )
    assert isinstance(await house.ask(merge), Appended)
    await house.tell(GENERAL.consents("C", A, status="inactive"))
    assert await house.told(prior, "consent") == ["ConsentGranted", "ConsentRevoked"]
    assert await house.parked() == []


async def test_a_coordinator_records_a_consent_which_is_listed(house: House):
    await house.tell(GENERAL.refers("1", A))
    who, consent = await house.known(A), uuid4()
    grant = GrantConsent(
        id=uuid4(), participant=who, actor="coordinator:7", now=NOW, consent=consent, recipients=("genhosp",)
    )
    assert isinstance(await house.ask(grant), Appended)
    [row] = await house.connection.fetch("select * from read.consent where participant = $1", who)
    assert (row["consent"], row["recipients"], row["revoked_at"]) == (consent, ["name:genhosp"], None)
    assert (await ask_back(house, who)).reason == WORDS
