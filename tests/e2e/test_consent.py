"""A consent that comes with a referral, through all services: what its sender is told until it ends."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest

from services.console.demo.fleet import Fleet
from services.console.waiting import until
from services.timeline import queries
from shared.commands.intake import RequestInformation
from shared.commands.reply import Appended
from shared.eventlog.client import CommandClient
from shared.eventlog.connection import connect
from shared.eventlog.log import Log
from shared.events.outbound import OutboundEnvelope
from shared.projections import postgres
from shared.settings import Settings
from tests.e2e.test_fhir_reading import HOSPITAL, TOKENS, expect, fleet, ports
from tests.unit.gateway.fhir_write.consents import actor, consent, permit
from tests.unit.gateway.fhir_write.resources import entry, referral_transaction

__all__ = ["fleet"]

pytestmark = pytest.mark.timeout(180)
SECONDS = 60.0
Json = dict[str, Any]


def with_referral() -> Json:
    told = referral_transaction()
    agreed = consent(patient={"reference": "Patient/p1"}, provision=permit(actor(HOSPITAL)))
    told["entry"].append(entry(agreed))
    return told


class Program:
    """The program asks its referrer something; what goes out is looked up."""

    def __init__(self, settings: Settings, client: httpx.AsyncClient, referral: UUID) -> None:
        self.settings = settings
        self.client = client
        self.referral = referral
        self.participant = UUID(int=0)

    async def task(self) -> Json:
        return (await self.client.get(f"/Task/{self.referral}")).json()

    async def is_referred(self) -> bool:
        task = await self.task()
        if task["resourceType"] != "Task":
            return False
        self.participant = UUID(task["for"]["reference"].rpartition("/")[2])
        return True

    async def has_consent(self, status: str) -> bool:
        found = (await self.client.get(f"/Consent?patient={self.participant}&status={status}")).json()
        return found["total"] == 1

    async def ask(self, what: str) -> None:
        command = RequestInformation(
            id=uuid4(),
            participant=self.participant,
            referral=self.referral,
            actor="coordinator:7",
            now=datetime.now(UTC),
            what=what,
        )
        nats = await connect(self.settings, name="test")
        assert isinstance(await CommandClient(nats).ask(command), Appended)
        await nats.close()

    async def told(self) -> list[tuple[str | None, bool]]:
        """Return the words of each status that was owed, and whether some were withheld."""
        nats = await connect(self.settings, name="test")
        stored = Log(nats).tail("OUTBOUND", f"outbound.{HOSPITAL}.status", 0)
        statuses = [msgspec.json.decode(each.payload, type=OutboundEnvelope).data async for each in stored]
        await nats.close()
        return [(each.reason, each.withheld) for each in statuses if each.reason or each.withheld]

    async def titles(self) -> list[str]:
        connection = await postgres.connect(self.settings.database_url)
        entries = await queries.timeline(connection, self.participant)
        await connection.close()
        return [entry.title for entry in entries]


async def test_a_referrer_is_told_and_reads_the_words_until_the_consent_is_taken_back(
    fleet: Fleet, nats_url: str, database: str
) -> None:
    settings = Settings(nats_url=nats_url, database_url=database, identifier_key="a key of the test only")
    base = f"http://127.0.0.1:{ports(fleet)['fhir']}/fhir"
    headers = {"Authorization": f"Bearer {TOKENS[HOSPITAL]}", "Content-Type": "application/fhir+json"}
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=30) as client:
        sent = await client.post("", content=msgspec.json.encode(with_referral()))
        assert sent.status_code == 200, sent.text
        places = [each["response"].get("location", "") for each in sent.json()["entry"]]
        [request] = [each for each in places if "/ServiceRequest/" in each]
        [place] = [each for each in places if "/Consent/" in each]
        program = Program(settings, client, UUID(request.rpartition("/")[2]))
        await expect(program.is_referred)
        await expect(lambda: program.has_consent("active"))
        await program.ask("Which medication?")

        async def reads_words() -> bool:
            return (await program.task()).get("statusReason") == {"text": "Which medication?"}

        assert await until(reads_words, SECONDS)
        kept = (await client.get(place)).json()
        ended = await client.put(place, content=msgspec.json.encode({**kept, "status": "inactive"}))
        assert ended.status_code == 200, ended.text
        await expect(lambda: program.has_consent("inactive"))
        task = await program.task()
        assert "statusReason" not in task
        assert task["meta"]["tag"][0]["code"] == "SUBSETTED"
        again = {"status": "requested", "note": [{"text": "aspirin"}]}
        answered = await client.patch(
            f"/Task/{program.referral}", json=again, headers={"Content-Type": "application/merge-patch+json"}
        )
        assert answered.status_code == 200, answered.text
        await expect(lambda: _is_back(program))
        await program.ask("And which dose?")

        async def is_told_both() -> bool:
            return await program.told() == [("Which medication?", False), (None, True)]

        await expect(is_told_both)
        wanted = {
            "Consent granted",
            "Consent revoked",
            f"Disclosed to {HOSPITAL}",
            f"Withheld from {HOSPITAL}",
        }

        async def is_on_the_timeline() -> bool:
            return wanted <= set(await program.titles())

        await expect(is_on_the_timeline)


async def _is_back(program: Program) -> bool:
    task = await program.task()
    return task["businessStatus"]["coding"][0]["code"] == "received"
