"""Two processes of each service on one participant: no lost update, and every effect once."""

import asyncio
from collections import Counter
from uuid import UUID

import pytest

from shared.commands.care_plan import SetGoal
from shared.commands.reply import Appended, Reply, Unchanged
from shared.events.encounter import DischargeNotified
from shared.events.plan import GoalSet
from shared.events.referral import ReferralDuplicateDetected, ReferralReceived
from tests.e2e.coordinator import set_goal
from tests.e2e.deployment import SERVICES, Deployment
from tests.e2e.hospital import Patient, patients, steady_flow

pytestmark = pytest.mark.timeout(120)

COMMANDS = 1_000
AT_A_TIME = 32
STAYS = 40
REFERRALS = 20


async def test_a_thousand_commands_on_one_participant_lose_no_update(deployment: Deployment) -> None:
    participant = await deployment.registered(Patient())
    commands = [set_goal(participant) for _ in range(COMMANDS)]
    async with deployment.doubled():
        answers = await asked(deployment, commands)
        repeated = await asked(deployment, commands[::10])
        await deployment.account()
    assert [type(answer) for answer in answers] == [Appended] * COMMANDS
    assert {type(answer) for answer in repeated} == {Unchanged}
    await expect_goals(deployment, participant, [command.goal for command in commands])


async def test_each_command_given_to_both_processes_at_once_is_done_once(deployment: Deployment) -> None:
    participant = await deployment.registered(Patient())
    commands = [set_goal(participant) for _ in range(100)]
    async with deployment.doubled():
        twice = [command for command in commands for _ in range(2)]
        answers = await asked(deployment, twice)
        await deployment.account()
    assert Counter(map(type, answers)) == {Appended: 100, Unchanged: 100}
    await expect_goals(deployment, participant, [command.goal for command in commands])


async def test_messages_about_one_person_through_two_gateways_have_each_effect_once(
    deployment: Deployment,
) -> None:
    person = Patient()
    referrals = [person.referral() for _ in range(REFERRALS)]
    discharges = [person.discharge(number) for number in range(STAYS)]
    async with deployment.doubled() as other:
        await asyncio.gather(
            deployment.hospital.send([*referrals[::2], *discharges]),
            other.send([*discharges, *referrals[1::2]]),
        )
        await deployment.account()
    participant = await deployment.participant(person)
    assert participant is not None
    held = await deployment.held()
    told = Counter(type(event.data) for event in held.about(participant))
    assert told[ReferralReceived] == 1
    assert told[ReferralDuplicateDetected] == REFERRALS - 1
    assert told[DischargeNotified] == STAYS


async def test_when_one_process_of_each_is_killed_the_other_goes_on_alone(deployment: Deployment) -> None:
    async with deployment.doubled() as other:
        messages = steady_flow(patients(60))
        flow = asyncio.create_task(other.send(messages))
        await deployment.until("messages flow", lambda: other.accepted > len(messages) // 3)
        for name in SERVICES:
            deployment.kill(name)
        await flow
        await deployment.caught_up()
        assert other.unanswered == 0
        for name in SERVICES:
            deployment.restart(name)
        await deployment.account()


async def asked(deployment: Deployment, commands: list[SetGoal]) -> list[Reply]:
    """Ask all, some at a time."""
    room = asyncio.Semaphore(AT_A_TIME)

    async def ask(command: SetGoal) -> Reply:
        async with room:
            return await deployment.ask(command)

    return await asyncio.gather(*(ask(command) for command in commands))


async def expect_goals(deployment: Deployment, participant: UUID, goals: list[UUID]) -> None:
    """Expect each goal in the log once, and all of them in the read model."""
    held = await deployment.held()
    events = [event.data for event in held.about(participant)]
    assert Counter(data.goal for data in events if isinstance(data, GoalSet)) == Counter(goals)
    query = "select goals_open from read.participant where participant = $1"
    async with deployment.database() as connection:
        assert await connection.fetchval(query, participant) == len(goals)
