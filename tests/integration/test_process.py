"""A service process as it is deployed: its own interpreter, its signals, its health port, its exit status."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import msgspec
import pytest

from services.console.server_process import wait_until
from shared.process import RunFile

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import asyncio, sys
import uvloop
from shared import settings
from shared.health import NotReadyError
from shared.process import Process, ProcessFailedError

async def closed_server(): raise NotReadyError("The log does not answer.")
async def slow(): await asyncio.sleep(60)
async def fine(): pass
async def dies(): raise ValueError("Jane Example, born 1990-01-01")
async def for_ever(): await asyncio.Event().wait()
async def forgetful():
    try: await for_ever()
    except asyncio.CancelledError: await for_ever()

async def run():
    async with Process("sample", settings.load(), grace_seconds={grace}) as process:
        process.listens("mllp", 4711)
        {body}
        await process.stopped()
    {after}

try:
    uvloop.run(run())
except ProcessFailedError as error:
    sys.exit(str(error))
"""


@asynccontextmanager
async def process_that(
    directory: Path, body: str, after: str = "pass", *, grace: float = 0.5
) -> AsyncGenerator[tuple[Process, Path]]:
    run_file = directory / "sample.json"
    environment = {
        "PATH": os.environ["PATH"],
        "THROUGHCARE_NATS_URL": "nats://127.0.0.1:1",
        "THROUGHCARE_DATABASE_URL": "postgresql://127.0.0.1:1/none",
        "THROUGHCARE_IDENTIFIER_KEY": "a key of sixteen or more",
        "THROUGHCARE_RUN_FILE": str(run_file),
    }
    program = PROGRAM.format(body=body, after=after, grace=grace)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stderr=PIPE, env=environment, cwd=ROOT
    )
    try:
        yield process, run_file
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def written(run_file: Path) -> RunFile:
    def there() -> bool:
        return run_file.exists() and b"mllp" in run_file.read_bytes()

    assert await asyncio.to_thread(wait_until, there, 20)
    return msgspec.json.decode(await asyncio.to_thread(run_file.read_bytes), type=RunFile)


async def answer(url: str) -> tuple[int, bytes]:
    def ask() -> tuple[int, bytes]:
        try:
            with urlopen(url, timeout=10) as reply:  # noqa: S310 (always http)
                return reply.status, reply.read()
        except HTTPError as error:
            with error:
                return error.code, error.read()

    return await asyncio.to_thread(ask)


async def lines(process: Process) -> list[dict[str, object]]:
    assert process.stderr is not None
    text = (await process.stderr.read()).decode()
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


async def test_a_process_tells_where_it_is_and_that_it_is_ready(tmp_path: Path):
    async with process_that(tmp_path, 'process.ready("log", fine)') as (process, run_file):
        there = await written(run_file)
        assert (there.service, there.pid, there.ports) == ("sample", process.pid, {"mllp": 4711})
        assert await answer(f"{there.admin}/livez") == (200, b'{"alive":true}')
        status, body = await answer(f"{there.admin}/readyz")
        assert (status, json.loads(body)) == (
            200,
            {"ready": True, "failing": {}, "checks": ["log", "start"], "notices": {}},
        )
        assert (await answer(f"{there.admin}/elsewhere"))[0] == 404


async def test_readiness_names_each_check_that_fails(tmp_path: Path):
    body = 'process.ready("log", closed_server); process.ready("database", slow); process.ready("own", dies)'
    async with process_that(tmp_path, body) as (_, run_file):
        there = await written(run_file)
        status, told = await answer(f"{there.admin}/readyz")
        assert status == 503
        assert json.loads(told)["failing"] == {
            "log": "The log does not answer.",
            "database": "There was no answer within 2 s.",
            "own": "The check failed with ValueError.",
        }


async def test_metrics_are_in_the_text_format_of_prometheus(tmp_path: Path):
    async with process_that(tmp_path, "import shared.metrics") as (_, run_file):
        there = await written(run_file)
        status, body = await answer(f"{there.admin}/metrics")
        assert status == 200
        assert b"# TYPE throughcare_commands_total counter" in body


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT])
async def test_asked_to_stop_it_ends_with_status_0(tmp_path: Path, which: signal.Signals):
    async with process_that(tmp_path, 'process.spawn("work", for_ever())') as (process, run_file):
        await written(run_file)
        process.send_signal(which)
        told = await lines(process)
        assert await process.wait() == 0
        assert told[-1]["event"] == "stopped"
        assert not run_file.exists()


async def test_a_task_that_dies_ends_the_process_without_its_text_in_the_log(tmp_path: Path):
    async with process_that(tmp_path, 'process.spawn("policies", dies())') as (process, _):
        told = await lines(process)
        assert await process.wait() == 1
        failed = next(line for line in told if line["event"] == "task-failed")
        assert (failed["task"], failed["error"], failed["service"]) == ("policies", "ValueError", "sample")
        assert "Jane" not in json.dumps(told)


async def test_a_task_that_ends_too_early_ends_the_process(tmp_path: Path):
    async with process_that(tmp_path, 'process.spawn("projector", fine())') as (process, _):
        told = await lines(process)
        assert await process.wait() == 1
        assert "The task projector ended." in [line.get("reason") for line in told]


async def test_a_connection_to_nats_closed_for_good_ends_the_process(tmp_path: Path):
    async with process_that(tmp_path, "await process.nats_closed()") as (process, _):
        assert await process.wait() == 1


async def test_a_stop_that_takes_too_long_is_cut_off(tmp_path: Path):
    body = 'process.spawn("work", for_ever()); process.fail("Enough."); await asyncio.sleep(60)'
    async with process_that(tmp_path, body) as (process, _):
        told = await lines(process)
        assert await process.wait() == 1
        assert told[-1]["event"] == "not-stopped-in-time"


async def test_asked_to_stop_while_it_still_waits_for_what_it_needs_it_ends_with_status_0(tmp_path: Path):
    async with process_that(tmp_path, "await for_ever()") as (process, run_file):
        await written(run_file)
        process.send_signal(signal.SIGTERM)
        told = await lines(process)
        assert await process.wait() == 0
        assert told[-1]["event"] == "stopped"
        assert not run_file.exists()


async def test_asked_to_stop_in_the_very_moment_that_an_attempt_to_connect_fails_it_ends_all_the_same(
    tmp_path: Path,
):
    """Before Python 3.12 `asyncio.wait_for` then raises the error, and the cancellation is forgotten."""
    async with process_that(tmp_path, "await forgetful()", grace=20) as (process, run_file):
        await written(run_file)
        process.send_signal(signal.SIGTERM)
        told = await lines(process)
        assert await process.wait() == 0
        assert told[-1]["event"] == "stopped"
