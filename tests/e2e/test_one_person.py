"""Two records of one person: merged by their hospital while one is in care, and parted again."""

from collections.abc import AsyncGenerator

import pytest

from services.timeline import queries
from shared.events.episode import StepDownPending, StepDownReversed, SteppedDown
from tests.e2e.coordinator import set_goal
from tests.e2e.deployment import Deployment
from tests.e2e.hospital import Patient
from tests.e2e.people import (
    asked,
    booked,
    come_to_a_session,
    end,
    enrol,
    enrolment,
    owed_after,
    part,
    refused_as_deceased,
    seen_again,
    sent,
    standing,
    steps,
)

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(autouse=True)
async def verified(deployment: Deployment) -> AsyncGenerator[None]:
    """Expect the read models to be what the log makes them; the next test may go on then."""
    yield
    await deployment.caught_up()
    assert await deployment.differences() == []
    deployment.is_sound = True


async def test_a_discharge_of_the_survivor_steps_down_the_care_of_the_prior_until_they_are_parted(
    deployment: Deployment,
) -> None:
    old, new = Patient(), Patient()
    prior, survivor = await deployment.registered(old), await deployment.registered(new)
    await enrol(deployment, prior)
    await sent(deployment, old.merged_into(new))
    assert await standing(deployment, survivor) == ("active", 0, [])

    async with deployment.database() as connection:
        assert await queries.record_in_care(connection, survivor) == prior

    await sent(deployment, new.discharge())
    assert await steps(deployment, prior) == [SteppedDown]
    assert await standing(deployment, survivor) == await standing(deployment, prior) == ("active", 2, [])

    await sent(deployment, new.discharge_cancelled())
    assert await steps(deployment, prior) == [SteppedDown, StepDownReversed]
    assert await standing(deployment, survivor) == ("inpatient", 0, [])

    await sent(deployment, new.discharge(2))
    await part(deployment, prior)
    assert await steps(deployment, prior) == [SteppedDown, StepDownReversed, SteppedDown, StepDownReversed]
    assert await steps(deployment, survivor) == [StepDownPending]
    assert await standing(deployment, prior) == ("active", 0, [])
    async with deployment.database() as connection:
        assert await queries.record_in_care(connection, survivor) == survivor
    assert (await standing(deployment, survivor))[1:] == (2, ["step-down"])


async def test_what_was_pending_in_one_record_waits_for_nobody_while_another_is_in_care(
    deployment: Deployment,
) -> None:
    old, new = Patient(), Patient()
    prior, survivor = await deployment.registered(old), await deployment.registered(new)
    await enrol(deployment, prior)
    await sent(deployment, new.discharge())
    assert (await standing(deployment, survivor))[1:] == (2, ["step-down"])
    await sent(deployment, old.merged_into(new))
    assert await standing(deployment, survivor) == ("active", 2, [])
    await part(deployment, prior)
    assert (await standing(deployment, survivor))[1:] == (2, ["step-down"])


async def test_a_session_in_the_priors_care_keeps_what_the_survivors_discharge_owes(
    deployment: Deployment,
) -> None:
    old, new = Patient(), Patient()
    prior, survivor = await deployment.registered(old), await deployment.registered(new)
    await enrol(deployment, prior)
    await sent(deployment, new.discharge())
    await sent(deployment, old.merged_into(new))
    assert (await standing(deployment, survivor))[1] == 2
    await come_to_a_session(deployment, prior)
    assert (await standing(deployment, survivor))[1] == 0


async def test_a_readmission_told_of_the_survivor_supersedes_what_the_prior_is_owed(
    deployment: Deployment,
) -> None:
    old, new = Patient(), Patient()
    prior, survivor = await deployment.registered(old), await deployment.registered(new)
    await sent(deployment, old.discharge())
    await sent(deployment, old.merged_into(new))
    assert (await standing(deployment, survivor))[1] == 2
    await sent(deployment, new.readmission())
    assert (await standing(deployment, survivor))[:2] == ("inpatient", 0)
    assert (await standing(deployment, prior))[:2] == ("inpatient", 0)


async def test_two_records_in_care_ask_a_person_to_end_one_and_show_the_one_that_is_left(
    deployment: Deployment,
) -> None:
    old, new = Patient(), Patient()
    prior, survivor = await deployment.registered(old), await deployment.registered(new)
    await enrol(deployment, prior)
    await enrol(deployment, survivor)
    await sent(deployment, old.merged_into(new))
    assert await standing(deployment, survivor) == ("active", 0, ["two-episodes"])
    await end(deployment, prior)
    assert await standing(deployment, survivor) == ("active", 0, [])


async def test_of_discharges_in_two_records_the_last_counts_while_they_are_one_persons(
    deployment: Deployment,
) -> None:
    old, new = Patient(), Patient()
    prior, survivor = await deployment.registered(old), await deployment.registered(new)
    await sent(deployment, old.told("A03", 1, day=25, left=20), new.told("A03", 1, day=9, left=5))
    assert (await standing(deployment, prior))[1] == (await standing(deployment, survivor))[1] == 2
    await sent(deployment, old.merged_into(new))
    assert await owed_after(deployment, survivor, left=5) == (await standing(deployment, survivor))[1] == 2
    await sent(deployment, old.told("A03", 2, day=4, left=2))
    assert await owed_after(deployment, survivor, left=2) == (await standing(deployment, survivor))[1] == 2
    await part(deployment, prior)
    assert await owed_after(deployment, prior, left=20) == (await standing(deployment, prior))[1] == 2


async def test_one_stay_told_under_two_numbers_is_followed_up_once(deployment: Deployment) -> None:
    old, new = Patient(), Patient()
    prior, survivor = await deployment.registered(old), await deployment.registered(new)
    await enrol(deployment, prior)
    await sent(deployment, old.told("A03", 1, day=9, left=5), new.told("A03", 1, day=9, left=5))
    await sent(deployment, old.merged_into(new))
    assert (await standing(deployment, survivor))[1] == 2


async def test_an_admission_cancelled_after_a_merge_takes_everything_of_the_stay_back(
    deployment: Deployment,
) -> None:
    old, new = Patient(), Patient()
    prior, survivor = await deployment.registered(old), await deployment.registered(new)
    await enrol(deployment, prior)
    await sent(
        deployment,
        old.told("A01", 1, day=9),
        old.told("A03", 1, day=9, left=5),
        old.told("A13", 1, day=9),
        old.told("A03", 1, day=9, left=4),
    )
    assert await standing(deployment, prior) == ("active", 2, [])
    await sent(deployment, old.merged_into(new), new.told("A11", 1, day=9, of=old))
    assert await standing(deployment, survivor) == ("active", 0, [])
    assert await steps(deployment, prior) == 2 * [SteppedDown, StepDownReversed]


async def test_a_death_told_of_one_record_leaves_nothing_to_do_in_the_others_until_they_are_parted(
    deployment: Deployment,
) -> None:
    old, new = Patient(), Patient()
    prior, survivor = await deployment.registered(old), await deployment.registered(new)
    await enrol(deployment, prior)
    await sent(deployment, old.told("A03", 1, day=9, left=5), old.merged_into(new))
    assert await standing(deployment, survivor) == ("active", 2, [])

    await sent(deployment, new.died())
    assert await standing(deployment, survivor) == ("deceased", 0, [])
    await refused_as_deceased(deployment, set_goal(prior))
    await refused_as_deceased(deployment, await booked(deployment, prior))
    await sent(deployment, new.told("A03", 2, day=4, left=1))
    assert await steps(deployment, prior) == [SteppedDown]

    await part(deployment, prior)
    assert (await standing(deployment, prior))[:2] == ("active", 2)
    await asked(deployment, await booked(deployment, prior))


async def test_a_record_of_somebody_who_died_takes_no_care_once_it_is_merged(deployment: Deployment) -> None:
    unnamed, known = Patient(), Patient()
    prior, survivor = await deployment.registered(unnamed), await deployment.registered(known)
    await enrol(deployment, survivor)
    await sent(deployment, unnamed.died(), unnamed.merged_into(known))
    assert (await standing(deployment, survivor))[:2] == ("deceased", 0)
    await refused_as_deceased(deployment, set_goal(survivor))
    await refused_as_deceased(deployment, enrolment(survivor))
    await part(deployment, prior)
    await asked(deployment, set_goal(survivor))


async def test_a_policy_that_sees_everything_again_after_another_merge_changes_nothing(
    deployment: Deployment,
) -> None:
    old, new = Patient(), Patient()
    prior, survivor = await deployment.registered(old), await deployment.registered(new)
    await enrol(deployment, prior)
    await sent(deployment, old.told("A03", 1, day=25, left=20), old.merged_into(new))
    await sent(deployment, new.told("A03", 1, day=9, left=5))
    await part(deployment, prior)
    await sent(deployment, old.merged_into(new))
    stood = await standing(deployment, survivor)
    told = len((await deployment.held()).events)
    await seen_again(deployment, prior, survivor)
    assert [type(event.data) for _, event in (await deployment.held()).events[told:]] == []
    assert await standing(deployment, survivor) == stood
