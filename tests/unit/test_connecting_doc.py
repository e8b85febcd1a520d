"""docs/connecting.md names what the code takes, answers and can be told; links lead somewhere."""

import re
from itertools import product
from pathlib import Path
from typing import Final, get_args

import pytest
from msgspec.structs import fields
from typer import Typer

from services.console.main import app
from services.gateway import profile_file
from services.gateway.fhir.openapi import operations
from services.gateway.fhir.served import SERVED
from services.gateway.fhir.write import INTERACTIONS
from services.gateway.hl7v2.acknowledgement import Verdict
from services.gateway.hl7v2.error import Condition
from services.gateway.hl7v2.translate import accepts
from shared.events.inbound import InboundMessage
from shared.fhir import TASK_STATUS
from shared.loinc import INSTRUMENTS
from shared.settings import Settings

ROOT: Final = Path(__file__).resolve().parents[2]
TEXT: Final = (ROOT / "docs" / "connecting.md").read_text()
DOCUMENTS: Final = [
    ROOT / "README.md",
    ROOT / "deploy" / "runbook.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
TRIGGERS: Final = [
    f"{code}^{letter}{number:02}"
    for code, letter, number in product(("REF", "ADT", "SIU", "ORU"), "AIRS", range(100))
    if accepts(code, f"{letter}{number:02}")
]


def is_named(word: str) -> bool:
    return re.search(rf"`{re.escape(word)}`", TEXT) is not None


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_every_message_that_is_taken_is_named_and_has_a_sample(trigger: str):
    assert is_named(trigger)
    file = f"{trigger.replace('^', '-').lower()}.hl7"
    assert f"(examples/{file})" in TEXT
    assert f"|{trigger}" in (ROOT / "docs" / "examples" / file).read_text()


def test_every_kind_of_answer_is_named():
    codes = [mode + verdict.value for mode in "AC" for verdict in Verdict]
    statuses = [str(status) for status in operations._SAYS]  # pyright: ignore[reportPrivateUsage] -- all there are
    assert [each for each in (*codes, *statuses) if not is_named(each)] == []
    assert [each.name for each in Condition if not is_named(str(each.value))] == []


def test_every_key_of_a_profile_is_named():
    keys = [each.name for each in fields(profile_file._Agreement)]  # pyright: ignore[reportPrivateUsage] -- as written
    keys += [each.name for each in fields(profile_file._Sender)]  # pyright: ignore[reportPrivateUsage] -- as written
    rows = TEXT.partition("## The profile file")[2].partition("\n## ")[0]
    assert [each for each in (*keys, "default", "profiles") if f"`{each}`" not in rows] == []


def test_every_native_message_and_kind_is_named_and_has_a_sample():
    for message in get_args(InboundMessage):
        assert is_named(message.__name__)
        assert is_named(message.kind)
        samples = (ROOT / "docs" / "examples").glob("event-*.json")
        assert any(f'"throughcare.inbound.{message.__name__}"' in each.read_text() for each in samples)


def test_every_resource_status_and_instrument_is_named():
    assert [
        each for each in (*SERVED, *INTERACTIONS) if f"`{each}`" not in TEXT and f"/{each}" not in TEXT
    ] == []
    assert [each for each in TASK_STATUS if not is_named(each)] == []
    assert [each for each in INSTRUMENTS if each not in TEXT] == []


def test_the_settings_that_are_named_exist():
    known = {f"THROUGHCARE_{each.name.upper()}" for each in fields(Settings)} | {"THROUGHCARE_TOKEN"}
    readme = (ROOT / "README.md").read_text()
    assert set(re.findall(r"THROUGHCARE_[A-Z_]*[A-Z]\b", TEXT)) <= known
    assert set(re.findall(r"THROUGHCARE_[A-Z_]*[A-Z]\b", readme)) <= known | {"THROUGHCARE_"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_of_a_document_exists(document: Path):
    groups = {each.name: _names(each.typer_instance) for each in app.registered_groups}
    commands = _names(app) | groups.keys()
    text = document.read_text()
    for command, below in re.findall(
        r"(?:^ {4}|`|/dev )throughcare ([a-z][a-z-]+)(?: ([a-z-]+))?", text, re.MULTILINE
    ):
        assert command in commands, command
        if command in groups and below:
            assert below in groups[command], f"{command} {below}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_of_a_document_leads_somewhere(document: Path):
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        linked = (document.parent / path).resolve() if path else document
        assert linked.exists(), target
        if anchor:
            assert anchor in {_anchor(each) for each in linked.read_text().splitlines()}, target


def _names(typer_app: Typer | None) -> set[str]:
    told = typer_app.registered_commands if typer_app else []
    return {each.name or (each.callback.__name__.replace("_", "-") if each.callback else "") for each in told}


def _anchor(line: str) -> str:
    """Return a heading's anchor as code hosts make it; empty for what is none."""
    if not line.startswith("#"):
        return ""
    return re.sub(r"[^\w -]", "", line.lstrip("# ").lower()).replace(" ", "-")
