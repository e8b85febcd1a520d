"""The worklist as a table: what is to be done, for whom, by when."""

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from services.console.output import table_of
from services.timeline.queries import WorkItem

_STYLES = {"safety": "bold red", "stat": "red", "urgent": "yellow", "routine": ""}
_ID_SHOWN = 12  # enough to name the participant in another command


def worklist_table(items: Iterable[WorkItem], *, title: str | None = None) -> Table:
    """Make the table; what is overdue or about safety stands out."""
    return table_of(("PRIORITY", "DUE", "WHOM", "WHAT"), map(_row, items), title=title)


def name_of(family: str | None, given: tuple[str, ...]) -> str:
    """Return a name as a list shows it."""
    return ", ".join(filter(None, (family, " ".join(given)))) or "not told"


def _row(item: WorkItem) -> tuple[Text, ...]:
    task = item.task
    whom = Text(name_of(item.family, item.given))
    whom.append(f"\n{str(task.participant)[-_ID_SHOWN:]}", style="dim")
    what = Text(task.title, style="bold")
    what.append(f"\n{task.kind}", style="not bold cyan dim")
    if task.detail:
        what.append(f"  {task.detail}", style="not bold dim")
    return Text(task.priority, style=_STYLES[task.priority]), _due(item), whom, what


def _due(item: WorkItem) -> Text:
    if item.task.due is None:
        return Text("")
    day = f"{item.task.due:%a %d %b}"
    return Text(f"{day}\noverdue", style="bold red") if item.overdue else Text(day)
