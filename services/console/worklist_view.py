"""The worklist as a table: what is to be done, for whom, by when."""

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from services.console.output import table_of
from services.timeline.queries import WorkItem

_STYLES = {"safety": "bold red", "stat": "red", "urgent": "yellow", "routine": ""}


def worklist_table(items: Iterable[WorkItem], *, title: str | None = None) -> Table:
    """Make the table; what is overdue or about safety stands out."""
    columns = ("PRIORITY", "DUE", "WHOM", "WHAT", "KIND", "PARTICIPANT")
    return table_of(columns, map(_row, items), title=title)


def name_of(family: str | None, given: tuple[str, ...]) -> str:
    """Return a name as a list shows it."""
    return ", ".join(filter(None, (family, " ".join(given)))) or "not told"


def _row(item: WorkItem) -> tuple[Text | str, ...]:
    task = item.task
    what = Text(task.title)
    if task.detail:
        what.append(f" {task.detail}", style="dim")
    return (
        Text(task.priority, style=_STYLES[task.priority]),
        _due(item),
        name_of(item.family, item.given),
        what,
        Text(task.kind, style="dim"),
        Text(str(task.participant)[-12:], style="dim"),
    )


def _due(item: WorkItem) -> Text:
    if item.task.due is None:
        return Text("")
    day = f"{item.task.due:%a %d %b}"
    return Text(f"{day} overdue", style="bold red") if item.overdue else Text(day)
