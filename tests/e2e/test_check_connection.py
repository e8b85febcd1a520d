"""`throughcare check-connection` against all services, through each way in."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from services.console.checking.steps import STEPS
from services.console.demo import hl7
from services.console.server_process import LOOPBACK
from services.gateway.source import token
from tests.e2e.site import Site, open_site

pytestmark = pytest.mark.timeout(120)

ROOT = Path(__file__).resolve().parents[2]
SOURCE = token(hl7.APPLICATION.lower(), hl7.FACILITY.lower())
NAMES = [step.name for step in STEPS]


@pytest.fixture(scope="module")
async def site() -> AsyncGenerator[Site]:
    async with open_site(SOURCE) as opened:
        yield opened


def token_of(site: Site) -> str:
    return f"{site.secret}-{SOURCE}"


async def check(site: Site, *told: str, **secrets: str) -> tuple[int, list[dict[str, Any]]]:
    """Run the command as an integrator does: from a machine that knows nothing of the site's servers."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "services.console", "check-connection", "--json", *told),
        cwd=site.folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **secrets},
        stdout=PIPE,
        stderr=PIPE,
    )
    printed, said = await process.communicate()
    assert printed, said.decode()
    return process.returncode or 0, json.loads(printed)


async def test_hl7_v2_is_answered_aa_and_each_message_is_seen_by_fhir(site: Site):
    status, steps = await check(
        site, "--mllp", site.mllp, "--fhir", site.fhir, THROUGHCARE_TOKEN=token_of(site)
    )
    assert [(each["step"], each["came"]) for each in steps] == [(name, "AA; seen") for name in NAMES]
    assert status == 0


async def test_fhir_takes_all_but_appointments(site: Site):
    status, steps = await check(site, "--fhir", site.fhir, THROUGHCARE_TOKEN=token_of(site))
    assert [each["step"] for each in steps if each["is_good"]] == [
        name for name in NAMES if "appointment" not in name
    ], steps
    assert status == 0


async def test_by_nats_a_sender_without_a_token_sees_the_statuses_of_its_referral(site: Site):
    status, steps = await check(site, "--nats", site.nats, "--source", SOURCE, NATS_PASSWORD=site.secret)
    assert [each["step"] for each in steps if each["is_good"]] == NAMES, steps
    seen = [each["step"] for each in steps if each["came"].endswith("; seen")]
    assert seen == ["referral", "referral cancelled"]
    assert status == 0


async def test_by_nats_everything_is_seen_by_fhir(site: Site):
    told = ("--nats", site.nats, "--source", SOURCE, "--fhir", site.fhir)
    status, steps = await check(site, *told, THROUGHCARE_TOKEN=token_of(site), NATS_PASSWORD=site.secret)
    assert [each["step"] for each in steps if each["came"].endswith("; seen")] == NAMES, steps
    assert status == 0


async def test_what_is_refused_ends_with_status_1_and_says_what_to_do(site: Site):
    status, (first,) = await check(site, "--fhir", site.fhir, THROUGHCARE_TOKEN="nobody's")
    assert status == 1
    assert first["came"] == "401 http.Authorization: The bearer token is not known."
    assert first["advice"].startswith("The token is not known at the site")


async def test_where_nobody_listens_nothing_more_is_sent(site: Site):
    status, (first,) = await check(site, "--mllp", f"{LOOPBACK}:1")
    assert status == 1
    assert first["step"] == "referral"
    assert first["came"].startswith("no answer;")


async def test_what_another_source_sent_is_not_seen_and_is_cancelled(site: Site):
    told = ("--mllp", site.mllp, "--fhir", site.fhir, "--sender", "OTHER^ELSEWHERE", "--seconds", "1")
    status, (first, last) = await check(site, *told, THROUGHCARE_TOKEN=token_of(site))
    assert status == 1
    assert first["came"] == "AA; not seen within 1 s"
    assert "the token has to be of the same source" in first["advice"]
    assert (last["step"], last["came"]) == ("referral cancelled", "AA")
