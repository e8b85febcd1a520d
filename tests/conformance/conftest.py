"""Files that other people published, read where they lie: CONFORMANCE_DIR, else ../shared/conformance."""

import os
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("CONFORMANCE_DIR") or _REPOSITORY.parent / "shared" / "conformance")


@pytest.fixture
def hl7v2() -> Path:
    """The folder of HL7 v2 messages; a test that needs it is skipped where there is none."""
    folder = FOLDER / "hl7v2"
    if not folder.is_dir():
        pytest.skip(f"There is no conformance material in {folder}; set CONFORMANCE_DIR.")
    return folder
