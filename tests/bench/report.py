"""The table for people and the JSON for programs."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from tests.bench.figure import Figure


def table_of(figures: Sequence[Figure]) -> Table:
    """Make the table: a figure a line, what misses its target in red."""
    table = Table(box=None, pad_edge=False)
    table.add_column("figure")
    for column in ("ours", "bare", "ratio", "target"):
        table.add_column(column, justify="right")
    table.add_column("")
    for each in figures:
        verdict = "[green]holds[/]" if each.holds else "[red]missed[/]"
        table.add_row(
            each.name,
            f"{_rounded(each.value)} {each.unit}",
            f"{_rounded(each.ceiling)} {each.unit}",
            f"{each.ratio:.2f}",
            each.target,
            verdict,
        )
    return table


def print_figures(console: Console, figures: Sequence[Figure], circumstances: str) -> None:
    """Print the table and where it was measured."""
    console.print(table_of(figures))
    console.print(circumstances, style="dim", highlight=False)


def write_json(path: Path, figures: Sequence[Figure]) -> None:
    """Write the figures as a list."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(figures)) + b"\n")


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # three digits say enough of a noisy machine
