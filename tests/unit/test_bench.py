import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_bench_starts_and_names_what_it_measures():
    told = subprocess.run(
        [sys.executable, "-P", "-m", "tests.bench", "--help"],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert all(name in told.stdout for name in ("pipeline", "latency", "catch-up", "mllp", "fhir"))
