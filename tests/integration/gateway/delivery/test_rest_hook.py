"""FHIR Subscriptions, on a real log with a real receiver."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType

import pytest
import trustme

from services.console.embedded import NatsServer
from services.gateway.delivery.signature import is_genuine, secret_of
from services.gateway.delivery.subscription import entries
from services.gateway.mllp.tls import server_context
from shared.eventlog.log import Log, StoredMessage
from tests.integration.gateway.delivery.edge import (
    KEY,
    PATIENCE_SECONDS,
    SUBSCRIPTION,
    Edge,
    agreed,
    edge_of,
    gateway,
    referral_of,
    status_of,
    until,
)
from tests.integration.gateway.delivery.receivers import Call, HttpReceiver, MllpReceiver, free_port


@pytest.fixture
async def edge(nats_server: NatsServer) -> AsyncGenerator[Edge]:
    async with edge_of(nats_server) as made:
        yield made


def statuses(calls: list[Call]) -> list[str]:
    return [call.task["businessStatus"]["coding"][0]["code"] for call in calls]


async def until_subscription_is(edge: Edge, status: str) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await edge.subscription())["status"] != status:  # noqa: ASYNC110 (it happens in servers)
            await asyncio.sleep(0.01)


async def test_a_task_is_posted_signed_and_with_the_headers_of_the_subscription(edge: Edge):
    async with HttpReceiver() as hospital, gateway(edge, agreed()):
        await edge.subscribe(hospital.url)
        await edge.owe(("R-1", "accepted"))
        await until(lambda: len(hospital.calls) == 1)
        [call] = hospital.calls
        assert call.path == "/told?by=throughcare"
        assert call.headers["host"] == f"127.0.0.1:{hospital.port}"
        assert call.headers["content-type"] == "application/fhir+json"
        assert call.headers["authorization"] == "Bearer theirs"
        delivery = call.headers["throughcare-delivery"]
        assert delivery == str(status_of("R-1", "accepted").id)
        told = call.headers["throughcare-signature"]
        secret = secret_of(SUBSCRIPTION, KEY)
        assert is_genuine(secret, delivery, call.body, told, datetime.now(UTC))
        assert not is_genuine(secret, delivery, call.body + b" ", told, datetime.now(UTC))
        assert call.task["id"] == str(referral_of("R-1"))
        assert call.task["status"] == "accepted"


async def test_the_authorities_that_are_trusted_are_not_read_again_for_every_call(edge: Edge):
    read = 0

    def count(_: FrameType, event: str, called: object) -> None:
        nonlocal read
        read += event == "c_call" and getattr(called, "__name__", "") == "load_verify_locations"

    async with HttpReceiver() as hospital, gateway(edge, agreed()):
        await edge.subscribe(hospital.url)
        sys.setprofile(count)
        try:
            await edge.owe(("R-1", "received"), ("R-1", "accepted"), ("R-2", "received"))
            await until(lambda: len(statuses(hospital.calls)) == 3)
        finally:
            sys.setprofile(None)
    assert read <= 1


async def test_a_subscription_tells_of_what_comes_after_it(edge: Edge):
    await edge.owe(("R-1", "received"))
    async with HttpReceiver() as hospital:
        await edge.subscribe(hospital.url)
        await edge.owe(("R-1", "accepted"))
        async with gateway(edge, agreed()):
            await until(lambda: len(hospital.calls) == 1)
        assert statuses(hospital.calls) == ["accepted"]


async def test_without_a_payload_the_call_is_empty(edge: Edge):
    async with HttpReceiver() as hospital, gateway(edge, agreed()):
        await edge.subscribe(hospital.url, payload=None)
        await edge.owe(("R-1", "accepted"))
        await until(lambda: len(hospital.calls) == 1)
        assert hospital.calls[0].body == b""


@pytest.mark.parametrize(
    "criteria",
    [
        "Task?status=completed,rejected",
        "Task?status=http://hl7.org/fhir/task-status|completed",
        "Task?business-status=completed",
    ],
)
async def test_criteria_leave_out_what_they_do_not_name(edge: Edge, criteria: str):
    async with HttpReceiver() as hospital, gateway(edge, agreed()):
        await edge.subscribe(hospital.url, criteria=criteria)
        await edge.owe(("R-1", "received"), ("R-1", "accepted"), ("R-1", "completed"))
        await until(lambda: len(hospital.calls) == 1)
        assert statuses(hospital.calls) == ["completed"]


@pytest.mark.parametrize("status", [503, 429, 302, 404, 410])
async def test_an_endpoint_in_trouble_is_tried_until_it_is_well_and_the_subscription_says_so(
    edge: Edge, status: int
):
    async with HttpReceiver() as hospital, gateway(edge, agreed()):
        hospital.status = status
        hospital.extra_headers = [(b"location", hospital.url.encode())]
        await edge.subscribe(hospital.url)
        await edge.owe(("R-1", "received"), ("R-1", "accepted"))
        await until(lambda: len(hospital.calls) >= 3)
        assert set(statuses(hospital.calls)) == {"received"}
        await until_subscription_is(edge, "error")
        assert str(status) in (await edge.subscription())["error"]
        hospital.status = 204
        hospital.calls.clear()
        await until(lambda: "accepted" in statuses(hospital.calls))
        await until_subscription_is(edge, "active")
        assert "error" not in await edge.subscription()


async def test_a_call_that_is_refused_holds_up_its_referral_only(edge: Edge):
    async with HttpReceiver() as hospital, gateway(edge, agreed()):
        hospital.answers = {"R-1": 422}
        await edge.subscribe(hospital.url)
        await edge.owe(("R-1", "received"), ("R-1", "accepted"), ("R-2", "completed"))
        await until(lambda: "completed" in statuses(hospital.calls))
        assert "accepted" not in statuses(hospital.calls)
        hospital.answers = {}
        await until(lambda: "accepted" in statuses(hospital.calls))


async def test_a_private_address_is_called_only_where_the_profile_allows_it(edge: Edge):
    async with HttpReceiver() as hospital:
        async with gateway(edge, agreed(private=False)):
            await edge.subscribe(hospital.url)
            await edge.owe(("R-1", "accepted"))
            await until_subscription_is(edge, "error")
            assert "private address" in (await edge.subscription())["error"]
        assert hospital.calls == []
        async with gateway(edge, agreed()):
            await until(lambda: len(hospital.calls) == 1)


async def test_a_subscription_that_is_deleted_is_told_no_more_and_forgotten(edge: Edge):
    async with HttpReceiver() as hospital, gateway(edge, agreed()):
        key = await edge.subscribe(hospital.url)
        await edge.owe(("R-1", "received"))
        await edge.until_progress(lambda progress: progress.delivered == 1, key)
        await edge.log.publish(f"$KV.SUBSCRIPTIONS.lake.{SUBSCRIPTION}", b"", {"KV-Operation": "DEL"})
        await edge.until_progress(lambda progress: not progress.cursor, key)
        await edge.owe(("R-1", "accepted"))
    assert statuses(hospital.calls) == ["received"]


async def test_a_subscription_that_is_deleted_while_all_are_read_is_read_once_as_deleted(edge: Edge):
    class Disturbed(Log):
        async def next(self, stream: str, subject: str, sequence: int) -> StoredMessage | None:
            stored = await super().next(stream, subject, sequence)
            if sequence == 1:
                await edge.log.publish(f"$KV.SUBSCRIPTIONS.lake.{SUBSCRIPTION}", b"", {})
            return stored

    await edge.subscribe("http://127.0.0.1:1")
    assert [each.is_deleted for each in await entries(Disturbed(edge.client))] == [True]


async def test_an_endpoint_that_hangs_is_tried_again(edge: Edge):
    async with HttpReceiver() as hospital, gateway(edge, agreed()):
        hospital.hangs = True
        await edge.subscribe(hospital.url)
        await edge.owe(("R-1", "accepted"))
        await until_subscription_is(edge, "error")
        assert "no answer within 1 seconds" in (await edge.subscription())["error"]
        hospital.hangs = False
        hospital.calls.clear()
        await until_subscription_is(edge, "active")
        assert set(statuses(hospital.calls)) == {"accepted"}


@pytest.mark.parametrize("length", [b"Transfer-Encoding: chunked", b"Content-Length: 100"])
@pytest.mark.parametrize("hangs", [True, False], ids=["hangs", "hangs up"])
async def test_an_answer_of_200_is_an_arrival_though_its_body_never_ends(
    edge: Edge, *, length: bytes, hangs: bool
):
    over = asyncio.Event()

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n\r\n5\r\nhello\r\n")
        if hangs:
            await over.wait()
        writer.close()

    server = await asyncio.start_server(peer, "127.0.0.1", 0)
    try:
        async with gateway(edge, agreed()):
            key = await edge.subscribe(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
            await edge.owe(("R-1", "received"))
            told = await edge.until_progress(lambda progress: progress.delivered + progress.attempts > 0, key)
            assert (told.delivered, told.problem) == (1, None)
    finally:
        over.set()
        server.close()


async def test_a_subscription_names_the_fault_of_its_endpoints_certificate_and_address(
    edge: Edge, tmp_path: Path
):
    issued = tmp_path / "receiver.pem"
    trustme.CA().issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(issued))
    async with MllpReceiver(tls=server_context(issued)) as hospital, gateway(edge, agreed()):
        key = await edge.subscribe(f"https://127.0.0.1:{hospital.port}/")
        await edge.owe(("R-1", "received"))
        told = await edge.until_progress(lambda progress: progress.problem is not None, key)
        assert "certificate verify failed" in (told.problem or "")
        await edge.subscribe(f"https://127.0.0.1:{free_port()}/")
        await edge.until_progress(lambda progress: "Connect call failed" in (progress.problem or ""), key)


async def test_an_endpoint_that_asks_to_be_left_alone_for_a_while_is(edge: Edge):
    async with HttpReceiver() as hospital, gateway(edge, agreed(), longest=3_600.0):
        hospital.status = 503
        hospital.extra_headers = [(b"retry-after", b"1800")]
        key = await edge.subscribe(hospital.url)
        await edge.owe(("R-1", "accepted"))
        progress = await edge.until_progress(lambda progress: progress.attempts == 1, key)
        assert progress.next_attempt is not None
        assert timedelta(minutes=29) < progress.next_attempt - datetime.now(UTC) <= timedelta(minutes=30)


async def test_a_subscription_is_active_when_somebody_delivers_and_off_at_its_end(edge: Edge):
    async with HttpReceiver() as hospital, gateway(edge, agreed()):
        await edge.subscribe(hospital.url, status="requested")
        await until_subscription_is(edge, "active")
        await edge.subscribe(hospital.url, status="requested", end="2026-01-01T00:00:00Z")
        await until_subscription_is(edge, "off")
        await edge.subscribe(hospital.url, status="requested")
        await until_subscription_is(edge, "active")
        await edge.owe(("R-1", "accepted"))
        await until(lambda: len(hospital.calls) == 1)


async def test_where_the_profile_has_no_subscriptions_any_more_the_subscription_says_so(edge: Edge):
    async with gateway(edge, agreed().replace("[{channel: rest-hook, private: true}]", "none")):
        await edge.subscribe("https://hospital.example/told")
        await until_subscription_is(edge, "error")
        assert "agreed" in (await edge.subscription())["error"]
