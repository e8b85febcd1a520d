"""Commands over NATS: every asker gets an answer that says what became of it, whatever was sent."""

from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec
import pytest
from nats.aio.client import Client
from structlog.testing import capture_logs

from services.intake.aliases import Aliases
from services.intake.deciders import participant as participants
from services.intake.handlers import accepted
from shared.commands import reply
from shared.commands.base import Command
from shared.commands.decision import Decider, Decision, Refused
from shared.commands.intake import CorrectDemographics, RegisterParticipant
from shared.eventlog.client import CommandClient
from shared.eventlog.commands import Accepted, CommandHandlers
from shared.eventlog.runtime import Runtime
from shared.events.base import Demographics
from shared.settings import Settings
from tests.integration.eventlog.conftest import Office, is_subscribed, open_service, until
from tests.integration.eventlog.stories import NOW, register

SERVICES_CLOCK = datetime(2026, 11, 22, 12, tzinfo=UTC)


def known_to(intake: Runtime) -> tuple[Accepted, ...]:
    return accepted(Aliases(intake.executor, intake.settings))


@pytest.fixture
async def intake(nats: Client, settings: Settings) -> AsyncGenerator[Runtime]:
    async with open_service("intake", settings) as runtime:
        CommandHandlers(runtime.executor, known_to(runtime), lambda: SERVICES_CLOCK).subscribe(
            runtime.broker, runtime.in_flight, "intake"
        )
        await runtime.broker.start()
        await until(lambda: is_subscribed(nats, "command.intake.Anything"))
        yield runtime


@pytest.fixture
def ask(intake: Runtime, nats: Client) -> CommandClient:
    return CommandClient(nats, timeout_seconds=5)


def as_json(asked: Command, changed: Mapping[str, object]) -> bytes:
    """Write a command with some fields changed; "-" leaves one out."""
    plain: dict[str, object] = msgspec.to_builtins(asked)
    return msgspec.json.encode({name: value for name, value in {**plain, **changed}.items() if value != "-"})


async def test_a_command_is_carried_out_and_answered_with_its_position(ask: CommandClient, office: Office):
    ada = uuid4()
    answer = await ask.ask(register(ada, "1"))
    assert isinstance(answer, reply.Appended)
    assert len(await office.events(ada)) == len(answer.events) == 1
    assert await ask.ask(register(ada, "1")) == reply.Unchanged(position=answer.position)


async def test_the_time_is_the_services_not_what_the_asker_says(ask: CommandClient, office: Office):
    ada = uuid4()
    await ask.ask(register(ada, "1"))
    assert {event.time for event in await office.events(ada)} == {SERVICES_CLOCK}
    assert NOW != SERVICES_CLOCK


async def test_a_refusal_is_told_with_its_code_and_sentence(ask: CommandClient):
    unknown = CorrectDemographics(
        id=uuid4(), participant=uuid4(), actor="c:7", now=NOW, demographics=Demographics(family="X")
    )
    answer = await ask.ask(unknown)
    assert isinstance(answer, Refused)
    assert (answer.code, answer.field) == ("participant-unknown", "participant")


WRONG: tuple[tuple[dict[str, object], str], ...] = (
    ({"actor": 7}, "$.actor"),
    ({"participant": "7"}, "$.participant"),
    ({"identifiers": [{"assigner": "GENHOSP", "value": 4711}]}, "$.identifiers[0].value"),
    ({"demographics": {"birth_date": "1990-13-01"}}, "$.demographics.birth_date"),
    ({"demographics": {"sex": "f"}}, "$.demographics.sex"),
    ({"at": "yesterday"}, "$.at"),
    ({"id": "-"}, "`id`"),
    ({"demographics": "-"}, "`demographics`"),
    ({"command": "Enrol"}, "$.command"),
)


async def test_what_is_not_the_command_is_invalid_and_the_field_is_named(ask: CommandClient, office: Office):
    ada = uuid4()
    for changed, named in WRONG:
        answer = await ask.ask_raw("intake", "RegisterParticipant", as_json(register(ada, "1"), changed))
        assert isinstance(answer, reply.Invalid), changed
        assert named in answer.sentence
        assert answer.sentence.startswith("RegisterParticipant cannot be read: ")
    assert await office.events(ada) == []


async def test_what_is_no_json_is_invalid(ask: CommandClient):
    for body in (b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"id": NaN}', b"[" * 100_000):
        answer = await ask.ask_raw("intake", "RegisterParticipant", body)
        assert isinstance(answer, reply.Invalid), body[:20]


async def test_a_field_of_a_later_version_is_passed_over(ask: CommandClient):
    body = as_json(register(uuid4(), "1"), {"shoe_size": 43})
    assert isinstance(await ask.ask_raw("intake", "RegisterParticipant", body), reply.Appended)


async def test_what_cannot_be_asked_from_outside_is_invalid(ask: CommandClient):
    for name in ("Nonsense", "ClaimIdentifier", "NotifyDeath", "registerparticipant"):
        answer = await ask.ask_raw("intake", name, as_json(register(uuid4(), "1"), {}))
        assert answer == reply.Invalid(sentence=f"There is no command named {name}.")


async def test_with_the_log_away_the_asker_is_told_so_and_may_ask_again(ask: CommandClient, nats: Client):
    await nats.request("$JS.API.STREAM.DELETE.CARE_0", b"", timeout=10)
    answer = await ask.ask(register(uuid4(), "1"))
    assert isinstance(answer, reply.Unavailable)
    assert "Asking again with the same id is safe" in answer.sentence


async def test_without_the_service_the_asker_is_told_so(nats: Client):
    answer = await CommandClient(nats).ask(register(uuid4(), "1"))
    assert answer == reply.Unavailable(sentence="intake does not answer. Asking again is safe.")


async def test_a_record_that_cannot_be_read_is_told_as_such(ask: CommandClient, nats: Client):
    ada = uuid4()
    await nats.request(f"care.0.participant.{ada}", b"not an event", timeout=10)
    answer = await ask.ask(register(ada, "1"))
    assert answer == reply.Unavailable(sentence="The record holds an event that this version cannot read.")


async def test_a_decision_that_breaks_is_answered_at_once_and_logged_without_its_text(
    nats: Client, settings: Settings
):
    def breaks(_command: RegisterParticipant, _state: participants.State) -> Decision:
        raise ValueError("Jane Example, born 1990-01-01")

    broken = Decider("participant", participants.DECIDER.initial, participants.DECIDER.evolve, breaks)
    async with open_service("intake", settings) as runtime:
        handlers = CommandHandlers(runtime.executor, [Accepted(RegisterParticipant, broken)], lambda: NOW)
        handlers.subscribe(runtime.broker, runtime.in_flight, "intake")
        await runtime.broker.start()
        await until(lambda: is_subscribed(nats, "command.intake.Anything"))
        with capture_logs() as logs:
            answer = await CommandClient(nats, timeout_seconds=3).ask(register(uuid4(), "1"))
    assert answer == reply.Unavailable(
        sentence="RegisterParticipant failed inside the service, which logged it."
    )
    (line,) = [line for line in logs if line["event"] == "command-failed"]
    assert (line["command"], line["error"]) == ("RegisterParticipant", "ValueError")
    assert line["raised_at"].startswith("tests/integration/eventlog/test_commands.py:")
    assert "Jane" not in str(logs)


async def test_two_instances_answer_each_command_once(ask: CommandClient, settings: Settings, office: Office):
    async with open_service("intake", settings) as other:
        CommandHandlers(other.executor, known_to(other), lambda: SERVICES_CLOCK).subscribe(
            other.broker, other.in_flight, "intake"
        )
        await other.broker.start()
        people = [uuid4() for _ in range(50)]
        answers = [await ask.ask(register(UUID(str(one)), "1")) for one in people]
    assert {type(answer) for answer in answers} == {reply.Appended}
    assert [len(await office.events(one)) for one in people] == [1] * 50


async def test_a_command_larger_than_the_log_takes_is_refused_for_good(intake: Runtime):
    handlers = CommandHandlers(intake.executor, known_to(intake), lambda: SERVICES_CLOCK)
    endless = register(uuid4(), "1" * (intake.log.client.max_payload + 1))
    answer = await handlers.answer("RegisterParticipant", msgspec.json.encode(endless))
    assert isinstance(answer, reply.Invalid)
    assert "does not take a message" in answer.sentence
