"""`throughcare demo` for real: every server and service of it, in a folder of its own."""

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from services.console.demo.hl7 import Patient, referral
from services.console.demo.journeys import JOURNEYS
from services.console.embedded import NatsServer
from services.console.run_folder import RunFolder
from services.console.server_process import wait_until

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        any(os.environ.get(f"THROUGHCARE_{name}") for name in ("NATS_URL", "DATABASE_URL")),
        reason="THROUGHCARE_NATS_URL or THROUGHCARE_DATABASE_URL is set: a demo has servers of its own here",
    ),
]

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-P", "-m", "services.console"]


TESS = Patient(number="E2E-1", given="Tess", family="Tester", birth_date=date(1990, 1, 1), sex="F")


@pytest.fixture
def folder(servers_directory: Path) -> Path:
    return servers_directory


@pytest.fixture(scope="module")
def running_demo() -> Generator[Path]:
    """The folder of a demo that stays up for several tests."""
    folder = Path(tempfile.mkdtemp(prefix="throughcare-"))
    with demo(folder):
        yield folder
    shutil.rmtree(folder)


def throughcare(
    folder: Path, *arguments: str, more: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env={**environment(), **(more or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@contextmanager
def demo(folder: Path) -> Generator["subprocess.Popen[bytes]"]:
    """A demo that stays up, from when its cohort is through; asked to stop, it leaves nothing running."""
    log = folder / "demo.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*COMMAND, "demo"],
            cwd=folder,
            env=environment(),
            stdout=output,
            stderr=output,
            preexec_fn=without_sigint,  # noqa: PLW1509 (one call, nothing allocated)
        )
    try:
        assert wait_until(lambda: process.poll() is not None or b"Ctrl-C" in log.read_bytes(), 120)
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0, log.read_text()
            assert processes_in(folder) == []


def without_sigint() -> None:
    """Be started as a shell's script starts `demo &`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "COLUMNS": "160"}


def processes_in(folder: Path) -> list[str]:
    """Command lines of processes that work below the folder (Linux)."""
    found: list[str] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                if Path(entry / "cwd").resolve().is_relative_to(folder.resolve()):
                    found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:  # ended meanwhile
                continue
    return found


def test_a_demo_keeps_its_promises_continues_and_leaves_nothing_running(folder: Path):
    first = throughcare(folder, "demo", "--headless")
    assert first.returncode == 0, first.stderr
    for journey in JOURNEYS:
        assert f"✓  {journey.given} {journey.family}" in first.stdout
    assert "Stepped down from 4 to 2.1" in first.stdout
    assert not (folder / ".throughcare" / "run.json").exists()
    assert processes_in(folder) == []

    second = throughcare(folder, "demo", "--headless")
    assert second.returncode == 0, second.stderr
    assert "A few more people, beside those who were there" in second.stdout

    afresh = throughcare(folder, "demo", "--headless", "--fresh")
    assert afresh.returncode == 0, afresh.stderr
    assert "The cohort" in afresh.stdout


async def test_servers_that_the_environment_names_are_used(
    nats_server: NatsServer, database: str, folder: Path
):
    named = {
        "THROUGHCARE_NATS_URL": nats_server.url,
        "THROUGHCARE_NATS_MONITOR_URL": nats_server.monitor_url,
        "THROUGHCARE_DATABASE_URL": database,
    }
    played = await asyncio.to_thread(throughcare, folder, "demo", "--headless", more=named)
    assert played.returncode == 0, played.stderr
    assert "Starting nats-server" not in played.stderr
    assert not {"nats", "postgres"} & {path.name for path in (folder / ".throughcare").iterdir()}
    afresh = await asyncio.to_thread(throughcare, folder, "demo", "--fresh", more=named)
    assert afresh.returncode == 1
    assert "THROUGHCARE_NATS_URL and THROUGHCARE_DATABASE_URL point elsewhere" in afresh.stderr


def test_a_message_sent_beside_a_demo_is_in_the_timeline(running_demo: Path):
    message = running_demo / "referral.hl7"
    message.write_bytes(referral(TESS, control_id="E2E-1-1", placer="R-E2E-1", sent=datetime.now(UTC)))
    sent = throughcare(running_demo, "send", str(message))
    assert sent.returncode == 0, sent.stderr
    assert " AA " in sent.stdout

    assert wait_until(lambda: told_about_tess(running_demo) is not None, 30)
    accepted = throughcare(running_demo, "accept", "R-E2E-1", "--owner", "coordinator:7")
    assert accepted.returncode == 0, accepted.stderr
    again = throughcare(running_demo, "accept", "R-E2E-1", "--owner", "coordinator:7", "--json")
    assert json.loads(again.stdout)["answer"] == "unchanged"

    assert wait_until(lambda: "Referral accepted" in titles(told_about_tess(running_demo)), 30)
    drawn = throughcare(running_demo, "timeline", "E2E-1")
    assert "Tester, Tess  accepted" in drawn.stdout
    assert "REF^I12 E2E-1-1" in drawn.stdout


def test_the_native_examples_run_beside_a_demo(running_demo: Path):
    told = RunFolder(running_demo / ".throughcare").running()
    assert told is not None
    user = {"NATS_URL": told.nats, "NATS_USER": told.nats_user, "NATS_PASSWORD": told.nats_password}
    referred = subprocess.run(
        [sys.executable, ROOT / "docs" / "examples" / "refer_by_nats.py"],
        env={**os.environ, **user},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    placer = referred.stdout.split()[1]
    accepted = ("accept", placer, "--owner", "coordinator:7")
    assert wait_until(lambda: throughcare(running_demo, *accepted).returncode == 0, 30)


def test_a_demo_names_a_moment_of_which_less_was_known(running_demo: Path):
    printed = (running_demo / "demo.log").read_text()
    asked = re.search(r"timeline (\S+) --as-of (\S+)", printed)
    assert asked, printed
    number, then = asked.groups()
    known = titles(told_about(running_demo, number, "--as-of", then))
    assert "Referral received from Robin Example" in known
    assert set(known) < set(titles(told_about(running_demo, number)))


def test_a_demo_of_tls_is_refused_before_anything_starts(folder: Path):
    told = throughcare(folder, "demo", more={"THROUGHCARE_MLLP_TLS_CERTIFICATE": "gateway.pem"})
    assert told.returncode == 1
    assert "plain MLLP" in told.stderr
    assert not (folder / ".throughcare").exists()


def test_beside_a_demo_what_is_refused_ends_with_status_1_and_a_sentence(running_demo: Path):
    wrong = throughcare(running_demo, "decline", "no-such-referral", "--reason", "no-capacity")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "No referral is known as no-such-referral" in wrong.stderr
    message = running_demo / "broken.hl7"
    message.write_text("MSH|^~\\&|EHR|GENERALHOSPITAL|||20261122||ADT^A99|X-1|T|2.5.1\r")
    sent = throughcare(running_demo, "send", str(message), "--json")
    assert sent.returncode == 1
    (told,) = json.loads(sent.stdout)
    assert (told["control_id"], told["code"]) == ("X-1", "AR")


@pytest.mark.parametrize("way", ["mllp", "fhir", "nats"])
def test_beside_a_demo_a_connection_is_checked_by_each_way_in(running_demo: Path, way: str):
    checked = throughcare(running_demo, "check-connection", "--way", way)
    assert (checked.returncode, checked.stdout.count("✗")) == (0, 0), checked.stdout
    assert checked.stdout.count("; seen") >= 8


def test_beside_a_demo_everything_is_in_step(running_demo: Path):
    assert throughcare(running_demo, "worklist", "--kind", "triage", "--json").returncode == 0
    assert throughcare(running_demo, "rebuild").returncode == 0
    verified = throughcare(running_demo, "verify", "--json")
    assert (verified.returncode, json.loads(verified.stdout)) == (0, [])
    status = throughcare(running_demo, "status", "--json")
    assert status.returncode == 0, status.stderr
    told = json.loads(status.stdout)
    assert told["log_is_synced"]
    assert {one["reader"] for one in told["behind"]} >= {"intake", "care_plan-0", "projector-0"}
    assert told["parked_messages"] == told["parked_participants"] == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent has died")
def test_a_demo_that_is_killed_leaves_no_orphans_and_another_one_alone(running_demo: Path, folder: Path):
    with demo(folder) as process:
        ours = RunFolder(running_demo / ".throughcare").running()
        theirs = RunFolder(folder / ".throughcare").running()
        assert ours is not None
        assert theirs is not None
        assert ours.mllp != theirs.mllp
        process.kill()
        process.wait()
        assert wait_until(lambda: processes_in(folder) == [], 40), processes_in(folder)
    assert RunFolder(folder / ".throughcare").running() is None
    assert throughcare(folder, "worklist").returncode == 1
    assert throughcare(running_demo, "worklist").returncode == 0


def test_a_second_demo_in_the_same_folder_is_refused(running_demo: Path):
    second = throughcare(running_demo, "demo", "--headless")
    assert second.returncode == 1
    assert "A demo runs in" in second.stderr


def told_about_tess(folder: Path) -> dict[str, Any] | None:
    return told_about(folder, TESS.number)


def told_about(folder: Path, *whom: str) -> dict[str, Any] | None:
    timeline = throughcare(folder, "timeline", *whom, "--json")
    return json.loads(timeline.stdout) if timeline.returncode == 0 else None


def titles(told: dict[str, Any] | None) -> list[str]:
    return [entry["title"] for entry in told["timeline"]] if told else []
