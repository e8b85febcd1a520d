"""The accounts file of nats-server, as the console writes it."""

from pathlib import Path

import bcrypt
import msgspec
import pytest
from typer.testing import CliRunner, Result

from services.console import nats_accounts
from services.console.main import app
from shared.eventlog.streams import DECLARATION


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["nats-permissions", *arguments])


def passwords(*arguments: str) -> dict[str, str]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return msgspec.json.decode(result.stdout, type=dict[str, str])


def test_passwords_are_told_once_and_kept_as_hashes(tmp_path: Path):
    file = tmp_path / "accounts.conf"
    told = passwords(str(file), "lakeside")
    users = nats_accounts.read(file.read_text())
    assert told.keys() == users.keys() == {"throughcare", "lakeside"}
    assert all(bcrypt.checkpw(told[name].encode(), users[name].encode()) for name in told)
    assert not any(password in file.read_text() for password in told.values())
    assert passwords(str(file), "lakeside") == {}
    assert nats_accounts.read(file.read_text()) == users


def test_a_sender_is_added_renewed_and_removed_and_the_others_stay(tmp_path: Path):
    file = tmp_path / "accounts.conf"
    passwords(str(file), "lakeside")
    before = nats_accounts.read(file.read_text())
    assert passwords(str(file), "hill-top", "--renew", "lakeside").keys() == {"hill-top", "lakeside"}
    after = nats_accounts.read(file.read_text())
    assert after["throughcare"] == before["throughcare"]
    assert after["lakeside"] != before["lakeside"]
    assert passwords(str(file), "--remove", "lakeside") == {}
    assert "lakeside" not in file.read_text()


def test_only_its_owner_reads_the_file(tmp_path: Path):
    file = tmp_path / "accounts.conf"
    passwords(str(file))
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "source", ["Lakeside", "lake.side", "lake side", "*", ">", "throughcare", "a--b", "a" * 50]
)
def test_what_is_no_token_of_a_sender_is_refused(tmp_path: Path, source: str):
    assert run(str(tmp_path / "accounts.conf"), source).exit_code == 2
    assert not (tmp_path / "accounts.conf").exists()


@pytest.mark.parametrize(
    "arguments", [("--renew", "nobody"), ("--remove", "nobody"), ("--remove", "throughcare")]
)
def test_who_is_not_there_is_neither_renewed_nor_removed(tmp_path: Path, arguments: tuple[str, str]):
    assert run(str(tmp_path / "accounts.conf"), *arguments).exit_code == 1


def test_a_file_that_somebody_else_wrote_is_left_as_it_is(tmp_path: Path):
    file = tmp_path / "accounts.conf"
    file.write_text("accounts { MINE {} }")
    assert run(str(file), "lakeside").exit_code == 1
    assert file.read_text() == "accounts { MINE {} }"


def test_the_example_beside_the_server_s_configuration_is_what_is_written():
    example = (DECLARATION.parent / "accounts.example.conf").read_text()
    written = nats_accounts.write({"throughcare": "$2a$06$...", "lakeside-ehr": "$2a$06$..."})
    assert example.partition("accounts {")[1:] == written.partition("accounts {")[1:]
