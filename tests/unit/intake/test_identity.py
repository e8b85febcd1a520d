from uuid import UUID

from services.intake.deciders.identity import DECIDER
from shared.commands.intake import ClaimIdentifier
from shared.events.identity import IdentifierClaimed
from tests.unit.intake.participant_stories import ASKED, MRN, Asked
from tests.unit.scenario import given

ADA, BEN = ASKED["participant"], UUID(int=2)
CLAIMED = IdentifierClaimed(identifier=MRN, participant=ADA)


def claim(participant: UUID = ADA, referral: UUID | None = None) -> ClaimIdentifier:
    asked: Asked = {**ASKED, "participant": participant}
    return ClaimIdentifier(**asked, key="hmac", identifier=MRN, referral=referral)


def test_the_first_claim_of_an_identifier_wins():
    given(DECIDER).when(claim()).then(CLAIMED)


def test_a_claim_of_the_owner_changes_nothing():
    given(DECIDER, CLAIMED).when(claim()).then_nothing()


def test_an_identifier_of_one_participant_is_not_given_to_another():
    given(DECIDER, CLAIMED).when(claim(BEN)).then_refused("identifier-claimed")


def test_who_lost_a_claim_finds_the_owner_in_the_state():
    assert given(DECIDER, CLAIMED).state.participant == ADA


def test_a_placer_number_belongs_to_one_referral():
    of_one = IdentifierClaimed(identifier=MRN, participant=ADA, referral=UUID(int=5))
    given(DECIDER).when(claim(referral=UUID(int=5))).then(of_one)
    given(DECIDER, of_one).when(claim(referral=UUID(int=6))).then_refused("identifier-claimed")


def test_a_claim_goes_to_the_entity_of_its_key():
    assert (claim().entity, claim().partition_key) == ("hmac", "hmac")
