"""What a sender is owed, put into a real OUTBOUND, and gateways that deliver it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace
from nats.aio.client import Client

from services.console.embedded import NatsServer
from services.gateway.delivery.deliveries import Deliveries, delivering
from services.gateway.delivery.progress import Progress, ProgressStore
from services.gateway.profile_file import read
from services.gateway.profiles import Profiles
from shared.eventlog import streams
from shared.eventlog.connection import connect
from shared.eventlog.log import Log
from shared.events.base import Identifier
from shared.events.outbound import STATUS_TYPE, OutboundEnvelope, ReferralStatus
from shared.settings import Settings

KEY: Final = "a key of sixteen or more"
SPACE: Final = UUID(int=7)
BEGINNING: Final = datetime(2026, 3, 3, 15, tzinfo=UTC)
SUBSCRIPTION: Final = str(UUID(int=99))
PATIENCE_SECONDS: Final = 30.0


def referral_of(number: str) -> UUID:
    return uuid5(SPACE, number)


def status_of(number: str, status: str, source: str = "lake") -> OutboundEnvelope:
    """The same words make the same message."""
    at = BEGINNING + timedelta(minutes=sum(map(ord, status)))
    return OutboundEnvelope(
        specversion="1.0",
        id=uuid5(SPACE, f"{source}|{number}|{status}"),
        source="/throughcare/intake",
        type=STATUS_TYPE,
        time=at,
        datacontenttype="application/json",
        data=ReferralStatus(
            referral=referral_of(number),
            participant=uuid5(SPACE, f"person {number}"),
            placer=Identifier("LAKEREF", number, "PLAC"),
            status=status,
            because="throughcare.intake.ReferralAccepted",
            at=at,
            reason="no-capacity" if status == "rejected" else None,
        ),
    )


class Edge:
    """A log, and what is owed in it."""

    def __init__(self, client: Client, nats: NatsServer) -> None:
        self.client = client
        self.log = Log(client)
        self.nats = nats

    async def owe(self, *told: tuple[str, str], source: str = "lake") -> None:
        """Owe a sender statuses of referrals by the sender's numbers."""
        for number, status in told:
            payload = msgspec.json.encode(status_of(number, status, source))
            await self.log.publish(f"outbound.{source}.status", payload, {})

    async def progress(self, key: str = "lake.mllp") -> Progress:
        return (await ProgressStore(self.log).read(key)).progress

    async def until_progress(
        self, holds: Callable[[Progress], bool], key: str = "lake.mllp", seconds: float = PATIENCE_SECONDS
    ) -> Progress:
        """Wait until a channel's progress is so."""
        async with asyncio.timeout(seconds):
            while not holds(progress := await self.progress(key)):  # noqa: ASYNC110 (it happens in servers)
                await asyncio.sleep(0.01)
        return progress

    async def subscribe(self, endpoint: str, *, source: str = "lake", **changes: str | None) -> str:
        """Keep a Subscription as the FHIR side does."""
        channel = {
            "type": "rest-hook",
            "endpoint": endpoint,
            "payload": changes.pop("payload", "application/fhir+json"),
            "header": ["Authorization: Bearer theirs"],
        }
        resource = {
            "resourceType": "Subscription",
            "id": SUBSCRIPTION,
            "status": "active",
            "reason": "To know",
            "criteria": "Task",
            "channel": channel,
            **changes,
        }
        subject = f"$KV.SUBSCRIPTIONS.{source}.{SUBSCRIPTION}"
        await self.log.publish(subject, msgspec.json.encode(resource), {})
        return f"{source}.rest-hook-{SUBSCRIPTION}"

    async def subscription(self, source: str = "lake") -> dict[str, Any]:
        stored = await self.log.next("KV_SUBSCRIPTIONS", f"$KV.SUBSCRIPTIONS.{source}.{SUBSCRIPTION}", 1)
        assert stored is not None
        return msgspec.json.decode(stored.payload, type=dict[str, Any])


@asynccontextmanager
async def edge_of(nats: NatsServer) -> AsyncGenerator[Edge]:
    client = await connect(settings_of(nats), name="test")
    try:
        await streams.apply(client, 1)
        yield Edge(client, nats)
    finally:
        await client.close()


def settings_of(nats: NatsServer) -> Settings:
    return Settings(
        nats_url=nats.url,
        nats_monitor_url=nats.monitor_url,
        database_url="postgresql://127.0.0.1/not-used",
        identifier_key=KEY,
        delivery_retry_seconds=0.05,
        delivery_retry_max_seconds=0.2,
        delivery_lease_seconds=3.0,
    )


def agreed(port: int | None = None, *, private: bool = True, authority: Path | None = None) -> str:
    """Write profiles of one sender, whose token is lake."""
    tls = f", authority: {authority}" if authority else ""
    mllp = f"{{channel: mllp, host: 127.0.0.1, port: {port}{tls}}}, " if port else ""
    hook = f"{{channel: rest-hook, private: {str(private).lower()}}}"
    return (
        "profiles:\n"
        "  lake:\n"
        "    sender: {application: LAKEADT, facility: LAKESIDE}\n"
        "    source: lake\n"
        f"    delivery: [{mllp}{hook}]\n"
    )


class Agreed:
    """The file of profiles, which changes while a gateway runs."""

    def __init__(self, profiles: str) -> None:
        self.change(profiles)

    def change(self, profiles: str) -> None:
        self._told = read(profiles, ZoneInfo("America/New_York"))

    def now(self) -> Profiles:
        return self._told


@asynccontextmanager
async def gateway(
    edge: Edge, profiles: str | Agreed, *, first: float = 0.05, longest: float = 0.2
) -> AsyncGenerator[Deliveries]:
    """Deliver with a connection of its own while inside; pauses are of so many seconds, and at most."""
    settings = replace(
        settings_of(edge.nats), delivery_retry_seconds=first, delivery_retry_max_seconds=longest
    )
    client = await connect(settings, name="gateway")
    held = Agreed(profiles) if isinstance(profiles, str) else profiles
    try:
        async with delivering(settings, Log(client), held.now) as deliveries:
            yield deliveries
    finally:
        await client.close()


async def until(condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 (what is waited for happens in servers)
            await asyncio.sleep(0.01)
