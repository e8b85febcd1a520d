"""Two records of one person: merged by their hospital while one is in care, and parted again."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import pytest

from services.timeline import queries
from shared.commands.aftercare import BookFollowUp
from shared.commands.base import Command
from shared.commands.care_plan import EndEpisodeEarly, RecordSessionAttended, ScheduleSession
from shared.commands.decision import Refused
from shared.commands.intake import Enrol, UnmergeParticipants
from shared.commands.reply import Appended
from shared.eventlog.parking import ReplayAnswer, ReplayRequest
from shared.eventlog.subjects import stream_of
from shared.events.episode import StepDownPending, StepDownReversed, SteppedDown
from shared.events.registry import REGISTRY
from shared.site import site_of
from tests.e2e.coordinator import set_goal
from tests.e2e.deployment import Deployment
from tests.e2e.hospital import NOW, Patient

pytestmark = pytest.mark.timeout(120)

_STEPS = (SteppedDown, StepDownPending, StepDownReversed)


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
    assert await deployment.differences() == []


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


async def enrol(deployment: Deployment, participant: UUID) -> None:
    await asked(deployment, enrolment(participant))


def enrolment(participant: UUID) -> Enrol:
    return Enrol(
        id=uuid4(),
        participant=participant,
        actor="coordinator:7",
        now=datetime.now(UTC),
        enrolment=uuid4(),
        program="IOP",
        level="2.1",
        edition="3",
        start=date(2026, 1, 5),
    )


async def booked(deployment: Deployment, participant: UUID) -> BookFollowUp:
    """Book an appointment for a follow-up of the record's own."""
    site, now = site_of(deployment.settings), datetime.now(UTC)
    async with deployment.database() as connection:
        owed = await queries.follow_ups(connection, site, now, participant)
    return BookFollowUp(
        id=uuid4(),
        participant=participant,
        actor="coordinator:7",
        now=now,
        follow_up=next(one.follow_up.follow_up for one in owed if one.follow_up.participant == participant),
        appointment=(now + timedelta(days=1)).isoformat(),
    )


async def part(deployment: Deployment, prior: UUID) -> None:
    command = UnmergeParticipants(
        id=uuid4(), participant=prior, actor="coordinator:7", now=datetime.now(UTC), reason="twins"
    )
    await asked(deployment, command)


async def come_to_a_session(deployment: Deployment, participant: UUID) -> None:
    """Schedule a session for tomorrow, and record as of then that the participant came."""
    start, session = datetime.now(UTC) + timedelta(days=1), uuid4()
    schedule = ScheduleSession(
        id=uuid4(),
        participant=participant,
        actor="coordinator:7",
        now=start,
        session=session,
        type="group",
        start=start,
        end=start + timedelta(hours=3),
        lead="clinician:3",
        credential="LCSW",
    )
    attend = RecordSessionAttended(
        id=uuid4(),
        participant=participant,
        actor="coordinator:7",
        now=start,
        at=schedule.end.isoformat(),
        session=session,
        minutes=180,
    )
    await asked(deployment, schedule)
    await asked(deployment, attend)


async def end(deployment: Deployment, participant: UUID) -> None:
    now = datetime.now(UTC)
    command = EndEpisodeEarly(
        id=uuid4(),
        participant=participant,
        actor="coordinator:7",
        now=now,
        on=site_of(deployment.settings).today(now),
        reason="moved",
    )
    await asked(deployment, command)


async def asked(deployment: Deployment, command: Command) -> None:
    assert isinstance(await deployment.ask(command), Appended)
    await deployment.caught_up()


async def seen_again(deployment: Deployment, *records: UUID) -> None:
    """Have the policies of care handle every event of some records once more, as after a crash."""
    told = [(at, event) for at, event in (await deployment.held()).events if event.subject in records]
    for at, event in told:
        category = REGISTRY.category_of(event.data).name
        for service in ("care_plan", "aftercare") if category == "participant" else ("aftercare",):
            consumer = f"{service}-{at.partition}"
            request = ReplayRequest(consumer, stream_of(at.partition), at.sequence)
            answer = await deployment.nats.request(
                f"replay.{service}", msgspec.json.encode(request), timeout=10
            )
            assert msgspec.json.decode(answer.data, type=ReplayAnswer) == ReplayAnswer(done=True)
    await deployment.caught_up()


async def refused_as_deceased(deployment: Deployment, command: Command) -> None:
    answer = await deployment.ask(command)
    assert isinstance(answer, Refused)
    assert answer.code == "participant-deceased"


async def sent(deployment: Deployment, *messages: bytes) -> None:
    """Send each when all that followed from the one before is done."""
    for message in messages:
        await deployment.hospital.send([message])
        await deployment.caught_up()


async def owed_after(deployment: Deployment, participant: UUID, *, left: int) -> int:
    """Return how many follow-ups are owed after the discharge of so many days ago."""
    site, now = site_of(deployment.settings), datetime.now(UTC)
    async with deployment.database() as connection:
        owed = await queries.follow_ups(connection, site, now, participant)
    day = site.today(NOW - timedelta(days=left))
    return sum(one.follow_up.is_owed and one.follow_up.index_discharge == day for one in owed)


async def steps(deployment: Deployment, participant: UUID) -> Sequence[type]:
    """Return what became of discharges in one record's care."""
    told = (await deployment.held()).about(participant)
    return [type(event.data) for event in told if isinstance(event.data, _STEPS)]


async def standing(deployment: Deployment, participant: UUID) -> tuple[str, int, list[str]]:
    """Return what a coordinator sees: the care's status, the follow-ups owed, and hospital tasks."""
    site, now = site_of(deployment.settings), datetime.now(UTC)
    async with deployment.database() as connection:
        state = await queries.care_state(connection, participant, site)
        owed = await queries.follow_ups(connection, site, now, participant)
        tasks = await queries.worklist(connection, site, now, participant=participant)
    assert state is not None
    kinds = [item.task.kind for item in tasks if item.task.kind in ("step-down", "two-episodes")]
    return state.status, sum(one.follow_up.is_owed for one in owed), kinds
