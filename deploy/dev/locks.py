"""Pins dependencies anew: every file of every version by its hash, and no address of where it came from."""

import os
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from environment import Environment
from pip_settings import uv_variables
from progress import run_step

COMPILE = (
    "pip",
    "compile",
    "--quiet",
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-header",
    "--no-emit-index-url",
    "--no-emit-find-links",
)


def renew(environment: Environment, arguments: list[str]) -> int:
    """Write requirements.lock and bootstrap.lock; pins stay unless the arguments say `--upgrade`."""
    environment.ensure_uv()
    variables = {**os.environ, **uv_variables(os.environ)}
    # Extra indexes and folders of this machine may hold fewer files of a version than the index does.
    for machine_only in ("UV_INDEX", "UV_FIND_LINKS"):
        variables.pop(machine_only, None)
    pin = [str(environment.uv), *COMPILE, *arguments]
    with _pins_only(environment.requirements) as requirements:
        command = [*pin, "--all-extras", "pyproject.toml", "-o", requirements]
        run_step("Pinning requirements.lock", command, variables, environment.root)
    with _pins_only(environment.bootstrap) as bootstrap:
        _pin_uv([*pin, "--no-annotate", "-", "-o", str(bootstrap)], variables, environment.root)
    return 0


def _pin_uv(command: list[str], variables: dict[str, str], root: Path) -> None:
    subprocess.run(command, input="uv", text=True, check=True, env=variables, cwd=root)


@contextmanager
def _pins_only(lock: Path) -> Generator[Path]:
    """A copy of the lock without hashes, to be written anew; it takes the lock's place if that succeeds.

    uv keeps the hashes of a version it finds pinned, though the index may have those of more platforms.
    """
    with TemporaryDirectory() as folder:
        copy = Path(folder) / lock.name
        copy.write_text("\n".join(line.partition(" \\")[0] for line in _lines_without_hashes(lock)) + "\n")
        yield copy
        lock.write_bytes(copy.read_bytes())


def _lines_without_hashes(lock: Path) -> list[str]:
    lines = lock.read_text().splitlines() if lock.exists() else []
    return [line for line in lines if not line.lstrip().startswith("--hash=")]
