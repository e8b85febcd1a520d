"""Merges that hospitals tell and coordinators ask for, over one partition and over four."""

import asyncio
from uuid import UUID, uuid4

from services.timeline import queries
from services.timeline.person import person
from shared.commands.decision import Refused
from shared.commands.intake import (
    CompleteOrientation,
    MergeParticipants,
    ResolveMatch,
    UnmergeParticipants,
)
from shared.commands.reply import Appended, Unchanged
from shared.eventlog.client import CommandClient
from shared.events.base import Demographics
from tests.integration.intake.conftest import House, name_of
from tests.integration.intake.hospital import ADA, MAR_3, NOW, Hospital, mrn
from tests.unit.timeline.story import SITE

A, B, C, D = mrn("A"), mrn("B"), mrn("C"), mrn("D")
GENERAL = Hospital()


def merge(prior: UUID, survivor: UUID, *, id: UUID | None = None) -> MergeParticipants:
    return MergeParticipants(
        id=id or uuid4(), participant=prior, actor="coordinator:7", now=NOW, survivor=survivor
    )


def unmerge(prior: UUID) -> UnmergeParticipants:
    return UnmergeParticipants(id=uuid4(), participant=prior, actor="coordinator:7", now=NOW, reason="twins")


OTHER = Demographics(family="Other", given=("Ada",))


async def two(house: House, *, source: str = "genhosp") -> tuple[UUID, UUID]:
    """Two people, each referred by an identifier of their own; the first by another hospital, if told."""
    await house.tell(Hospital(source, OTHER).refers("1", A), GENERAL.refers("2", B))
    return await house.known(A), await house.known(B)


async def test_after_an_a40_whoever_names_the_prior_is_told_of_the_survivor(house: House):
    prior, survivor = await two(house)
    await house.tell(GENERAL.merges(A, into=B), GENERAL.discharges("V1", A))
    assert await house.known(A) == survivor
    assert "DischargeNotified" in await house.told(survivor)
    assert "DischargeNotified" not in await house.told(prior)
    assert (await house.told(prior))[-1] == "ParticipantsMerged"
    assert "PriorRecordLinked" in await house.told(survivor)
    assert await house.parked() == []


async def test_an_a40_about_numbers_of_another_hospital_is_put_before_a_person(house: House):
    """Whoever knows two numbers of another hospital could make one person of two."""
    prior, survivor = await two(house, source="lakeside")
    for sender in (GENERAL, Hospital("third")):
        await house.tell(sender.merges(A, into=B))
        assert await house.known(A) == prior
    (asked,) = await queries.worklist(house.connection, SITE, NOW, kind="match-review")
    assert (asked.task.participant, asked.task.about) == (prior, (str(survivor),))
    assert "genhosp asks to merge them" in asked.task.detail
    yes = ResolveMatch(id=uuid4(), participant=prior, actor="coordinator:7", now=NOW, same_as=survivor)
    assert isinstance(await house.ask(yes), Appended)
    assert await house.known(A) == survivor
    assert await house.parked() == []


async def test_a_merge_reversed_on_demand_lets_both_stand_for_themselves_again(house: House):
    prior, survivor = await two(house)
    await house.tell(GENERAL.merges(A, into=B))
    assert isinstance(await house.ask(unmerge(prior)), Appended)
    await house.tell(GENERAL.discharges("V1", A), GENERAL.discharges("V2", B))
    assert await house.known(A) == prior
    assert "DischargeNotified" in await house.told(prior)
    assert "PriorRecordUnlinked" in await house.told(survivor)
    assert isinstance(await house.ask(unmerge(prior)), Unchanged)


async def test_the_same_a40_again_after_its_reversal_does_not_merge_again(house: House):
    prior, _ = await two(house)
    told = GENERAL.merges(A, into=B)
    await house.tell(told)
    await house.ask(unmerge(prior))
    await house.again(told)
    assert await house.known(A) == prior


async def test_merges_are_followed_through_one_after_the_other(house: House):
    first, second = await two(house)
    await house.tell(GENERAL.refers("3", C), GENERAL.merges(A, into=B), GENERAL.merges(B, into=C))
    third = await house.known(C)
    assert await house.known(A) == await house.known(B) == third
    assert (await house.known(A, B, C)) == third
    assert (await person(house.connection, first)).records == [third, *sorted([first, second])]


async def test_an_a40_that_merges_what_is_one_already_changes_nothing(house: House):
    await two(house)
    await house.tell(GENERAL.merges(A, into=B), GENERAL.merges(B, into=A), GENERAL.merges(A, B, control="2"))
    merges = [event for event in await house.events() if name_of(event) == "ParticipantsMerged"]
    assert len(merges) == 1
    assert await house.parked() == []


async def test_a_prior_that_nobody_knows_becomes_an_identifier_of_the_survivor(house: House):
    await house.tell(GENERAL.refers("1", B), GENERAL.merges(A, into=B), GENERAL.discharges("V1", A))
    survivor = await house.known(B)
    assert await house.known(A) == survivor
    assert (await house.told(survivor)).count("IdentifierLinked") == 1
    assert "DischargeNotified" in await house.told(survivor)


async def test_a_survivor_that_nobody_knows_becomes_an_identifier_of_the_prior(house: House):
    await house.tell(GENERAL.refers("1", A), GENERAL.merges(A, into=B), GENERAL.discharges("V1", B))
    assert await house.known(B) == await house.known(A)
    assert "DischargeNotified" in await house.told(await house.known(A))


async def test_a_merge_of_people_whom_nobody_referred_is_held_with_their_notices(house: House):
    await house.tell(GENERAL.discharges("V1", A), GENERAL.merges(A, into=B), GENERAL.discharges("V2", B))
    assert await house.is_held()
    assert await house.events() == []
    await house.tell(GENERAL.refers("1", B))
    who = await house.known(B)
    assert await house.known(A) == who
    assert (await house.told(who)).count("DischargeNotified") == 2
    assert not await house.is_held()


async def test_a_referral_by_the_priors_identifier_releases_what_is_held_by_the_survivors(house: House):
    await house.tell(GENERAL.discharges("V2", B), GENERAL.merges(A, into=B), GENERAL.refers("1", A))
    who = await house.known(A)
    assert "DischargeNotified" in await house.told(who)
    assert not await house.is_held()


async def test_a_discharge_told_before_the_merge_is_cancelled_where_it_was_told(house: House):
    prior, survivor = await two(house)
    await house.tell(GENERAL.discharges("V1", A), GENERAL.merges(A, into=B))
    await house.tell(GENERAL.cancels_discharge("V1", B))
    assert (await house.told(prior))[-1] == "DischargeCancelled"
    assert "ReversalUnmatched" not in await house.told(survivor)


async def test_identifiers_that_name_two_are_parked_until_the_two_are_merged(house: House):
    prior, survivor = await two(house)
    await house.tell(GENERAL.discharges("V1", A, B))
    (parked,) = await house.parked()
    assert parked.reason.startswith("identifiers-disagree: ")
    assert not (await house.replay(parked)).done
    await house.ask(merge(prior, survivor))
    assert (await house.replay(parked)).done
    assert "DischargeNotified" in await house.told(survivor)


async def test_two_hospitals_with_the_same_number_mean_two_people(house: House):
    here, there = mrn("4711", "GENHOSP"), mrn("4711", "OTHER")
    await house.tell(GENERAL.refers("1", here), Hospital("other").refers("1", there))
    assert await house.known(here) != await house.known(there)


async def test_a_coordinator_is_sent_on_to_the_survivor(house: House):
    prior, survivor = await two(house)
    await house.ask(merge(prior, survivor))
    command = CompleteOrientation(
        id=uuid4(), participant=prior, actor="coordinator:7", now=NOW, enrolment=uuid4()
    )
    answer = await house.ask(command)
    assert isinstance(answer, Refused)
    assert answer.code == "merged"
    assert str(survivor) in answer.sentence


async def test_a_merge_into_nobody_or_back_is_refused(house: House):
    prior, survivor = await two(house)
    await house.tell(GENERAL.refers("3", C))
    third = await house.known(C)
    into_nobody = await house.ask(merge(prior, uuid4()))
    await house.ask(merge(prior, survivor))
    await house.ask(merge(survivor, third))
    back, itself = await house.ask(merge(third, prior)), await house.ask(merge(third, third))
    codes = [answer.code for answer in (into_nobody, back, itself) if isinstance(answer, Refused)]
    assert codes == ["survivor-unknown", "merge-cycle", "same-record"]


async def test_merges_into_each_other_at_the_same_moment_leave_no_circle(house: House):
    one, other = await two(house)
    client = CommandClient(house.nats)
    await asyncio.gather(client.ask(merge(one, other)), client.ask(merge(other, one)))
    await house.settled()
    states = [await house.identification.aliases.state(each, fresh=True) for each in (one, other)]
    assert None in [state.records.survivor for state in states]
    assert {await house.known(A), await house.known(B)} <= {one, other}
    assert await house.parked() == []


async def test_a_match_that_is_confirmed_merges_the_new_record_into_the_old(house: House):
    await house.tell(GENERAL.refers("1", A), Hospital("other").refers("1", B))
    old, new = await house.known(A), await house.known(B)
    (task,) = await queries.worklist(house.connection, SITE, NOW, kind="match-review")
    assert (task.task.participant, task.task.about) == (new, (str(old),))
    answer = await house.ask(
        ResolveMatch(id=uuid4(), participant=new, actor="coordinator:7", now=NOW, same_as=old)
    )
    assert isinstance(answer, Appended)
    assert await house.known(B) == old
    assert await queries.worklist(house.connection, SITE, NOW, kind="match-review") == []


async def test_the_survivors_timeline_holds_the_priors_entries_until_the_merge_is_reversed(house: House):
    prior, survivor = await two(house)
    await house.tell(GENERAL.discharges("V1", A))
    await house.ask(merge(prior, survivor))
    for asked in (prior, survivor):
        entries = await queries.timeline(house.connection, asked)
        assert {entry.participant for entry in entries} == {prior, survivor}
        discharged = next(entry for entry in entries if entry.type.endswith("DischargeNotified"))
        assert (discharged.participant, discharged.happened) == (prior, MAR_3)
        state = await queries.care_state(house.connection, asked, SITE)
        assert state is not None
        assert (state.participant, state.family, state.last_discharge) == (survivor, ADA.family, MAR_3)
        assert len(state.referrals) == 2
    tasks = await queries.worklist(house.connection, SITE, NOW, kind="triage", participant=survivor)
    assert sorted((item.task.participant == prior, item.survivor) for item in tasks) == sorted(
        [(False, None), (True, survivor)], key=lambda each: each[0]
    )
    await house.ask(unmerge(prior))
    assert {entry.participant for entry in await queries.timeline(house.connection, survivor)} == {survivor}
    assert {entry.participant for entry in await queries.timeline(house.connection, prior)} == {prior}


async def test_nothing_of_somebody_who_died_is_to_be_done_whichever_record_tells_it(house: House):
    prior, survivor = await two(house)
    await house.ask(merge(prior, survivor))
    assert len(await queries.worklist(house.connection, SITE, NOW, kind="triage")) == 2
    await house.tell(GENERAL.tells_of_death(B))
    assert "DeathNotified" in await house.told(survivor)
    assert await queries.worklist(house.connection, SITE, NOW) == []
