"""What is read from the command line, and what is told back."""

import socket
import subprocess
import sys
import threading
from pathlib import Path
from subprocess import PIPE

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from services.console import answers
from services.console.asking import day_of, instant_at_site, moment_at_site
from services.console.commands.participants import instrument_of, items_of
from services.console.faults import sentence_of
from services.console.main import app
from services.console.run_folder import RunFolder, Running
from services.console.sending.outbox import Outbox
from shared.commands.decision import refused
from shared.commands.reply import Appended, Invalid, Unavailable, Unchanged
from shared.events.envelope import Position
from shared.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
SETTINGS = Settings(nats_url="nats://x", database_url="postgresql://x", identifier_key="0123456789abcdef")
run = CliRunner(env={"COLUMNS": "120", "THROUGHCARE_TRACEBACK": ""}).invoke


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("NATS_URL", "DATABASE_URL", "IDENTIFIER_KEY", "RUN"):
        monkeypatch.delenv(f"THROUGHCARE_{name}", raising=False)


def test_help_names_every_command_and_the_exit_statuses():
    told = run(app, ["--help"])
    assert told.exit_code == 0
    for command in (
        *("run", "send", "timeline", "worklist", "status", "parked"),
        *("verify", "demo", "schema", "token", "check-connection"),
    ):
        assert f" {command} " in told.stdout
    assert "Exit status" in told.stdout


def test_without_servers_a_command_says_what_to_do_and_ends_with_status_1():
    told = run(app, ["worklist"])
    assert (told.exit_code, told.stdout) == (1, "")
    assert "No servers are known" in told.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["accept"],
        ["no-such-command"],
        ["worklist", "--kind", "nonsense"],
        ["send", "no-such-file.hl7"],
        ["command", "intake", "Enrol", "not json"],
        ["parked", "replay", "twelve"],
        ["restore"],
        ["send", __file__, "--tls-key", __file__],  # by itself it went in the clear
        ["send", __file__, "--tls", "--to", "http://127.0.0.1:1"],
        ["check-connection", "--mllp", "127.0.0.1:1", "--tls-key", __file__],
        ["check-connection", "--mllp", "127.0.0.1:1", "--fhir", "https://127.0.0.1:1/fhir"],
        ["check-connection", "--fhir", "127.0.0.1:1/fhir", "--token", "made-up"],
    ],
)
def test_a_command_line_that_is_not_understood_ends_with_status_2(arguments: list[str]):
    assert run(app, arguments).exit_code == 2


def test_a_service_of_a_site_that_does_not_exist_is_refused_before_it_waits_for_nats():
    servers = {"THROUGHCARE_NATS_URL": "nats://127.0.0.1:1", "THROUGHCARE_DATABASE_URL": "postgresql://x"}
    key = {"THROUGHCARE_IDENTIFIER_KEY": "0123456789abcdef"}
    told = run(app, ["run", "gateway"], env={**servers, **key, "THROUGHCARE_SITE_ZONE": "Mars/Olympus"})
    assert (told.exit_code, told.stderr) == (1, "throughcare: 'Mars/Olympus' is not an IANA time zone.\n")


def test_a_receiver_that_is_not_there_is_a_sentence():
    Path("a.hl7").write_text("MSH|^~\\&|A|B|||20260303||ADT^A01|1|P|2.5\r")
    told = run(app, ["send", "a.hl7", "--to", "127.0.0.1:1"])
    assert (told.exit_code, told.stderr) == (1, "throughcare: Nobody listens on 127.0.0.1:1.\n")


def close_the_next(server: socket.socket) -> None:
    """Treat a connection as a gateway without TLS does, when its first bytes are no message."""
    connection, _ = server.accept()
    connection.close()


def test_a_receiver_that_speaks_no_tls_is_not_told_of_as_nobody():
    Path("a.hl7").write_text("MSH|^~\\&|A|B|||20260303||ADT^A01|1|P|2.5\r")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        closing = threading.Thread(target=close_the_next, args=(server,))
        closing.start()
        told = run(app, ["send", "a.hl7", "--tls", "--to", f"127.0.0.1:{port}"])
        closing.join()
    sentence = f"throughcare: 127.0.0.1:{port} ended the TLS handshake: perhaps it speaks no TLS.\n"
    assert (told.exit_code, told.stderr) == (1, sentence)


def test_a_json_document_over_many_lines_is_one_message_and_ndjson_is_a_line_each():
    Path("laid-out.json").write_text('\n{\n  "a": [1.50, "x\\n y"],\n  "b": {}\n}\n')
    Path("lines.ndjson").write_text('{"a": 1}\n\n{"b": 2}\n{no json\n')
    assert list(Outbox(Path("laid-out.json"), None).messages()) == [b'{"a":[1.50,"x\\n y"],"b":{}}']
    lines = [b'{"a": 1}', b'{"b": 2}', b"{no json"]
    assert list(Outbox(Path("lines.ndjson"), None).messages()) == lines


def test_a_check_of_which_nothing_was_stored_tells_of_nothing_that_remains():
    told = run(app, ["check-connection", "--mllp", "127.0.0.1:1", "--json"])
    assert told.exit_code == 1
    assert "Nobody listens on 127.0.0.1:1." in told.stdout
    assert "stays in the record" not in told.stderr


@pytest.mark.timeout(30)  # it took two minutes
def test_a_log_that_is_not_there_is_told_of_at_once():
    servers = {"THROUGHCARE_NATS_URL": "nats://127.0.0.1:1", "THROUGHCARE_DATABASE_URL": "postgresql://x"}
    told = run(app, ["parked"], env={**servers, "THROUGHCARE_IDENTIFIER_KEY": "0123456789abcdef"})
    assert (told.exit_code, told.stderr) == (1, "throughcare: NATS does not answer at 127.0.0.1:1.\n")
    checked = run(app, ["check-connection", "--nats", "nats://127.0.0.1:1", "--source", "lakeside"])
    assert checked.exit_code == 1
    assert "throughcare: NATS does not answer at nats://127.0.0.1:1" in checked.stderr


def test_a_password_in_an_address_is_not_told_back():
    told = run(
        app, ["check-connection", "--nats", "nats://lakeside:secret@127.0.0.1:1", "--source", "lakeside"]
    )
    assert told.exit_code == 1
    assert "NATS does not answer at nats://127.0.0.1:1" in told.stderr
    assert "secret" not in told.stdout + told.stderr


def test_the_contract_s_schemas_are_as_stored():
    assert run(app, ["schema"]).exit_code == 0
    assert '"asyncapi": "3.0.0"' in run(app, ["schema", "--asyncapi"]).stdout


def test_a_reader_that_has_seen_enough_is_no_fault_to_tell_of():
    command = [sys.executable, "-m", "services.console", "schema", "--asyncapi"]
    with subprocess.Popen(command, cwd=ROOT, stdout=PIPE, stderr=PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""


def test_what_is_parked_is_listed_without_a_further_word():
    alone, listed = run(app, ["parked"]), run(app, ["parked", "list"])
    assert (alone.exit_code, alone.stderr) == (listed.exit_code, listed.stderr)
    assert "No servers are known" in alone.stderr


@pytest.mark.parametrize("told", ["PHQ-9", "phq-9", "phq9", "PHQ9"])
def test_an_instrument_is_known_however_it_is_written(told: str):
    assert instrument_of(told) == "PHQ-9"


def test_an_unknown_instrument_is_a_usage_error():
    with pytest.raises(typer.BadParameter, match="none of PHQ-9, GAD-7, C-SSRS"):
        instrument_of("BDI")


def test_answers_are_read_in_order_and_one_not_given_is_left_out():
    assert items_of("GAD-7", "0,1,2,3,-,1,0") == {"1": 0, "2": 1, "3": 2, "4": 3, "6": 1, "7": 0}
    assert items_of("C-SSRS", "yes, no,y,n,1,0,yes") == {
        "1": 1,
        "2": 0,
        "3": 1,
        "4": 0,
        "5": 1,
        "6": 0,
        "6-recent": 1,
    }


@pytest.mark.parametrize("told", ["0,1,2,3,0,1,0,0", "a", "1;2"])
def test_answers_that_are_too_many_or_no_numbers_are_usage_errors(told: str):
    with pytest.raises(typer.BadParameter):
        items_of("GAD-7", told)


def test_a_time_without_offset_is_the_site_s_and_a_day_stays_a_day():
    assert instant_at_site("2026-03-03T10:00", SETTINGS, option="--start").isoformat() == (
        "2026-03-03T10:00:00-05:00"
    )
    assert moment_at_site("2026-03-03T10:00:00+01:00", SETTINGS) == "2026-03-03T10:00:00+01:00"
    assert moment_at_site("2026-03-03", SETTINGS) == "2026-03-03"
    assert moment_at_site(None, SETTINGS) is None
    with pytest.raises(typer.BadParameter):
        moment_at_site("yesterday", SETTINGS)
    with pytest.raises(typer.BadParameter):
        day_of("03/03/2026", option="--start")


def test_every_answer_is_a_sentence():
    events = ("throughcare.intake.ReferralAccepted", "throughcare.intake.IntakeAppointmentScheduled")
    told = answers.sentence_of(Appended(position=Position(0, 7), events=events))
    assert told == "ReferralAccepted, IntakeAppointmentScheduled recorded (position 0/7)."
    assert answers.sentence_of(Unchanged()) == "It was so already: nothing was recorded."
    assert answers.sentence_of(refused("same-level", "Already there.", "to_level")) == (
        "Refused (same-level, field to_level): Already there."
    )
    assert answers.sentence_of(Invalid(sentence="No.")) == "No."
    assert answers.sentence_of(Unavailable(sentence="Later.")) == "Later."


def test_an_error_nobody_foresaw_is_a_sentence_without_its_text():
    with pytest.raises(ValueError, match="Jane") as raised:
        int("Jane")
    told = sentence_of(raised.value)
    assert told.startswith("This should not happen: ValueError at test_command_line.py:")
    assert "Jane" not in told


def test_a_demo_that_runs_here_is_used_and_one_that_is_gone_is_not(tmp_path: Path):
    folder = RunFolder(tmp_path / ".throughcare")
    folder.path.mkdir()
    servers = {"THROUGHCARE_NATS_URL": "nats://there", "THROUGHCARE_DATABASE_URL": "postgresql://there"}
    alive = Running(
        pid=1,
        mllp="127.0.0.1:2575",
        fhir="http://127.0.0.1:8080/fhir",
        fhir_token="a-token",
        services=(),
        environment=servers,
    )
    folder.write(alive)
    assert folder.file.stat().st_mode & 0o077 == 0
    assert folder.running() == alive
    told = folder.environment({"THROUGHCARE_NATS_URL": "nats://mine"})
    assert told == {**servers, "THROUGHCARE_NATS_URL": "nats://mine"}
    folder.write(msgspec.structs.replace(alive, pid=2**22 + 1))
    assert folder.running() is None
    assert folder.environment({}) == {}
