"""`./dev bench`: measures ours against plain nats-py and asyncpg on the same servers, and prints the ratios.

Ends with status 0 also where a target is missed; 1 only where something could not be measured.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tests.bench.context import Context
from tests.bench.figure import Figure, Measurement
from tests.bench.figures import ALL
from tests.bench.machine import Others, machine
from tests.bench.report import print_figures, write_json


def main(arguments: Sequence[str]) -> int:
    told = _parser().parse_args(arguments)
    err = Console(stderr=True)
    folder = Path(tempfile.mkdtemp(prefix="throughcare-bench-"))
    context = Context(told.quick, folder, lambda doing: err.print(f"  {doing}", style="dim"))
    others = Others()
    chosen = [each for each in ALL if not told.only or each.name in told.only]
    try:
        figures, failed = _measure(context, chosen, err)
    finally:
        context.leave_town()
        if not told.keep:
            shutil.rmtree(folder)
    print_figures(Console(), figures, _circumstances(others, quick=told.quick))
    if told.json:
        write_json(told.json, figures)
    return 1 if failed else 0


def _circumstances(others: Others, *, quick: bool) -> str:
    share = others.share()
    disturbed = "" if share is None else f" Others took {share:.0%} of the processor time that was used."
    return f"{'Quick run, ' if quick else ''}{machine()}.{disturbed}"


def _measure(
    context: Context, measurements: Sequence[Measurement], err: Console
) -> tuple[list[Figure], list[str]]:
    """Measure everything; what cannot be measured is told, and the rest goes on."""
    figures: list[Figure] = []
    failed: list[str] = []
    for each in measurements:
        err.print(f"{each.name} …")
        begun = time.monotonic()
        try:
            figures += each.run(context)
        except Exception:  # noqa: BLE001 -- whatever it is, the other figures are worth having
            err.print_exception()
            failed.append(each.name)
        err.print(f"  {time.monotonic() - begun:.0f} s", style="dim")
    for name in failed:
        err.print(f"{name} could not be measured.", style="red")
    return figures, failed


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer messages, smaller logs: within 3 minutes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON, too")
    parser.add_argument(
        "--only", action="append", choices=[each.name for each in ALL], help="measure just this (repeatable)"
    )
    parser.add_argument("--keep", action="store_true", help="leave the servers' data and the services' logs")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
