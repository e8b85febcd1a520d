"""Executing a command: decided on what the log holds, appended once, whoever else is at it."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest

from services.intake.deciders import participant as participants
from shared.commands import reply
from shared.commands.decision import Refused
from shared.commands.intake import RegisterParticipant
from shared.eventlog.errors import ConflictError
from shared.eventlog.execute import TRIES, Executor, Outcome
from shared.eventlog.log import Log, Message
from shared.eventlog.subjects import EntityKey
from shared.events.envelope import Position
from shared.events.participant import IdentifierLinked
from shared.events.registry import event_id
from shared.settings import Settings
from tests.integration.eventlog.conftest import Office, events_of, open_office, participant_key
from tests.integration.eventlog.stories import register

ROOT = Path(__file__).resolve().parents[3]


async def ask(executor: Executor, command: RegisterParticipant, *, expect_new: bool = False) -> Outcome:
    return await executor.execute(participants.DECIDER, command, expect_new=expect_new)


def linked(state: participants.State) -> set[str]:
    return {value for _, value in state.person.linked}


def position_of(answer: Outcome) -> Position | None:
    assert not isinstance(answer, Refused), answer
    return answer.position


@pytest.fixture
def ada() -> UUID:
    return uuid4()


async def test_a_command_is_answered_with_where_its_events_stand(office: Office, ada: UUID):
    registered = await ask(office.executor, register(ada, "1"))
    assert isinstance(registered, reply.Appended)
    assert registered.position == Position(0, 1)
    assert registered.events == ("throughcare.intake.ParticipantRegistered",)
    two = await ask(office.executor, register(ada, "2", "3"))
    assert isinstance(two, reply.Appended)
    assert two.position == Position(0, 3)
    assert two.events == ("throughcare.intake.IdentifierLinked",) * 2
    assert [event.type for event in await office.events(ada)] == [*registered.events, *two.events]


@pytest.mark.parametrize("expect_new", [False, True])
async def test_the_same_command_again_changes_nothing_and_says_where_it_stands(
    office: Office, ada: UUID, *, expect_new: bool
):
    command = register(ada, "1")
    first = await ask(office.executor, command)
    assert isinstance(first, reply.Appended)
    again = await ask(office.executor, command, expect_new=expect_new)
    assert again == reply.Unchanged(position=first.position)
    async with open_office(office.settings) as restarted:
        assert await ask(restarted.executor, command, expect_new=expect_new) == again
    assert len(await office.events(ada)) == 1


async def test_the_same_command_from_two_processes_at_once_is_executed_once(office: Office, ada: UUID):
    async with open_office(office.settings) as other:
        for command, last in ((register(ada, "1"), 1), (register(ada, "2", "3"), 3)):
            for _ in range(10):
                answers = await asyncio.gather(ask(office.executor, command), ask(other.executor, command))
                assert [position_of(answer) for answer in answers] == [Position(0, last)] * 2
    assert len(await office.events(ada)) == 3


async def test_an_id_used_for_another_participant_before_is_refused_rather_than_lost(office: Office):
    ada, ben, id_ = uuid4(), uuid4(), uuid4()
    await ask(office.executor, register(ada, "1"))
    await ask(office.executor, register(ben, "2"))
    await ask(office.executor, register(ada, "3", id=id_))
    answer = await ask(office.executor, register(ben, "3", id=id_))
    assert isinstance(answer, Refused)
    assert len(await office.events(ben)) == 1


async def test_a_process_with_an_old_state_decides_on_the_new_one(office: Office, ada: UUID):
    await ask(office.executor, register(ada, "1"))
    async with open_office(office.settings) as other:
        await ask(other.executor, register(ada, "2"))
        await ask(office.executor, register(ada, "3"))
        await ask(other.executor, register(ada, "4"))
        for each in (office, other):
            await ask(each.executor, register(ada, "1"))
            assert linked(await each.participant(ada)) == {"1", "2", "3", "4"}
    assert len(await office.events(ada)) == 4


class BusyLog(Log):
    """A log to whose entities somebody else always appends just before."""

    def __init__(self, log: Log) -> None:
        super().__init__(log.client)
        self.tries = 0

    async def append(self, key: EntityKey, messages: Sequence[Message], expected: int) -> int:
        self.tries += 1
        await self.publish(key.subject, await self._any_event(key), {})
        return await super().append(key, messages, expected)

    async def _any_event(self, key: EntityKey) -> bytes:
        stored = await self.next(key.stream, key.subject, 1)
        assert stored is not None
        return stored.payload


async def test_after_five_conflicts_the_command_is_refused_and_nothing_is_stored(office: Office, ada: UUID):
    await ask(office.executor, register(ada, "1"))
    busy = BusyLog(office.log)
    office.entities.forget(office.key(ada))
    executor = Executor(busy, office.entities, office.settings)
    answer = await ask(executor, register(ada, "2"))
    assert isinstance(answer, Refused)
    assert (answer.code, busy.tries) == ("conflict", TRIES)
    assert answer.sentence.endswith("Please try again.")
    assert not any(
        isinstance(event.data, IdentifierLinked) and event.data.identifier.value == "2"
        for event in await office.events(ada)
    )


async def test_many_commands_at_once_in_one_process_do_not_conflict(
    office: Office, ada: UUID, monkeypatch: pytest.MonkeyPatch
):
    conflicts = 0
    append = office.log.append

    async def counted(key: EntityKey, messages: Sequence[Message], expected: int) -> int:
        nonlocal conflicts
        try:
            return await append(key, messages, expected)
        except ConflictError:
            conflicts += 1
            raise

    monkeypatch.setattr(office.log, "append", counted)
    answers = await asyncio.gather(*(ask(office.executor, register(ada, str(n))) for n in range(100)))
    assert {type(answer) for answer in answers} == {reply.Appended}
    assert conflicts == 0
    assert linked(await office.participant(ada)) == {str(n) for n in range(100)}


async def test_of_a_thousand_commands_from_two_processes_on_one_participant_none_is_lost(
    office: Office, ada: UUID
):
    acknowledged = await run_racers(office.settings, ada, names=("left", "right"), count=500)
    assert len(acknowledged) == 1000
    stored = {event.id: seq async for seq, event in events_of(office.log, participant_key(ada))}
    assert len(await office.events(ada)) == len(stored) == 1000
    assert {command: stored[event_id(command, 0)] for command in acknowledged} == acknowledged
    assert linked(await office.participant(ada)) == {
        f"{n}-{i}" for n in ("left", "right") for i in range(500)
    }


async def run_racers(
    settings: Settings, participant: UUID, *, names: tuple[str, ...], count: int
) -> dict[UUID, int]:
    told = msgspec.json.encode(settings).decode()
    arguments = [
        ("-m", "tests.integration.eventlog.racer", told, str(participant), n, str(count)) for n in names
    ]
    racers = [
        await asyncio.create_subprocess_exec(sys.executable, *each, stdout=PIPE, cwd=ROOT)
        for each in arguments
    ]
    said = [(await racer.communicate())[0] for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0]
    lines = [line for one in said for line in one.splitlines() if line.startswith(b'["')]
    return dict(msgspec.json.decode(line, type=tuple[UUID, int]) for line in lines)
