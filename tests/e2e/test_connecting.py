"""Every sample of docs/connecting.md, sent to a running site: answered as the document says."""

import json
import re
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.errors import APIError

from services.console.place import nats_of
from services.console.waiting import until
from services.gateway.mllp.client import send
from shared.eventlog.log import Log
from shared.eventlog.parking import Parking
from shared.eventlog.subjects import stream_of
from shared.events.registry import REGISTRY
from tests.e2e.site import Site, open_site

pytestmark = pytest.mark.timeout(180)

DOCS = Path(__file__).resolve().parents[2] / "docs"
TEXT = (DOCS / "connecting.md").read_text()
ROW = re.compile(r"\| \[([\w.-]+)\]\(examples/\1\) \| (.+) \|")
PORTAL, CLINIC = "county-portal", "county-clinic"
SECONDS = 30.0


def samples(title: str) -> list[list[str]]:
    """Return the rows of a table of samples: file, what is said of it, what it becomes."""
    section = TEXT.partition(f"### Samples: {title}\n")[2].partition("\n## ")[0]
    return [[match[1], *match[2].split(" | ")] for match in ROW.finditer(section)]


@pytest.fixture(scope="module")
async def site() -> AsyncGenerator[Site]:
    async with open_site(PORTAL, CLINIC) as opened:
        yield opened


class Outcome:
    """What the log gains by one sample."""

    def __init__(self, nats: Client, site: Site) -> None:
        self._log = Log(nats)
        self._parking = Parking(self._log)
        self._reached = dict.fromkeys(range(site.settings.partitions), 0)

    async def new(self) -> list[str]:
        """Read what the log gained since the last time."""
        names: list[str] = []
        for k, reached in self._reached.items():
            async for message in self._log.tail(stream_of(k), f"care.{k}.>", reached):
                self._reached[k] = message.sequence
                names.append(type(REGISTRY.decode(message.payload).data).__name__)
        return names

    async def expect(self, file: str, told: str) -> None:
        """Wait until an event is there that was not before, or something is parked for the reason told."""
        words = re.findall(r"`(.+?)`", told)
        came = self._is_parked if told.startswith("parked") else self._is_there
        if not told.startswith("nothing"):
            assert await until(lambda: came(words[0]), SECONDS), f"{file} did not become {told}."

    async def _is_there(self, event: str) -> bool:
        return event in await self.new()

    async def _is_parked(self, reason: str) -> bool:
        return any(reason in entry.reason for _, entry in await self._parking.entries())


async def test_hl7_v2(site: Site):
    host, _, port = site.mllp.rpartition(":")
    rows = samples("HL7 v2")
    assert len(rows) > 25
    async with nats_of(site.settings) as nats:
        outcome = Outcome(nats, site)
        await outcome.new()
        for file, told, becomes in rows:
            message = (DOCS / "examples" / file).read_bytes()
            [answer] = [each async for each in send(host, int(port), [message])]
            code, _, place = told.partition(" at ")
            assert (answer.code, answer.error.partition(":")[0]) == (code, place), (file, answer)
            await outcome.expect(file, becomes)


async def test_fhir(site: Site):
    rows = samples("FHIR")
    assert len(rows) > 10
    authorization = {"Authorization": f"Bearer {site.secret}-{PORTAL}"}
    root = site.fhir.removesuffix("/fhir")
    async with nats_of(site.settings) as nats, httpx.AsyncClient(headers=authorization) as client:
        outcome = Outcome(nats, site)
        await outcome.new()
        for file, to, status, becomes in rows:
            method, path = to.strip("`").split()
            answer = await client.request(
                method,
                f"{root}{path}",
                content=(DOCS / "examples" / file).read_bytes(),
                headers={"Content-Type": "application/fhir+json"},
            )
            assert answer.status_code == int(status), (file, answer.text)
            await outcome.expect(file, becomes)


async def test_cloudevents(site: Site):
    rows = samples("CloudEvents")
    assert len(rows) > 10
    sender = Client()
    await sender.connect(site.nats, user=CLINIC, password=site.secret)
    async with nats_of(site.settings) as nats:
        outcome = Outcome(nats, site)
        await outcome.new()
        for file, kind, becomes in rows:
            payload = (DOCS / "examples" / file).read_bytes()
            assert json.loads(payload)["specversion"] == "1.0"
            subject = f"inbound.{CLINIC}.{kind.strip('`')}"
            if refused := re.fullmatch(r"refused, (\d+): `(.+)`", becomes.strip()):
                with pytest.raises(APIError, match=refused[2]) as caught:
                    await JetStreamContext(sender).publish(subject, payload)
                assert caught.value.code == int(refused[1])
                continue
            ack = await JetStreamContext(sender).publish(subject, payload)
            assert ack.stream == "INBOUND"
            await outcome.expect(file, becomes)
    await sender.close()
