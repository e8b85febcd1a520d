"""Coordinators' commands, as fast as they are answered: on records at rest, in use, and not there yet."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple, TypedDict
from uuid import UUID, uuid4

import msgspec
import uvloop
from nats.aio.client import Client

from services.console.demo.fleet import Fleet
from shared.commands.base import Command
from shared.commands.intake import AcceptReferral, RegisterParticipant, SendInterimNote
from shared.events.base import Demographics
from shared.settings import Settings
from tests.bench.bare.captured import Captured, read
from tests.bench.bare.commands import ON_PARTICIPANTS, ON_REFERRALS
from tests.bench.connections import nats_of, postgres_of
from tests.bench.context import Context
from tests.bench.doors import Door
from tests.bench.figure import Figure, Measurement, MeasurementError, Target, figure
from tests.bench.pipeline import Pipeline, Watch
from tests.bench.referrals import referrals
from tests.bench.rounds import Rounds
from tests.bench.town import Town

_TARGET = Target(">=", 0.45)
_CONCURRENT = 64
_TIMEOUT_SECONDS = 30.0


class Referral(NamedTuple):
    """A referral that was received."""

    referral: UUID
    participant: UUID


class Asked(NamedTuple):
    """A request."""

    subject: str
    body: bytes


class _Context(TypedDict):
    id: UUID
    actor: str
    now: datetime


def run(context: Context) -> Sequence[Figure]:
    """Give commands a second: AcceptReferral, SendInterimNote on the same referrals, registrations."""
    town = context.town()
    rounds = context.choose(quick=3, full=5)
    count = context.choose(quick=300, full=1_500)
    received = uvloop.run(_received(town.settings, town.ours, rounds * count))
    _forget(town.fleet)
    captured = read(town.captured)
    rates = [
        uvloop.run(_round(town, captured, received[at : at + count]))
        for at in range(0, rounds * count, count)
    ]
    names = ("records out of memory", "records in memory", "new records")
    columns = [Rounds([ours[at] for ours, _ in rates], [bare[at] for _, bare in rates]) for at in range(3)]
    return [
        figure(f"commands on {name}", each.value, "commands/s", each.ceiling, _TARGET)
        for name, each in zip(names, columns, strict=True)
    ]


async def _received(settings: Settings, ours: Pipeline, count: int) -> list[Referral]:
    """Have referrals received, and return them."""
    messages = referrals(count)
    async with nats_of(settings) as client, postgres_of(settings) as connection:
        watch = await Watch.on(client, ours.notices)
        async with Door.open(ours.port) as door:
            await door.send(messages)
        await ours.settled(client)
        await watch.until(await ours.last_seq(client))
        rows = await connection.fetch(
            "select entity, participant from read.timeline"
            " where type = 'throughcare.intake.ReferralReceived' and control_id = any($1)",
            [message.control_id for message in messages],
        )
    return [Referral(UUID(row["entity"]), row["participant"]) for row in rows]


def _forget(fleet: Fleet) -> None:
    """Start intake anew: it then holds nothing in memory."""
    fleet["intake"].stop()
    fleet["intake"].start()
    fleet.wait_until_ready()


async def _round(
    town: Town, captured: Captured, received: Sequence[Referral]
) -> tuple[list[float], list[float]]:
    """Return the rates of ours and, before each, of the bare responder; behind both, all goes its way."""
    ours: list[float] = []
    bare: list[float] = []
    async with nats_of(town.settings) as client:
        for subject, asked in (
            (ON_REFERRALS, _acceptances(received)),
            (ON_REFERRALS, _notes(received)),
            (ON_PARTICIPANTS, _registrations(len(received))),
        ):
            bare.append(await _rate(client, [Asked(subject, captured.request)] * len(received)))
            await town.bare.settled(client)
            ours.append(await _rate(client, list(asked)))
            await town.ours.settled(client)
    return ours, bare


def _acceptances(received: Sequence[Referral]) -> Iterator[Asked]:
    for each in received:
        yield _asked(AcceptReferral(**each._asdict(), owner="dana", **_context()))


def _notes(received: Sequence[Referral]) -> Iterator[Asked]:
    for each in received:
        yield _asked(SendInterimNote(**each._asdict(), note="Seen.", ongoing=True, **_context()))


def _registrations(count: int) -> Iterator[Asked]:
    for nth in range(count):
        participant = uuid4()
        name, born = str(participant), date(1950, 1, 1) + timedelta(days=37 * nth % 20_000)
        person = Demographics(family=name[:8], given=(name[9:18],), birth_date=born, sex="female")
        yield _asked(
            RegisterParticipant(participant=participant, demographics=person, identifiers=(), **_context())
        )


def _context() -> _Context:
    return _Context(id=uuid4(), actor="coordinator:bench", now=datetime.now(UTC))


def _asked(command: Command) -> Asked:
    return Asked(f"command.intake.{type(command).__name__}", msgspec.json.encode(command))


async def _rate(client: Client, asked: Sequence[Asked]) -> float:
    """Ask everything, some at a time; returns answers a second."""
    left = iter(asked)

    async def ask() -> None:
        for subject, body in left:
            answer = await client.request(subject, body, timeout=_TIMEOUT_SECONDS)
            if b'"appended"' not in answer.data:
                raise MeasurementError(f"{subject} answered {answer.data.decode()}")

    begun = time.perf_counter()
    await asyncio.gather(*(ask() for _ in range(_CONCURRENT)))
    return len(asked) / (time.perf_counter() - begun)


MEASUREMENT = Measurement("commands", run)
