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
from services.gateway.delivery.progress import Progress, ProgressStore
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
from tests.own_settings import own_settings

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

    async def subscribe(self, endpoint: str) -> str:
        """Have the hospital's FHIR client subscribe; returns the address of its Subscription."""
        told = {
            "resourceType": "Subscription",
            "status": "requested",
            "reason": "To know what becomes of referrals",
            "criteria": "Task",
            "channel": {"type": "rest-hook", "endpoint": endpoint, "payload": "application/fhir+json"},
        }
        async with self._fhir() as client:
            made = await client.post("/Subscription", json=told)
        assert made.status_code == 201, made.text
        return made.headers["location"]

    async def read(self, address: str) -> dict[str, Any]:
        """Read a resource, or what a search finds."""
        async with self._fhir() as client:
            answer = await client.get(address)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def _fhir(self) -> httpx.AsyncClient:
        base = f"http://127.0.0.1:{self.port('fhir')}/fhir"
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/fhir+json"}
        return httpx.AsyncClient(base_url=base, headers=headers, timeout=20)

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

    async def channels(self) -> dict[str, Progress]:
        """Return how far each channel is."""
        kept = await ProgressStore(Log(self.nats)).all()
        return {key: each.progress for key, each in kept.items()}


@pytest.fixture
async def loop(nats_url: str, database: str, servers_directory: Path) -> AsyncGenerator[Loop]:
    receiver = MllpReceiver(seconds=0.02)
    profiles = servers_directory / "profiles.yaml"
    profiles.write_text(_agreed(receiver.port))
    settings = own_settings(
        nats_url,
        database,
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


async def test_a_referrals_way_is_told_by_each_channel_shown_on_the_timeline_and_told_again_when_asked(
    loop: Loop,
):
    async with HttpReceiver() as hook:
        subscription = await loop.subscribe(hook.url)
        await expect("the subscription is active", lambda: _is(loop, subscription, "active"))
        await loop.refer(["T-1"])

        async def is_away() -> bool:
            return (await loop.channels()).get(f"{SOURCE}.mllp", Progress()).attempts > 1

        await expect("the receiver is not reached", is_away)
        status, written = await loop.console("outbound", "status")
        assert (status, f"{SOURCE}.mllp" in written) == (1, True)
        assert f"{SOURCE}.mllp: its receiver was not reached" in await loop.notices()
        [owed] = await loop.owed()
        await loop.move(owed.data.referral, owed.data.participant)
        async with loop.receiver as hospital:

            async def is_told() -> bool:
                channels = (await loop.channels()).values()
                return all(each.delivered == len(STATUSES) and not each.unrecorded for each in channels)

            await expect("everything is told by both channels, and recorded", is_told)
            assert [status for _, status in hospital.heard] == list(STATUSES)
            assert {each.text("PID", 5) for each in hospital.messages} == {_person("T-1").family}
            told = [call.task["businessStatus"]["coding"][0]["code"] for call in hook.calls]
            assert told == list(STATUSES)
            status, written = await loop.console("outbound", "status")
            assert (status, "unreachable" in written) == (0, False)
            status, written = await loop.console("outbound", "resend", "P-T-1", "--channel", "mllp")
            assert (status, written) == (0, f"{SOURCE}.mllp: 1 to be told again.\n")
            await expect("it is told again", lambda: _has_heard(hospital, len(STATUSES) + 1))
            assert hospital.control_ids[-1] == hospital.control_ids[-2]
            assert len(hook.calls) == len(STATUSES)
        await expect("the timeline shows it", lambda: _is_shown(loop))


async def _is(loop: Loop, subscription: str, status: str) -> bool:
    return (await loop.read(subscription))["status"] == status


async def _has_heard(hospital: MllpReceiver, count: int) -> bool:
    return len(hospital.messages) == count


async def _is_shown(loop: Loop) -> bool:
    """Each status once by each channel: who was told, how, and what was answered."""
    _, written = await loop.console("timeline", "T-1")
    return all(written.count(f"Sender told: {status}") == 2 for status in STATUSES) and all(
        written.count(line) == len(STATUSES)
        for line in (
            f"By HL7 message to {SOURCE}, answered AA.",
            f"By FHIR subscription to {SOURCE}, answered 200.",
        )
    )


async def _is_somebody(loop: Loop) -> bool:
    return await loop.leader() is not None
