from uuid import UUID

from msgspec.structs import replace

from services.intake.deciders.referral import DECIDER
from shared.events.referral import ReferralStatusDelivered
from tests.unit.intake.referral_stories import REFERRAL, WAYS, ask, delivered, reached
from tests.unit.scenario import Given, given

DELIVERED = ReferralStatusDelivered(
    referral=REFERRAL,
    because=UUID(int=101),
    status="accepted",
    to="general-hospital",
    way="mllp",
    answer="AA",
)


def test_that_a_sender_was_told_is_recorded_in_every_status_and_moves_nothing():
    for status in WAYS:
        if status == "draft":
            continue
        before = reached(status)
        after = Given(DECIDER, before).when(delivered()).then(DELIVERED).state
        assert replace(after, delivered=frozenset()) == before


def test_what_a_sender_was_told_again_is_recorded_once():
    told = Given(DECIDER, reached("accepted")).when(delivered()).then(DELIVERED)
    told.when(delivered(answer="CA")).then_nothing()


def test_each_news_is_recorded_for_itself():
    told = Given(DECIDER, reached("accepted")).when(delivered()).then(DELIVERED)
    told.when(delivered(2)).then(replace(DELIVERED, because=UUID(int=102)))


def test_a_delivery_between_does_not_make_a_repeated_command_a_new_one():
    accepted = Given(DECIDER, reached("accepted"))
    accepted.when(delivered()).then(DELIVERED).when(ask("accept")).then_nothing()


def test_nothing_is_delivered_of_a_referral_that_was_not_received():
    given(DECIDER).when(delivered()).then_refused("referral-unknown")
