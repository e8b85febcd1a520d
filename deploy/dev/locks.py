"""Pins dependencies anew: every file of every version by its hash, and no address of where it came from."""

import os
import subprocess

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
    pin = [environment.uv, *COMPILE, *arguments]
    run_step(
        "Pinning requirements.lock",
        [*pin, "--all-extras", "pyproject.toml", "-o", environment.requirements],
        variables,
        environment.root,
    )
    _pin_uv(environment, [str(part) for part in pin], variables)
    return 0


def _pin_uv(environment: Environment, pin: list[str], variables: dict[str, str]) -> None:
    subprocess.run(
        [*pin, "--no-annotate", "-", "-o", str(environment.bootstrap)],
        input="uv",
        text=True,
        check=True,
        env=variables,
        cwd=environment.root,
    )
