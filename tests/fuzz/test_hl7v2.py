"""The fuzzer for a bounded time; longer by hand, as the module says."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

SECONDS = int(os.environ.get("FUZZ_SECONDS", "20"))
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(SECONDS + 100)
@pytest.mark.skipif(
    find_spec("atheris") is None, reason="atheris is not installed: no coverage-guided fuzzing"
)
def test_the_hl7v2_parser_survives_what_coverage_finds(tmp_path: Path):
    run = subprocess.run(
        [
            *(sys.executable, "-m", "tests.fuzz.hl7v2"),
            *(f"-max_total_time={SECONDS}", "-timeout=10", "-rss_limit_mb=2048", "-max_len=8192"),
            *(f"-artifact_prefix={tmp_path}/", str(tmp_path)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-4_000:]
