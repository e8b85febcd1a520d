"""A participant's timeline as it is drawn: what happened, when, who, from which message, and what is due."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from msgspec import Struct
from rich.console import Group, RenderableType
from rich.text import Text

from services.console.output import table_of
from services.console.worklist_view import name_of, worklist_table
from services.timeline.person import Person
from services.timeline.queries import FollowUpItem, WorkItem
from services.timeline.read_models.care.state import CareState
from services.timeline.read_models.timeline import Entry
from shared.events.moment import is_day
from shared.site import Site

_LATE_DAYS: Final = 1


class Chart(Struct, frozen=True, kw_only=True):
    """All that a coordinator reads about one participant."""

    asked: UUID  # the record that was asked for
    person: Person  # whose it is
    care: CareState | None
    timeline: Sequence[Entry]
    follow_ups: Sequence[FollowUpItem]
    tasks: Sequence[WorkItem]


def chart(it: Chart, site: Site) -> RenderableType:
    """Draw it, with times of the site."""
    parts: list[RenderableType] = [_heading(it.care), *_notes(it)]
    if it.timeline:
        parts += [Text(""), _timeline(it, site)]
    if owed := [item for item in it.follow_ups if item.follow_up.is_owed]:
        parts += [Text(""), _follow_ups(owed)]
    if it.tasks:
        parts += [Text(""), worklist_table(it.tasks, title="To be done")]
    return Group(*parts)


def _heading(care: CareState | None) -> Text:
    if care is None:
        return Text("Nothing was known then.")
    heading = Text(name_of(care.family, care.given), style="bold")
    for told in _facts(care):
        heading.append(f"  {told}", style="not bold")
    heading.append(f"\n{care.participant}", style="not bold dim")
    return heading


def _notes(it: Chart) -> Iterable[Text]:
    """Say that several records are shown together, and that another one was asked for."""
    if it.asked != it.person.survivor:
        yield Text(
            f"{it.asked} was merged into this record: this is the survivor's timeline.", style="yellow"
        )
    if it.person.priors:
        priors = ", ".join(map(str, it.person.priors))
        yield Text(f"With what stands in the merged record {priors}, marked ↳.", style="yellow")


def _facts(care: CareState) -> Iterable[str]:
    yield care.status
    if care.level:
        yield f"level {care.level} (ASAM, edition {care.edition})"
    if care.risk_level:
        yield f"suicide risk {care.risk_level}"
    if care.sessions_attended or care.sessions_missed:
        yield f"sessions: {care.sessions_attended} attended, {care.sessions_missed} missed"


def _timeline(it: Chart, site: Site) -> RenderableType:
    columns = ("WHEN", "WHAT", "WHO, AND WHICH MESSAGE", "DUE")
    return table_of(columns, (_row(entry, it.person, site) for entry in it.timeline), title="Timeline")


def _row(entry: Entry, whose: Person, site: Site) -> tuple[Text, ...]:
    mark = "" if entry.participant == whose.survivor else "↳ "
    what = Text(mark + entry.title, style="bold yellow" if entry.corrects else "bold")
    if entry.detail:
        what.append(f"\n{entry.detail}", style="not bold dim")
    who = Text(entry.actor, style="cyan")
    if entry.trigger:
        who.append(f"\n{entry.trigger} {entry.control_id}", style="magenta")
    return _when(entry, site), what, who, Text(f"{entry.due:%a %d %b}" if entry.due else "", style="green")


def _when(entry: Entry, site: Site) -> Text:
    local = entry.happened_at.astimezone(site.tz)
    recorded = site.today(entry.recorded_at)
    # Hospitals send what is years old: then the year stands in the clock's place.
    clock = "%Y" if local.year != recorded.year else "" if is_day(entry.happened) else "%H:%M"
    when = Text(f"{local:%a %d %b {clock}}".rstrip())
    if _days(local, recorded) >= _LATE_DAYS:
        when.append(f"\ntold {recorded:%a %d %b}", style="dim")
    return when


def _days(happened: datetime, recorded: date) -> int:
    return (recorded - happened.date()).days


def _follow_ups(items: Iterable[FollowUpItem]) -> RenderableType:
    rows = [
        (
            Text(f"{it.due:%a %d %b}", style="bold red" if item.overdue else "green"),
            Text(it.kind),
            Text(it.status),
            Text(f"counts from {it.window_opens:%a %d %b}", style="dim"),
        )
        for item in items
        for it in (item.follow_up,)
    ]
    return table_of(("DUE", "FOLLOW-UP", "STATUS", "WINDOW"), rows, title="Follow-ups owed")
