"""Settings come from the environment; what is missing or wrong is named by its variable."""

from pathlib import Path

import pytest
from msgspec.structs import fields, replace

from shared.settings import Settings, SettingsError, environment_of, load

TOLD = {
    "THROUGHCARE_NATS_URL": "nats://log:4222",
    "THROUGHCARE_DATABASE_URL": "postgresql://index/throughcare",
    "THROUGHCARE_IDENTIFIER_KEY": "a key of sixteen or more",
}


def test_the_servers_and_the_secret_are_all_that_must_be_told():
    settings = load(TOLD)
    assert (settings.nats_url, settings.partitions, settings.allow_unsynced_log) == (
        "nats://log:4222",
        1,
        False,
    )


@pytest.mark.parametrize("variable", TOLD)
def test_a_variable_that_is_missing_is_named(variable: str):
    with pytest.raises(SettingsError, match=f"^{variable} is not set, nor is {variable}_FILE.$"):
        load({name: value for name, value in TOLD.items() if name != variable})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("THROUGHCARE_PARTITIONS", "many"),
        ("THROUGHCARE_PARTITIONS", "0"),
        ("THROUGHCARE_PARTITIONS", "257"),
        ("THROUGHCARE_ALLOW_UNSYNCED_LOG", "perhaps"),
        ("THROUGHCARE_IDENTIFIER_KEY", "short"),
        ("THROUGHCARE_MLLP_PORT", "65536"),
        ("THROUGHCARE_MLLP_IDLE_SECONDS", "0"),
        ("THROUGHCARE_PROJECTOR_BATCH", "-1"),
    ],
)
def test_a_variable_that_is_wrong_is_named_but_its_value_is_not_shown(variable: str, value: str):
    with pytest.raises(SettingsError) as error:
        load({**TOLD, variable: value})
    assert str(error.value).startswith(f"{variable} is wrong: expected ")
    assert value not in str(error.value).replace(variable, "") or value.lstrip("-").isdigit()


@pytest.mark.parametrize(("written", "meant"), [("true", True), ("1", True), ("false", False), ("0", False)])
def test_a_switch_is_written_as_one_likes(written: str, *, meant: bool):
    assert load({**TOLD, "THROUGHCARE_ALLOW_UNSYNCED_LOG": written}).allow_unsynced_log is meant


def test_numbers_are_read_as_numbers():
    settings = load({**TOLD, "THROUGHCARE_PARTITIONS": "4", "THROUGHCARE_MLLP_IDLE_SECONDS": "1.5"})
    assert (settings.partitions, settings.mllp_idle_seconds) == (4, 1.5)


def test_a_secret_may_stand_in_a_file_which_wins(tmp_path: Path):
    secret = tmp_path / "key"
    secret.write_text("a key out of a file\n")
    settings = load({**TOLD, "THROUGHCARE_IDENTIFIER_KEY_FILE": str(secret)})
    assert settings.identifier_key == "a key out of a file"


def test_a_file_that_cannot_be_read_is_named_by_its_variable():
    with pytest.raises(SettingsError, match=r"THROUGHCARE_IDENTIFIER_KEY_FILE cannot be read: No such file"):
        load({**TOLD, "THROUGHCARE_IDENTIFIER_KEY_FILE": "/nowhere/key"})


def test_other_variables_of_the_environment_do_not_matter():
    assert load({**TOLD, "PATH": "/bin", "THROUGHCARE_SOMETHING_ELSE": "1"}) == load(TOLD)


def test_a_child_process_reads_the_settings_of_its_parent():
    settings = replace(
        load(TOLD), partitions=4, allow_unsynced_log=True, site_subdivision="NY", mllp_idle_seconds=0.25
    )
    assert load(environment_of(settings)) == settings


def test_every_setting_can_be_told_by_a_variable():
    environment = environment_of(load(TOLD))
    given = {field.name for field in fields(Settings) if f"THROUGHCARE_{field.name.upper()}" in environment}
    optional = {field.name for field in fields(Settings) if field.default is None}
    assert given == {field.name for field in fields(Settings)} - optional
