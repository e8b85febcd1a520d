"""Every check of the sources, one after the other; all are run, so that one failing run tells everything."""

import subprocess
import time
from pathlib import Path

from environment import Environment
from progress import say
from registry_hosts import registry_hosts_in

CHECKS = {
    "format": ("ruff", "format", "--check"),
    "rules": ("ruff", "check"),
    "types": ("basedpyright",),
    "imports": ("lint-imports", "--no-logo"),
}

FIXES = {
    "rules, applied": ("ruff", "check", "--fix-only"),
    "format, applied": ("ruff", "format"),
}


def run(environment: Environment, arguments: list[str]) -> int:
    """Run every check; 1 if any failed. `--fix` first applies what ruff can apply."""
    if arguments not in ([], ["--fix"]):
        say(f"lint takes --fix or nothing, not {' '.join(arguments)}.")
        return 2
    environment.ensure()
    steps = {**FIXES, **CHECKS} if arguments else CHECKS
    failed = [name for name, command in steps.items() if not _passes(environment, name, command)]
    failed += [] if _names_no_registry(environment.root) else ["registry addresses"]
    say(f"lint: {', '.join(failed)} failed." if failed else "lint: all checks passed.")
    return 1 if failed else 0


def _passes(environment: Environment, name: str, command: tuple[str, ...]) -> bool:
    say(f"lint: {name} ({' '.join(command)})")
    started = time.monotonic()
    program = environment.venv / "bin" / command[0]
    status = subprocess.run(
        [program, *command[1:]], cwd=environment.root, env=environment.variables(), check=False
    ).returncode
    say(f"lint: {name}: {'failed' if status else 'passed'} in {time.monotonic() - started:.1f} s")
    return status == 0


def _names_no_registry(root: Path) -> bool:
    say("lint: registry addresses")
    found = registry_hosts_in(root)
    for place in found:
        print(place)
    say(f"lint: registry addresses: {'failed' if found else 'passed'}")
    return not found
