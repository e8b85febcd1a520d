"""What ./dev does, once it has found a Python."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import lint
import locks
from environment import Environment
from progress import StepFailedError

ROOT = Path(__file__).resolve().parents[2]

HELP = """\
Usage: ./dev COMMAND [ARGS]

  demo         start real servers and every service, send a synthetic cohort through the front doors,
               show the worklist and a timeline; stays up until Ctrl-C (--headless, --fresh)
  throughcare  the command itself: run, send, timeline, worklist, status, verify, ...
  test         run the tests (pytest's arguments; paths are counted from the root)
  lint         format, rules, types, imports, registry addresses (--fix applies what can be applied)
  bench        measure against bare nats-py and asyncpg (--quick, --json FILE)
  lock         pin the dependencies of pyproject.toml anew, with hashes (uv's arguments, as --upgrade)

The first use installs what requirements.lock pins, into .tools and .venv beside this script. The indexes,
certificates and proxies that pip is configured with are used. Needs Python 3.11 or newer and pip.
"""


def become(environment: Environment, module: str, arguments: list[str]) -> NoReturn:
    """Become `python -m module`, so that signals and the exit status are its own."""
    environment.ensure()
    python = environment.python
    os.execve(python, [str(python), "-P", "-m", module, *arguments], environment.variables())  # noqa: S606 (no shell)


def demo(environment: Environment, arguments: list[str]) -> NoReturn:
    become(environment, "services.console", ["demo", *arguments])


def throughcare(environment: Environment, arguments: list[str]) -> NoReturn:
    become(environment, "services.console", arguments)


def test(environment: Environment, arguments: list[str]) -> NoReturn:
    os.chdir(ROOT)
    become(environment, "pytest", arguments or _WHOLE_SUITE)


def bench(environment: Environment, arguments: list[str]) -> NoReturn:
    become(environment, "tests.bench", arguments)


# Each worker has servers of its own, so files stay together. tests/conftest.py puts the long ones first: they
# have few tests, so that xdist would put them last.
_WHOLE_SUITE = [
    "--numprocesses=auto",
    "--maxprocesses=4",
    "--dist=loadfile",
    "--no-loadscope-reorder",
    "--durations=15",
]

COMMANDS: dict[str, Callable[[Environment, list[str]], int]] = {
    "demo": demo,
    "throughcare": throughcare,
    "test": test,
    "bench": bench,
    "lint": lint.run,
    "lock": locks.renew,
}


def main(arguments: list[str]) -> int:
    """Run one subcommand; returns the exit status, 2 when there is no such subcommand."""
    name, rest = (arguments[0], arguments[1:]) if arguments else ("--help", [])
    if name in COMMANDS:
        return COMMANDS[name](Environment(ROOT), rest)
    if name in ("-h", "--help", "help"):
        print(HELP, end="")
        return 0
    print(f"./dev knows no command {name!r}.\n\n{HELP}", end="", file=sys.stderr)
    return 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except StepFailedError as failure:
        sys.exit(f"./dev: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
