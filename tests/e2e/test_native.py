"""Senders that publish themselves, with credentials of their own, against all services."""

import asyncio
import json
import os
import shutil
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import msgspec
import pytest
from nats.aio.client import Client
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import PubAck
from nats.js.errors import APIError, NoStreamResponseError

from services.console.nats_accounts import SERVICES
from shared.commands.intake import AcceptReferral
from shared.commands.reply import Appended
from shared.eventlog.subjects import stream_of
from shared.events.base import Identifier
from shared.events.outbound import StatusEntry, StatusPage
from shared.events.received import GATEWAY
from shared.events.referral import ReferralReceived
from shared.events.registry import REGISTRY
from shared.identifiers import referral_id
from tests.e2e.deployment import Deployment

pytestmark = pytest.mark.timeout(120)

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "examples"
LAKESIDE, HILLTOP, STAYS_ONLY = "lakeside", "hill-top", "stays-only"
PASSWORDS = {name: f"password-of-{name}" for name in (SERVICES, LAKESIDE, HILLTOP, STAYS_ONLY)}
PROFILES = """
default: refuse
profiles:
  stays:
    source: stays-only
    messages: [ADT]
"""
ANSWER_SECONDS = 0.5  # of those who get no answer


@pytest.fixture(scope="module")
async def deployment() -> AsyncGenerator[Deployment]:
    directory = Path(tempfile.mkdtemp(prefix="throughcare-"))
    profiles = directory / "profiles.yaml"
    profiles.write_text(PROFILES)
    running = await Deployment.start(directory, passwords=PASSWORDS, profiles=profiles)
    yield running
    await running.stop()
    shutil.rmtree(directory)


class Sender(Client):
    """A connection of a sender; what the server refuses is kept."""

    refused: asyncio.Queue[str]

    async def violation(self) -> str:
        """Wait for what the server refused."""
        async with asyncio.timeout(10):
            return await self.refused.get()


@asynccontextmanager
async def sender(deployment: Deployment, source: str) -> AsyncGenerator[Sender]:
    client = Sender()
    client.refused = asyncio.Queue()

    async def keep(error: Exception) -> None:
        client.refused.put_nowait(str(error))

    await client.connect(
        deployment.settings.nats_url,
        user=source,
        password=PASSWORDS[source],
        allow_reconnect=False,
        error_cb=keep,
    )
    try:
        yield client
    finally:
        await client.close()


def referral(placer: str, **changes: object) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": uuid4().hex,
        "source": "https://lakeside.example/orders",
        "type": "throughcare.inbound.Referral",
        "time": datetime.now(UTC).isoformat(),
        "data": {
            "person": {"identifiers": [{"assigner": "LAKE", "value": f"P-{placer}"}]},
            "placer": {"assigner": "LAKE", "value": placer, "type": "PLAC"},
        },
        **changes,
    }


async def publish(
    client: Client, event: object, *, kind: str = "referral", headers: dict[str, str] | None = None
) -> PubAck:
    payload = event if isinstance(event, bytes) else json.dumps(event).encode()
    source = client.options["user"]
    return await JetStreamContext(client).publish(f"inbound.{source}.{kind}", payload, headers=headers)


async def refused(client: Client, event: object, *, kind: str = "referral") -> tuple[int | None, str | None]:
    """Publish what is refused; returns what the client raises of it."""
    with pytest.raises(APIError) as caught:
        await publish(client, event, kind=kind)
    return caught.value.code, caught.value.description


async def hear(client: Client, subject: str) -> Subscription:
    return await client.subscribe(subject)  # pyright: ignore[reportUnknownMemberType] -- a future's type is open


async def page(client: Client, **asked: object) -> list[StatusEntry]:
    source = client.options["user"]
    answer = await client.request(f"status.{source}.next", json.dumps(asked).encode(), timeout=10)
    told = msgspec.json.decode(answer.data, type=StatusPage)
    assert told.error is None
    return list(told.entries)


def names(entries: list[StatusEntry]) -> list[tuple[str, str]]:
    return [(entry.event.data.placer.value, entry.event.data.status) for entry in entries]


async def received(deployment: Deployment, placer: str) -> list[ReferralReceived]:
    """Return what the log holds of a referral's receipt."""
    referral = referral_id(Identifier("LAKE", placer, "PLAC"), deployment.settings.identifier_key)
    found = [
        REGISTRY.decode(message.payload).data
        for k in range(deployment.settings.partitions)
        async for message in deployment.log.tail(stream_of(k), f"care.{k}.referral.{referral}", 0)
    ]
    return [event for event in found if isinstance(event, ReferralReceived)]


async def accept(deployment: Deployment, assigner: str, placer: str) -> None:
    """Take a referral on, as a coordinator does."""
    referral = referral_id(Identifier(assigner, placer, "PLAC"), deployment.settings.identifier_key)
    async with deployment.database() as database:
        whose = await database.fetchval(
            "select participant from read.referral_status where referral = $1", referral
        )
    command = AcceptReferral(
        id=uuid4(),
        participant=whose,
        referral=referral,
        actor="coordinator:7",
        now=datetime.now(UTC),
        owner="coordinator:7",
    )
    assert isinstance(await deployment.ask(command), Appended)


@asynccontextmanager
async def example(deployment: Deployment, name: str, folder: Path) -> AsyncGenerator[Process]:
    """Run an example as it is written, as the hospital's user."""
    told = {"NATS_URL": deployment.settings.nats_url, "NATS_USER": LAKESIDE}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        EXAMPLES / name,
        stdout=PIPE,
        cwd=folder,
        env={**os.environ, **told, "NATS_PASSWORD": PASSWORDS[LAKESIDE]},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def line(process: Process) -> list[str]:
    assert process.stdout is not None
    async with asyncio.timeout(30):
        return (await process.stdout.readline()).decode().split()


async def test_the_examples_refer_somebody_and_follow_the_referral_from_their_cursor(
    deployment: Deployment, tmp_path: Path
):
    cursor = tmp_path / "status.cursor"
    async with example(deployment, "refer_by_nats.py", tmp_path) as refer:
        told = await line(refer)
    assert (told[0], told[2:4]) == ("Referral", ["is", "stored:"])
    assert told[4].startswith("INBOUND/")
    placer = told[1]
    async with example(deployment, "follow_status.py", tmp_path) as follow:
        assert (await line(follow))[:2] == [placer, "received"]
        await deployment.until("the cursor is kept", cursor.exists)
    await deployment.caught_up()
    await accept(deployment, "EXAMPLE", placer)
    async with example(deployment, "follow_status.py", tmp_path) as follow:
        assert (await line(follow))[:2] == [placer, "accepted"]
    cursor.unlink()
    async with example(deployment, "follow_status.py", tmp_path) as follow:
        assert [(await line(follow))[1] for _ in range(2)] == ["received", "accepted"]


async def test_statuses_are_read_from_any_cursor_and_since_any_time(deployment: Deployment):
    async with sender(deployment, HILLTOP) as client:
        assert await page(client) == []
        news = await hear(client, f"outbound.{HILLTOP}.status")
        for placer in ("C-1", "C-2", "C-3"):
            await publish(client, referral(placer))
            await news.next_msg(timeout=30)  # and so its status is in OUTBOUND
        told = await page(client)
        assert names(told) == [("C-1", "received"), ("C-2", "received"), ("C-3", "received")]
        assert names(await page(client, after=told[0].sequence)) == names(told[1:])
        assert names(await page(client, after=told[2].sequence)) == []
        assert names(await page(client, most=2)) == names(told[:2])
        assert names(await page(client, since=told[1].recorded.isoformat())) == names(told[1:])
        assert names(await page(client, since=datetime.now(UTC).isoformat())) == []
        assert names(await page(client)) == names(told)


async def test_what_a_cursor_cannot_be_is_answered_with_what_is_wrong(deployment: Deployment):
    async with sender(deployment, LAKESIDE) as client:
        for asked in (
            b"[]",
            b"{",
            b'{"after": -1}',
            b'{"most": 101}',
            b'{"before": 3}',
            b'{"since": "2026-01-01"}',
        ):
            answer = await client.request(f"status.{LAKESIDE}.next", asked, timeout=10)
            assert msgspec.json.decode(answer.data, type=StatusPage).error is not None


async def test_the_same_message_again_is_one_referral_and_two_senders_may_use_the_same_id(
    deployment: Deployment,
):
    event, other = referral("S-1", id="1"), referral("S-2", id="1")
    async with sender(deployment, LAKESIDE) as lakeside, sender(deployment, HILLTOP) as hilltop:
        first, again = await publish(lakeside, event), await publish(lakeside, event)
        assert (again.seq, bool(first.duplicate), again.duplicate) == (first.seq, False, True)
        assert (await publish(hilltop, other)).seq != first.seq
    await deployment.caught_up()
    assert len(await received(deployment, "S-1")) == len(await received(deployment, "S-2")) == 1


async def test_who_says_that_it_is_the_gateway_is_not_believed(deployment: Deployment):
    """The id of a message of the gateway, sent by somebody else, neither hides nor becomes that message."""
    own = str(uuid4())
    async with sender(deployment, LAKESIDE) as lakeside, sender(deployment, HILLTOP) as hilltop:
        for client, placer in ((hilltop, "G-1"), (lakeside, "G-2")):
            await publish(client, referral(placer, id=own, source=GATEWAY))
    await deployment.caught_up()
    [first], [second] = await received(deployment, "G-1"), await received(deployment, "G-2")
    assert first.message is not None
    assert second.message is not None
    assert first.message.inbound_id != second.message.inbound_id
    assert own not in (first.message.inbound_id, second.message.inbound_id)


@pytest.mark.parametrize(
    "headers",
    [
        {"Nats-Msg-Id": "20260301-1"},
        {"Nats-Batch-Id": "open", "Nats-Batch-Sequence": "1"},
        {"Nats-Expected-Stream": "CARE_0", "Nats-Expected-Last-Sequence": "0", "Nats-Rollup": "all"},
        {"Nats-TTL": "1s"},
    ],
    ids=lambda headers: next(iter(headers)),
)
async def test_the_headers_of_a_sender_count_for_nothing(deployment: Deployment, headers: dict[str, str]):
    """An id in them would be one with another sender's, and a batch would be held open."""
    before = await deployment.last("INBOUND")
    async with sender(deployment, LAKESIDE) as lakeside, sender(deployment, HILLTOP) as hilltop:
        for number, client in enumerate((lakeside, hilltop), 1):
            ack = await publish(client, referral(f"H-{uuid4()}"), headers=headers)
            assert (ack.stream, ack.seq, bool(ack.duplicate)) == ("INBOUND", before + number, False)


async def test_what_cannot_be_read_or_does_not_agree_is_refused_and_nothing_of_it_is_stored(
    deployment: Deployment,
):
    good = referral("P-1")
    data = good["data"]
    other_kind = "A Referral is of the kind referral; the subject ends otherwise."
    other_source = "data.source names another sender than the subject."
    before = await deployment.last("INBOUND")
    async with sender(deployment, LAKESIDE) as client:
        assert (await refused(client, b"no JSON"))[0] == 400
        assert (await refused(client, b""))[0] == 400
        assert await refused(client, good, kind="adt") == (400, other_kind)
        assert await refused(client, good, kind="made-up") == (400, other_kind)
        told = referral("P-2", data={**data, "source": HILLTOP})
        assert await refused(client, told) == (403, other_source)
        told = referral("P-3", data={**data, "priority": "Ada Lovelace"})
        assert await refused(client, told) == (400, "Invalid enum value - at `data.priority`.")
        assert await deployment.last("INBOUND") == before
        await publish(client, good)
    await deployment.caught_up()
    assert len(await received(deployment, "P-1")) == 1


async def test_what_would_not_fit_the_log_with_its_original_is_refused(deployment: Deployment):
    long = referral("L-1")
    long["data"]["documents"] = ["x" * (deployment.nats.max_payload * 2 // 3)]
    async with sender(deployment, LAKESIDE) as client:
        code, sentence = await refused(client, long)
    assert code == 413
    assert sentence is not None
    assert sentence.startswith("The message makes more than the ")


async def test_the_messages_of_a_profile_hold(deployment: Deployment):
    async with sender(deployment, STAYS_ONLY) as client:
        assert await refused(client, referral("M-1")) == (
            403,
            "The profile of this source does not let it send this type: it counts as REF^I12.",
        )
        stay = {
            "person": referral("M-1")["data"]["person"],
            "visit": {"facility": "LAKE", "visit_number": "1"},
        }
        admission = referral("M-1", type="throughcare.inbound.Admission", data=stay)
        assert (await publish(client, admission, kind="adt")).stream == "INBOUND"


async def test_what_a_gateway_stored_and_did_not_acknowledge_is_the_same_message_when_it_is_sent_again(
    deployment: Deployment,
):
    event = referral("K-1")
    before = await deployment.last("INBOUND")
    async with sender(deployment, LAKESIDE) as client:
        gateway = deployment.service("gateway")
        await client.publish(
            f"inbound.{LAKESIDE}.referral", json.dumps(event).encode()
        )  # nobody hears the answer

        async def is_stored() -> bool:
            return await deployment.last("INBOUND") == before + 1

        await deployment.until("the message is stored", is_stored)
        deployment.kill(gateway.name)
        with pytest.raises(NoStreamResponseError):  # no responders: at once, for no gateway runs
            await publish(client, event)
        deployment.restart(gateway.name)
        await deployment.wait_ready(gateway.name)
        again = await publish(client, event)
    assert (again.seq, again.duplicate) == (before + 1, True)
    await deployment.caught_up()
    assert len(await received(deployment, "K-1")) == 1


async def last_of_all(deployment: Deployment) -> list[int]:
    streams = [stream_of(k) for k in range(deployment.settings.partitions)]
    return [await deployment.last(each) for each in (*streams, "INBOUND", "OUTBOUND", "TIMERS", "PARKED")]


@pytest.mark.parametrize(
    "subject",
    [
        f"inbound.{HILLTOP}.referral",
        f"inbound.{LAKESIDE}.referral.more",
        f"native.{LAKESIDE}.referral",
        f"native.{HILLTOP}.referral",
        f"outbound.{LAKESIDE}.status",
        f"status.{HILLTOP}.next",
        "care.0.participant.x",
        "timers.due.aftercare.x",
        "parked.intake.intake",
        "command.intake.AcceptReferral",
        "replay.intake",
        "deliver.intake",
        "$KV.HELD.x.1",
        "$JS.API.INFO",
        "$JS.API.STREAM.INFO.CARE_0",
        "$JS.API.STREAM.PURGE.INBOUND",
        "$JS.API.DIRECT.GET.OUTBOUND",
        "$JS.API.CONSUMER.INFO.INBOUND.intake",
        f"$JS.API.CONSUMER.CREATE.OUTBOUND.mine.outbound.{LAKESIDE}.status",
        "$JS.API.CONSUMER.MSG.NEXT.OUTBOUND.mine",
        "$JS.ACK.INBOUND.intake.1.1.1.1.0",
        "$SYS.REQ.SERVER.PING",
    ],
)
async def test_a_sender_publishes_nothing_but_its_own(deployment: Deployment, subject: str):
    await deployment.caught_up()
    before = await last_of_all(deployment)
    async with sender(deployment, LAKESIDE) as client:
        with pytest.raises((NatsError, TimeoutError)):
            await client.request(subject, b"{}", timeout=ANSWER_SECONDS)
        assert subject.lower() in await client.violation()
    assert await last_of_all(deployment) == before


@pytest.mark.parametrize(
    "subject",
    [">", "*.>", f"outbound.{HILLTOP}.status", "outbound.*.status", "inbound.>", "care.>", "projected.*"],
)
async def test_a_sender_hears_nothing_but_its_own(deployment: Deployment, subject: str):
    async with sender(deployment, LAKESIDE) as client:
        await hear(client, subject)
        assert f'subscription to "{subject}"' in await client.violation()


@pytest.mark.parametrize(
    "reply", ["care.0.participant.x", f"inbound.{HILLTOP}.referral", f"native.{HILLTOP}.adt"]
)
async def test_an_answer_goes_nowhere_but_to_the_sender(deployment: Deployment, reply: str):
    """Whom to answer is the asker's word; in an account of its own that leads nowhere else."""
    await deployment.caught_up()
    before = await last_of_all(deployment)
    async with sender(deployment, LAKESIDE) as client:
        await client.publish(f"status.{LAKESIDE}.next", b"{}", reply=reply)
        await page(client)  # the answer before it was given
    assert await last_of_all(deployment) == before


@pytest.mark.parametrize(
    ("user", "password"), [("", ""), (LAKESIDE, ""), (LAKESIDE, "wrong"), (SERVICES, PASSWORDS[LAKESIDE])]
)
async def test_without_the_password_nobody_is_let_in(deployment: Deployment, user: str, password: str):
    """As the protocol says it: nats-py leaves the socket open of a server that lets it not in."""
    address = urlsplit(deployment.settings.nats_url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    assert json.loads((await reader.readline()).removeprefix(b"INFO "))["auth_required"]
    told = json.dumps({"verbose": False, "pedantic": False, "user": user, "pass": password})
    writer.write(f"CONNECT {told}\r\nPING\r\n".encode())
    assert await reader.readline() == b"-ERR 'Authorization Violation'\r\n"
    writer.close()
    await writer.wait_closed()
