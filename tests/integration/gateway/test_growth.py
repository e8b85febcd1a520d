"""A gateway that hostile senders talked to for a while: it answered every one, and is as small as before."""

import asyncio
import subprocess
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from shutil import which

import httpx
import msgspec
import pytest

from services.console.commands.apply import apply_all
from services.console.demo.fleet import Fleet
from services.gateway.mllp.client import send
from tests.integration.gateway.fhir.reading import project
from tests.own_settings import own_settings
from tests.unit.gateway.fhir_write.resources import alert, contained_referral, phq9, referral_transaction
from tests.unit.gateway.messages import discharge, msh, referral, text

PS = [which("ps") or "ps", "-o", "rss=", "-p"]
TOKEN = "hostile-token-0123456789"
ROUND = 400  # of messages, and half as many requests
ROUNDS = 5
FILLING = "x" * 20_000
SIGNS = b'|^~\\&\r\n"{}[]:,\x00\x01\xff\xc3\xa9\xed\xa0\x80' + b"0123456789"
FRAMES = bytes((0x0B, 0x1C))
MESSAGES = (
    discharge(f"NTE|1||{FILLING}"),
    referral(f"NTE|1||{FILLING}"),
    text(msh("ORU^R01"), "PID|1||7", f"OBX|1|NM|44260-8^Q^LN||{FILLING}||||||F"),
)
RESOURCES = [
    ("/ServiceRequest", contained_referral(note=[{"text": FILLING}])),
    ("/QuestionnaireResponse", phq9([1] * 9, "#p1", contained=[contained_referral()["contained"][0]])),
    ("", referral_transaction()),
    ("/$process-message", alert()),
]


@dataclass
class Gateway:
    """A running gateway: its ports and its process."""

    mllp: int
    fhir: int
    admin: str
    pid: int

    def resident(self) -> int:
        """Return what it has of the memory, in kB."""
        told = subprocess.run([*PS, str(self.pid)], capture_output=True, check=True)
        return int(told.stdout)


@pytest.fixture
async def gateway(nats_url: str, database: str, servers_directory: Path) -> AsyncGenerator[Gateway]:
    settings = own_settings(
        nats_url,
        database,
        fhir_tokens=f"hostile={TOKEN}",
    )
    await apply_all(settings)
    await project(database)
    with Fleet(settings, servers_directory / "services", ("gateway",)) as fleet:
        (told,) = fleet.reached()
        yield Gateway(told.ports["mllp"], told.ports["fhir"], told.admin, fleet["gateway"].pid)


async def test_hostile_senders_are_answered_and_leave_nothing_behind(gateway: Gateway):
    chance = Random(1)  # noqa: S311 -- the same hostility every time
    await _one_round(gateway, chance)
    before, measures = gateway.resident(), await _measures(gateway)
    for _ in range(ROUNDS):
        await _one_round(gateway, chance)
    assert gateway.resident() - before < 12_000  # kB; what was sent meanwhile has 40 MB
    assert await _measures(gateway) - measures < 20


async def _one_round(gateway: Gateway, chance: Random) -> None:
    await asyncio.gather(
        _talk_nonsense(gateway, chance), _send_messages(gateway, chance), _send_requests(gateway, chance)
    )


async def _send_messages(gateway: Gateway, chance: Random) -> None:
    messages = [_spoilt(chance.choice(MESSAGES), chance) for _ in range(ROUND)]
    answers = [each async for each in send("127.0.0.1", gateway.mllp, messages, window=16)]
    assert len(answers) == ROUND
    assert {each.code for each in answers} <= {"AA", "AE", "AR", "CA", "CE", "CR"}, answers
    assert {"AA", "AR"} <= {each.code for each in answers}


async def _talk_nonsense(gateway: Gateway, chance: Random) -> None:
    """Open connections, say something that is no message or only half of one, and go."""
    for _ in range(ROUND // 20):
        _, writer = await asyncio.open_connection("127.0.0.1", gateway.mllp)
        half = chance.choice(MESSAGES)
        writer.write(chance.randbytes(500) + b"\x0b" + half[: chance.randrange(len(half))])
        await writer.drain()
        writer.close()


async def _send_requests(gateway: Gateway, chance: Random) -> None:
    base, token = f"http://127.0.0.1:{gateway.fhir}/fhir", {"Authorization": f"Bearer {TOKEN}"}
    seen: set[int] = set()
    async with httpx.AsyncClient(headers=token, timeout=20) as client:
        for _ in range(ROUND // 2):
            path, resource = chance.choice(RESOURCES)
            body = _spoilt(msgspec.json.encode(resource), chance)
            kind = {"Content-Type": "application/fhir+json"}
            answer = await client.post(f"{base}{path}", content=body, headers=kind)
            seen.add(_well_formed(answer))
            asked = {
                chance.choice(("_id", "identifier", "patient", "x")): chance.randbytes(8).decode("latin-1")
            }
            seen.add(_well_formed(await client.get(f"{base}/{chance.choice(('Task', 'No'))}", params=asked)))
    assert seen >= {200, 400, 404}


def _well_formed(answer: httpx.Response) -> int:
    assert answer.status_code < 500, answer.text
    told = answer.json()
    if answer.status_code >= 400 and told["resourceType"] == "OperationOutcome":
        assert all(issue["diagnostics"] and issue["expression"] for issue in told["issue"])
    return answer.status_code


def _spoilt(whole: bytes, chance: Random) -> bytes:
    """Change a few bytes, wherever; frames are left whole, so that there is one answer for each."""
    spoilt = bytearray(whole)
    for _ in range(chance.choice((0, 1, 1, 3, 30))):
        at = chance.randrange(len(spoilt))
        spoilt[at : at + chance.randrange(3)] = bytes(chance.choices(SIGNS, k=chance.randrange(4)))
    return bytes(spoilt).translate(None, FRAMES)


async def _measures(gateway: Gateway) -> int:
    """Return how many measures the process keeps: a label that a sender can fill would make more and more."""
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{gateway.admin}/metrics")
    return len(answer.text.splitlines())
