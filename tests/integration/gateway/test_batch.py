"""A batch of ten thousand messages: every one answered, nothing twice, and no memory grows with it."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from services.console.commands.send import Sent
from services.console.embedded import NatsServer
from tests.integration.gateway.test_gateway import ROOT, Gateway, gateway
from tests.unit.gateway.messages import discharge

COUNT = 10_000
GROWTH_KB = 24_000
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


def send(edge: Gateway, file: Path, *options: str) -> Run:
    output, errors = file.with_suffix(".out"), file.with_suffix(".err")
    with output.open("wb") as out, errors.open("wb") as err:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "services.console", "send", str(file)),
                *("--to", f"127.0.0.1:{edge.port}", "--json", *options),
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


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Memory is read from /proc.")
async def test_ten_thousand_messages_are_answered_without_growing_memory(
    nats_server: NatsServer, servers_directory: Path, tmp_path: Path
):
    async with gateway(nats_server, servers_directory) as edge:
        small = await asyncio.to_thread(send, edge, batch(tmp_path / "small.hl7", 1_000), "--window", "64")
        before = rss_kb(edge)
        large = await asyncio.to_thread(
            send, edge, batch(tmp_path / "large.hl7", COUNT, first=1_000), "--window", "64"
        )
        after = rss_kb(edge)
    assert [run.status for run in (small, large)] == [0, 0]
    assert [one.control_id for one in large.sent] == [f"LK-{1_000 + number}" for number in range(COUNT)]
    assert {one.code for one in large.sent} == {"AA"}
    assert after - before < GROWTH_KB
    assert large.peak_kb - small.peak_kb < GROWTH_KB


async def test_a_batch_goes_on_where_it_broke_off(
    nats_server: NatsServer, servers_directory: Path, tmp_path: Path
):
    file = batch(tmp_path / "nightly.hl7", 20)
    async with gateway(nats_server, servers_directory) as edge:
        file.write_bytes(file.read_bytes().replace(b"LK-7|P|2.5.1", b"LK-7|P|3.0"))
        first = await asyncio.to_thread(send, edge, file, "--resume")
        assert (first.status, len(first.sent)) == (1, 20)
        assert [one.control_id for one in first.sent if one.code != "AA"] == ["LK-7"]
        again = await asyncio.to_thread(send, edge, file, "--resume")
        assert [(one.control_id, one.code) for one in again.sent] == [("LK-7", "AR")]
        assert "19 were accepted before" in again.told
        file.write_bytes(file.read_bytes().replace(b"LK-7|P|3.0", b"LK-7|P|2.5.1"))
        last = await asyncio.to_thread(send, edge, file, "--resume")
        assert [(one.control_id, one.code) for one in last.sent] == [("LK-7", "AA")]
        assert len(await edge.stored()) == 20
