"""The loop closed, as deployed: what became of a referral reaches its sender, whatever ends or is away."""

import asyncio
import os
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Self
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from nats.aio.client import Client

from services.console.commands.apply import apply_all
from services.console.demo import hl7
from services.console.demo.fleet import Fleet, Service
from services.console.waiting import until
from services.gateway.delivery.mllp_channel import control_id
from services.gateway.mllp.client import send
from shared.commands.base import Command
from shared.commands.intake import AcceptReferral, RequestInformation
from shared.commands.reply import Appended
from shared.eventlog.client import CommandClient
from shared.eventlog.connection import connect
from shared.eventlog.log import Log
from shared.events.outbound import OutboundEnvelope
from shared.settings import Settings, environment_of
from tests.integration.gateway.delivery.receivers import HttpReceiver, MllpReceiver

pytestmark = pytest.mark.timeout(180)

SOURCE = "general"
TOKEN = "a-token-of-the-general-hospital"
SECONDS = 60.0
SENT = datetime.now(UTC).replace(microsecond=0)
STATUSES = ("received", "accepted", "awaiting-information")


class Loop:
    """Every service and a second gateway, the hospital's receiver, and who asks for what."""

    def __init__(self, settings: Settings, fleet: Fleet, other: Service, receiver: MllpReceiver) -> None:
        self.settings = settings
        self.receiver = receiver
        self.gateways = (fleet["gateway"], other)
        self.hook = HttpReceiver()
        self.nats = Client()

    async def __aenter__(self) -> Self:
        self.nats = await connect(self.settings, name="test")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.nats.close()

    def port(self, name: str) -> int:
        told = self.gateways[0].reached()
        assert told is not None
        return told.ports[name]

    @property
    def fhir(self) -> httpx.AsyncClient:
        base = f"http://127.0.0.1:{self.port('fhir')}/fhir"
        return httpx.AsyncClient(base_url=base, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=20)

    async def refer(self, numbers: Sequence[str]) -> None:
        """Refer a person by each number, by HL7 message."""
        messages = [
            hl7.referral(_person(number), control_id=number, placer=f"P-{number}", sent=SENT)
            for number in numbers
        ]
        answers = [answer async for answer in send("127.0.0.1", self.port("mllp"), messages, window=16)]
        assert {answer.code for answer in answers} == {"AA"}

    async def owed(self) -> list[OutboundEnvelope]:
        """Return what OUTBOUND holds, in its order."""
        log = Log(self.nats)
        stored = log.tail("OUTBOUND", f"outbound.{SOURCE}.status", 0)
        return [msgspec.json.decode(each.payload, type=OutboundEnvelope) async for each in stored]

    async def move(self, referral: UUID, participant: UUID) -> None:
        """Accept a referral, then ask its sender something."""
        about: dict[str, Any] = {
            "participant": participant,
            "referral": referral,
            "actor": "coordinator:1",
            "now": datetime.now(UTC),
        }
        await self._ask(AcceptReferral(id=uuid4(), owner="coordinator:1", **about))
        await self._ask(RequestInformation(id=uuid4(), what="Which medicines?", **about))

    async def _ask(self, command: Command) -> None:
        answer = await CommandClient(self.nats, timeout_seconds=10).ask(command)
        assert isinstance(answer, Appended), answer

    async def leader(self) -> Service | None:
        """Return the gateway that delivers by MLLP: it has counted deliveries."""
        for gateway in self.gateways:
            told = gateway.reached()
            if told is None or not gateway.is_running:
                continue
            async with httpx.AsyncClient(timeout=5) as client:
                text = (await client.get(f"{told.admin}/metrics")).text
            if 'throughcare_deliveries_total{outcome="delivered",way="mllp"}' in text:
                return gateway
        return None

    async def notices(self) -> str:
        """Return what the readiness of both gateways says besides."""
        said = ""
        async with httpx.AsyncClient(timeout=5) as client:
            for gateway in self.gateways:
                if told := gateway.reached():
                    said += (await client.get(f"{told.admin}/readyz")).text
        return said

    async def console(self, *arguments: str) -> tuple[int, str]:
        """Run `throughcare` as an operator does; returns its exit status and what it wrote."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "services.console",
            *arguments,
            env={**os.environ, **environment_of(self.settings), "COLUMNS": "250"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        written, _ = await process.communicate()
        return process.returncode or 0, written.decode()

    async def channels(self) -> dict[str, dict[str, Any]]:
        """Return what `throughcare outbound status` tells of each channel."""
        _, written = await self.console("outbound", "status", "--json")
        return {each["channel"]: each for each in msgspec.json.decode(written)}


@pytest.fixture
async def loop(nats_url: str, database: str, servers_directory: Path) -> AsyncGenerator[Loop]:
    receiver = MllpReceiver(seconds=0.02)
    profiles = servers_directory / "profiles.yaml"
    profiles.write_text(_agreed(receiver.port))
    settings = Settings(
        nats_url=nats_url,
        database_url=database,
        identifier_key="a key of the test only",
        allow_unsynced_log=True,
        mllp_port=0,
        fhir_port=0,
        fhir_tokens=f"{SOURCE}={TOKEN}",
        profiles=str(profiles),
        partitions=2,
        delivery_retry_seconds=0.1,
        delivery_retry_max_seconds=0.5,
        delivery_lease_seconds=3.0,
    )
    await apply_all(settings)
    second = servers_directory / "second"
    second.mkdir()
    async with AsyncExitStack() as stack:
        fleet = stack.enter_context(Fleet(settings, servers_directory / "services"))
        other = Service("gateway", settings, second).start()
        stack.callback(other.stop)
        yield await stack.enter_async_context(Loop(settings, fleet, other, receiver))


def _agreed(port: int) -> str:
    return (
        "profiles:\n"
        "  general:\n"
        f"    sender: {{application: {hl7.APPLICATION}, facility: {hl7.FACILITY}}}\n"
        f"    source: {SOURCE}\n"
        "    production: false\n"
        "    delivery:\n"
        f"      - {{channel: mllp, host: 127.0.0.1, port: {port}}}\n"
        "      - {channel: rest-hook, private: true}\n"
    )


def _person(number: str) -> hl7.Patient:
    return hl7.Patient(
        number=number, given=f"Given{number}", family=f"Family{number}", birth_date=date(1990, 4, 17), sex="F"
    )


async def expect(what: str, condition: Callable[[], Awaitable[bool]]) -> None:
    assert await until(condition, SECONDS), f"Not in time: {what}."


def in_order(told: Sequence[tuple[UUID, str]]) -> dict[UUID, list[str]]:
    """Return the statuses of each referral as first told."""
    found: dict[UUID, list[str]] = defaultdict(list)
    for referral, status in dict.fromkeys(told):
        found[referral].append(status)
    return found


async def test_when_the_gateway_that_delivers_is_killed_the_other_tells_the_rest_in_order(loop: Loop):
    numbers = [f"K-{number}" for number in range(12)]
    async with loop.receiver as hospital:
        await loop.refer(numbers)

        async def is_all_owed(each: int) -> bool:
            return len(await loop.owed()) == each * len(numbers)

        await expect("each referral's first status is owed", lambda: is_all_owed(1))
        await asyncio.gather(
            *(loop.move(each.data.referral, each.data.participant) for each in await loop.owed())
        )
        await expect("somebody delivers", lambda: _is_somebody(loop))
        leader = await loop.leader()
        assert leader is not None
        assert len(hospital.messages) < len(STATUSES) * len(numbers), "nothing is left to take over"
        leader.kill()
        await expect("everything is owed", lambda: is_all_owed(len(STATUSES)))
        owed = {control_id(each.id): each for each in await loop.owed()}

        async def is_all_told() -> bool:
            return set(hospital.control_ids) == set(owed)

        await expect("everything is told", is_all_told)
        told = [(owed[each].data.referral, owed[each].data.status) for each in hospital.control_ids]
        assert set(map(tuple, in_order(told).values())) == {STATUSES}
        repeated = [id for id, times in Counter(hospital.control_ids).items() if times > 1]
        assert len(repeated) <= 1, "only what was in hand when the gateway was killed is told again"
        assert hospital.at_once == 1


async def _is_somebody(loop: Loop) -> bool:
    return await loop.leader() is not None
