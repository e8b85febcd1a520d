"""A batch of ten thousand messages: every one answered, nothing twice, and no memory grows with it."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from services.console.embedded import NatsServer
from services.console.sending.report import Sent
from shared.process import RunFile
from tests.integration.gateway.test_gateway import ROOT, Gateway, gateway
from tests.unit.gateway.fhir_write.resources import contained_referral
from tests.unit.gateway.messages import discharge

COUNT = 10_000
GROWTH_KB = 24_000
TOKEN = "a-token-of-these-tests-only"
Way = Callable[[Gateway, Path], tuple[str, ...]]
_RSS = re.compile(r"VmRSS:\s+(\d+) kB")


class Run(NamedTuple):
    """One `throughcare send` that ended."""

    status: int
    sent: list[Sent]
    told: str
    peak_kb: int


def batch(path: Path, count: int, *, first: int = 0) -> Path:
    with path.open("wb") as file:
        file.write(b"FHS|^~\\&|LAKEADT\rBHS|^~\\&|LAKEADT\r")
        for number in range(first, first + count):
            file.write(discharge(control_id=f"LK-{number}"))
        file.write(b"BTS|%d\rFTS|1\r" % count)
    return path


def over_mllp(edge: Gateway, _: Path) -> tuple[str, ...]:
    return "--to", f"127.0.0.1:{edge.port}", "--window", "64"


def over_http(_: Gateway, folder: Path) -> tuple[str, ...]:
    ports = msgspec.json.decode((folder / "gateway.json").read_bytes(), type=RunFile).ports
    return "--to", f"http://127.0.0.1:{ports['fhir']}/fhir", "--token", TOKEN


def send(file: Path, *options: str) -> Run:
    output, errors = file.with_suffix(".out"), file.with_suffix(".err")
    with output.open("wb") as out, errors.open("wb") as err:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "services.console", "send", str(file)),
                *("--json", *options),
            ],
            cwd=ROOT,
            stdout=out,
            stderr=err,
        )
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    sent = msgspec.json.decode(output.read_bytes() or b"[]", type=list[Sent])
    return Run(process.returncode, sent, errors.read_text(), usage.ru_maxrss)


def rss_kb(edge: Gateway) -> int:
    found = _RSS.search(Path(f"/proc/{edge.process.pid}/status").read_text())
    assert found is not None
    return int(found[1])


@pytest.mark.timeout(180)
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Memory is read from /proc.")
@pytest.mark.parametrize(("way", "accepted"), [(over_mllp, "AA"), (over_http, "stored")])
async def test_ten_thousand_messages_are_answered_without_growing_memory(
    nats_server: NatsServer, servers_directory: Path, tmp_path: Path, way: Way, accepted: str
):
    async with gateway(nats_server, servers_directory, THROUGHCARE_FHIR_TOKENS=f"lake={TOKEN}") as edge:
        to = way(edge, servers_directory)
        small = await asyncio.to_thread(send, batch(tmp_path / "small.hl7", 1_000), *to)
        before = rss_kb(edge)
        large = await asyncio.to_thread(send, batch(tmp_path / "large.hl7", COUNT, first=1_000), *to)
        after = rss_kb(edge)
    assert [run.status for run in (small, large)] == [0, 0]
    assert [one.control_id for one in large.sent] == [f"LK-{1_000 + number}" for number in range(COUNT)]
    assert {one.code for one in large.sent} == {accepted}
    assert after - before < GROWTH_KB
    assert large.peak_kb - small.peak_kb < GROWTH_KB


async def test_a_batch_goes_on_where_it_broke_off(
    nats_server: NatsServer, servers_directory: Path, tmp_path: Path
):
    file = batch(tmp_path / "nightly.hl7", 20)
    async with gateway(nats_server, servers_directory) as edge:
        to = over_mllp(edge, servers_directory)
        file.write_bytes(file.read_bytes().replace(b"LK-7|P|2.5.1", b"LK-7|P|3.0"))
        first = await asyncio.to_thread(send, file, "--resume", *to)
        assert (first.status, len(first.sent)) == (1, 20)
        assert [one.control_id for one in first.sent if one.code != "AA"] == ["LK-7"]
        again = await asyncio.to_thread(send, file, "--resume", *to)
        assert [(one.control_id, one.code) for one in again.sent] == [("LK-7", "AR")]
        assert "19 were accepted before" in again.told
        file.write_bytes(file.read_bytes().replace(b"LK-7|P|3.0", b"LK-7|P|2.5.1"))
        last = await asyncio.to_thread(send, file, "--resume", *to)
        assert [(one.control_id, one.code) for one in last.sent] == [("LK-7", "AA")]
        assert len(await edge.stored()) == 20


async def test_ndjson_goes_over_http_and_on_where_it_broke_off(
    nats_server: NatsServer, servers_directory: Path, tmp_path: Path
):
    file = tmp_path / "nightly.ndjson"
    nonsense, referral = b'{"resourceType": "ServiceRequest"}', contained_referral("R-2")
    lines = [
        msgspec.json.encode(contained_referral("R-1")),
        nonsense,
        msgspec.json.encode(discharge().decode()),
    ]
    file.write_bytes(b"\n".join(lines) + b"\n")
    async with gateway(nats_server, servers_directory, THROUGHCARE_FHIR_TOKENS=f"lake={TOKEN}") as edge:
        to = over_http(edge, servers_directory)
        first = await asyncio.to_thread(send, file, "--resume", *to)
        assert (first.status, [one.code for one in first.sent]) == (1, ["stored", "refused", "stored"])
        assert first.sent[1].error.startswith("ServiceRequest.")
        file.write_bytes(file.read_bytes().replace(nonsense, msgspec.json.encode(referral)))
        last = await asyncio.to_thread(send, file, "--resume", *to)
        assert (last.status, [one.code for one in last.sent]) == (0, ["stored"])
        assert "2 were accepted before" in last.told
        assert len(await edge.stored()) == 3


async def test_what_is_no_hl7_v2_is_not_sent_over_mllp_and_an_unknown_token_sends_nothing(
    nats_server: NatsServer, servers_directory: Path, tmp_path: Path
):
    file = tmp_path / "resources.ndjson"
    file.write_bytes(msgspec.json.encode(discharge().decode()) + b"\n{}\n")
    async with gateway(nats_server, servers_directory) as edge:
        told = await asyncio.to_thread(send, file, *over_mllp(edge, servers_directory))
        assert (told.status, "go over HTTP" in told.told) == (1, True)
        told = await asyncio.to_thread(send, file, *over_http(edge, servers_directory))
        assert told.status == 1
        assert "answered 401: http.Authorization: The bearer token is not known." in told.told
