"""`throughcare worklist`: what coordinators have to do."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Final, cast, get_args

import typer

from services.console import lookup
from services.console.options import AsJson
from services.console.output import out, print_json
from services.console.place import Place, place_of
from services.console.worklist_view import worklist_table
from services.timeline import queries
from services.timeline.queries import WorkItem
from services.timeline.read_models.tasks.desk import Kind
from shared.site import site_of

_KINDS: Final[tuple[str, ...]] = tuple(kind for kind in get_args(Kind) if kind != "remembered")


def worklist(
    context: typer.Context,
    kind: Annotated[str | None, typer.Option(help=f"Only one of {', '.join(_KINDS)}.")] = None,
    participant: Annotated[str | None, typer.Option(help="Only one participant's tasks.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what is to be done: suicide risk first, then by priority and last day."""
    if kind is not None and kind not in _KINDS:
        raise typer.BadParameter(f"{kind} is none of {', '.join(_KINDS)}.", param_hint="--kind")
    items = asyncio.run(_items(place_of(context), cast("Kind | None", kind), participant))
    if as_json:
        print_json(items)
    else:
        out.print(worklist_table(items) if items else "Nothing is to be done.")


async def _items(place: Place, kind: Kind | None, meant: str | None) -> list[WorkItem]:
    whose = (await lookup.participant(place, meant)).id if meant else None
    async with place.database() as connection:
        site = site_of(place.settings())
        return await queries.worklist(connection, site, datetime.now(UTC), kind, whose)
