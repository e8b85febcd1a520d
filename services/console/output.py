"""What commands print: a table for people, JSON for programs, and sentences about failure on stderr.

What a hospital sent never steers the terminal: a control character in it, which could set the clipboard, hide
a line or write it backwards, is shown as a box.
"""

import re
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any, Final

import msgspec
from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

# C0 but tab and line feed, DEL, C1, and what changes the direction of writing (Unicode TR 36, 3.2).
_STEERING: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_SHOWN_AS: Final = "\N{WHITE VERTICAL RECTANGLE}"


class PlainConsole(Console):
    """A console where text is only text: what steers a terminal comes from styles alone."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render as every console, its text without control characters."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=_plain(segment.text))


def _plain(text: str) -> str:
    return _STEERING.sub(_SHOWN_AS, text)


out = PlainConsole(highlight=False)
err = PlainConsole(stderr=True, highlight=False)

Cell = str | Text
"""A plain string is shown as it is: what a hospital sent is never read as markup."""


def print_json(value: Any) -> None:  # noqa: ANN401 -- any Struct or plain value
    """Print a value as JSON, indented; what would steer a terminal is escaped."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    print(escaped_json(text))


def escaped_json(text: str) -> str:
    """Return the same JSON with what would steer a terminal as escapes: JSON itself escapes only C0."""
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def table_of(columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, title: str | None = None) -> Table:
    """Make a table without rules: a heading, and columns of text."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.padding = (0, 2, 0, 0)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    return table


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, empty: str) -> None:
    """Print a table, or the sentence `empty` where it would have no row."""
    table = table_of(columns, rows)
    out.print(table if table.row_count else empty)


def tell(sentence: str) -> None:
    """Say something on stderr."""
    err.print(sentence, markup=False, soft_wrap=True)


@contextmanager
def step(doing: str) -> Generator[None]:
    """Say what takes its time, with a spinner on a terminal, and how long it took."""
    begun = time.monotonic()
    with err.status(f"{doing} …"):
        yield
    err.print(f"[green]✓[/] {doing} [dim]{time.monotonic() - begun:.1f} s[/]")


@contextmanager
def progress_bar(doing: str) -> Generator[Callable[..., None]]:
    """Show a bar on stderr; call what it gives with how much is done, of how much, and perhaps of what."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err) as progress:
        task = progress.add_task(doing, total=None)

        def told(done: int, total: int, what: str = doing) -> None:
            progress.update(task, completed=done, total=total, description=what)

        yield told
