from msgspec.structs import replace

from shared.events.base import Demographics, Identifier
from shared.events.participant import DemographicsCorrected, IdentifierLinked, ParticipantRegistered
from tests.unit.intake.participant_stories import ADA, DECIDER, MRN, SSN, correct, met, register
from tests.unit.scenario import given

REGISTERED = ParticipantRegistered(demographics=ADA)


def test_a_new_participant_is_registered_with_their_identifiers():
    given(DECIDER).when(register(MRN, SSN)).then(replace(REGISTERED, identifiers=(MRN, SSN)))


def test_an_identifier_named_twice_is_linked_once():
    given(DECIDER).when(register(MRN, MRN)).then(replace(REGISTERED, identifiers=(MRN,)))
    met().when(register(MRN, MRN)).then(IdentifierLinked(identifier=MRN))


def test_a_known_participant_gets_only_what_identifiers_are_new():
    met(IdentifierLinked(identifier=MRN)).when(register(MRN, SSN)).then(IdentifierLinked(identifier=SSN))
    registered = replace(REGISTERED, identifiers=(MRN,))
    given(DECIDER, registered).when(register(MRN, SSN)).then(IdentifierLinked(identifier=SSN))


def test_an_identifier_sent_with_another_type_is_the_same_identifier():
    met(IdentifierLinked(identifier=MRN)).when(register(Identifier("GENERAL", "4711", "PI"))).then_nothing()


def test_registering_again_does_not_touch_demographics():
    met().when(register(demographics=Demographics(family="Byron"))).then_nothing()


def test_demographics_that_differ_are_taken_over_and_absent_ones_stay():
    met().when(correct(Demographics(phone="555-0199"))).then(
        DemographicsCorrected(
            demographics=Demographics(
                family="Lovelace", given=("Ada",), birth_date=ADA.birth_date, phone="555-0199"
            )
        )
    )


def test_what_its_sender_took_back_is_no_longer_held_and_cannot_be_called():
    had = met(DemographicsCorrected(demographics=replace(ADA, phone="555-0199", email="ada@example.org")))
    had.when(correct(Demographics(email="a@example.org"), "phone", "email")).then(
        DemographicsCorrected(demographics=replace(ADA, phone=None, email="a@example.org"))
    )
    had.when(correct(Demographics(), "language")).then_nothing()


def test_demographics_as_known_change_nothing():
    met().when(correct(Demographics(family="Lovelace"))).then_nothing()
    met().when(correct(Demographics())).then_nothing()


def test_demographics_of_somebody_not_registered_are_refused():
    given(DECIDER).when(correct(ADA)).then_refused("participant-unknown")
