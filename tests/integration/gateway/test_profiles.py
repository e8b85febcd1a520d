"""Profiles of a running gateway: changed while it works, and wrong while it works."""

import asyncio
import urllib.request
from pathlib import Path

import msgspec

from services.console.embedded import NatsServer
from shared.health import Readiness
from shared.process import RunFile
from tests.integration.gateway.test_gateway import Gateway, gateway
from tests.unit.gateway.messages import discharge

LAKESIDE = "profiles:\n  lakeside:\n    sender: {facility: LAKESIDE}\n    source: lake\n"


def readiness(run_file: Path) -> tuple[int, Readiness]:
    admin = msgspec.json.decode(run_file.read_bytes(), type=RunFile).admin
    with urllib.request.urlopen(f"{admin}/readyz", timeout=10) as answer:  # noqa: S310 - always http
        return answer.status, msgspec.json.decode(answer.read(), type=Readiness)


async def until_answered(edge: Gateway, code: str) -> None:
    number = 0
    while await edge.codes(discharge(control_id=f"LK-{number}")) != [code]:
        number += 1
        await asyncio.sleep(0.05)


async def test_profiles_change_while_it_runs_and_a_broken_file_changes_nothing_but_is_shown(
    nats_server: NatsServer, servers_directory: Path, tmp_path: Path
):
    profiles, run_file = tmp_path / "profiles.yaml", servers_directory / "gateway.json"
    profiles.write_text(LAKESIDE)
    async with gateway(nats_server, servers_directory, THROUGHCARE_PROFILES=str(profiles)) as edge:
        assert await edge.codes(discharge()) == ["AA"]
        assert (await edge.stored())[0].data.source == "lake"
        profiles.write_text(LAKESIDE.replace("LAKESIDE", "ELSEWHERE"))
        await until_answered(edge, "AR")
        profiles.write_text(LAKESIDE + "    messages: [ADT]\n")
        await until_answered(edge, "AA")
        profiles.write_text(LAKESIDE + "    zone: Nowhere/Here\n")
        while not (told := await asyncio.to_thread(readiness, run_file))[1].notices:  # noqa: ASYNC110 - over HTTP
            await asyncio.sleep(0.05)
        assert told[0] == 200
        assert "Line 5: lakeside: zone" in told[1].notices["profiles"]
        assert await edge.codes(discharge(control_id="STILL")) == ["AA"]
