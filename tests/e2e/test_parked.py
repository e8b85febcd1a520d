"""What cannot be handled is seen, and handled after a fix of its sender's profile, by the console."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from services.console.commands.apply import apply_all
from services.console.demo import hl7
from services.console.demo.fleet import Fleet
from services.console.waiting import until
from services.gateway.mllp.client import send
from shared.projections import postgres
from shared.settings import Settings, environment_of
from tests.own_settings import own_settings

pytestmark = pytest.mark.timeout(120)

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 30.0
NOW = datetime.now(UTC).replace(microsecond=0)
ROBIN = hl7.Patient(number="MRN-88", given="Robin", family="Quirk", birth_date=date(1990, 4, 17), sex="F")

PROFILE = f"""
profiles:
  general:
    sender: {{ application: {hl7.APPLICATION}, facility: {hl7.FACILITY} }}
    source: general
    production: false
"""
QUIRK = """    fields: { RF1-6: [ZRF-1, RF1-6] }
"""


class Place(NamedTuple):
    """A deployment whose gateway reads a file of profiles."""

    settings: Settings
    fleet: Fleet
    profiles: Path


@pytest.fixture
async def place(nats_url: str, database: str, servers_directory: Path) -> AsyncGenerator[Place]:
    profiles = servers_directory / "profiles.yaml"
    profiles.write_text(PROFILE)
    settings = own_settings(
        nats_url,
        database,
        profiles=str(profiles),
    )
    await apply_all(settings)
    with Fleet(settings, servers_directory / "services", ("gateway", "intake", "timeline")) as running:
        yield Place(settings, running, profiles)


async def test_an_amendment_read_by_a_wrong_profile_is_parked_given_up_and_read_again_by_the_right_one(
    place: Place,
):
    await sent(place, hl7.referral(ROBIN, control_id="1", placer="R-88", sent=NOW))
    await sent(place, amendment())
    assert await until(lambda: are_parked(place, 1), SECONDS)
    (parked,) = await listed(place)
    assert parked["reason"] == "referral-unknown: No referral of this sender has this number."
    assert (await console(place, "parked", "replay", parked["id"]))[0] == 1
    assert [one["id"] for one in await listed(place)] == [parked["id"]]

    assert (await console(place, "parked", "give-up", parked["id"], "--reason", "By telephone."))[0] == 0
    assert await listed(place) == []
    (parked,) = await listed(place, "--given-up")
    assert parked["given_up"]["reason"] == "By telephone."

    place.profiles.write_text(PROFILE + QUIRK)
    assert await until(lambda: is_reloaded(place), SECONDS)
    assert (await console(place, "parked", "replay", parked["id"], "--reread"))[0] == 0
    assert await until(lambda: is_amended(place), SECONDS)
    assert await listed(place) == await listed(place, "--given-up") == []


async def is_reloaded(place: Place) -> bool:
    return "profiles-loaded" in place.fleet["gateway"].log.read_text()


def amendment() -> bytes:
    """REF^I13 of a vendor that writes its own key where the referral's number belongs."""
    text = hl7.referral(ROBIN, control_id="2", placer="VENDOR-1", sent=NOW, priority="S").decode()
    return (text.replace("REF^I12^REF_I12", "REF^I13^REF_I12") + f"ZRF|R-88^{hl7.FACILITY}\r").encode()


async def sent(place: Place, message: bytes) -> None:
    (gateway,) = (each for each in place.fleet.reached() if each.service == "gateway")
    async for answer in send("127.0.0.1", gateway.ports["mllp"], [message]):
        assert answer.code == "AA"


async def console(place: Place, *arguments: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.console", *arguments),
        stdout=PIPE,
        stderr=PIPE,
        cwd=ROOT,
        env={**os.environ, **environment_of(place.settings)},
    )
    told, _ = await process.communicate()
    return process.returncode, told.decode()


async def listed(place: Place, *also: str) -> list[dict[str, Any]]:
    status, told = await console(place, "parked", "list", "--json", *also)
    assert status == 0
    return json.loads(told)


async def are_parked(place: Place, count: int) -> bool:
    return len(await listed(place)) == count


async def is_amended(place: Place) -> bool:
    connection = await postgres.connect(place.settings.database_url)
    try:
        return await connection.fetchval("select priority from read.referral_status") == "stat"
    finally:
        await connection.close()
