"""`throughcare rebuild`, `verify`, `restore`: the log, its journal, and what is made of them."""

import asyncio
import os
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Final

import typer

from services.console.differences import Told, told_of
from services.console.faults import REFUSED, Failed
from services.console.options import AsJson
from services.console.output import out, print_json, print_table, progress_bar
from services.console.place import Place, place_of
from services.timeline.read_models import projections
from shared.collector import collect_rarely
from shared.projections.difference import Difference
from shared.projections.projection import AnyProjection
from shared.projections.rebuild import RebuildOutcome
from shared.projections.rebuild import rebuild as rebuild_all
from shared.projections.rebuild_workers import Workers
from shared.projections.restore import RestoreError
from shared.projections.restore import restore as restore_partition
from shared.projections.verify import verify as verify_all
from shared.settings import Settings
from shared.site import site_of

_MOST_WORKERS: Final = 4


def rebuild(context: typer.Context) -> None:
    """Build every read model anew from the journal, while the old ones serve.

    Readers see the new ones all at once, when they are whole. Ends with status 1 when an event could not be
    applied; it is parked then.
    """
    collect_rarely()
    done = asyncio.run(_rebuild(place_of(context)))
    out.print(f"{done.events} events are folded into generation {done.generation} of the read models.")
    if done.parked:
        raise Failed(f"{done.parked} events are parked; `throughcare parked list` shows them.")


async def _rebuild(place: Place) -> RebuildOutcome:
    settings = place.settings()
    workers = Workers(partial(_projections, settings), count=min(os.cpu_count() or 1, _MOST_WORKERS))
    with progress_bar("Folding the journal") as told:
        return await rebuild_all(settings.database_url, _projections(settings), told, workers=workers)


def _projections(settings: Settings) -> Sequence[AnyProjection]:
    return projections(site_of(settings))


def verify(context: typer.Context, as_json: AsJson = False) -> None:
    """Compare the log with the journal, and the read models with a fresh fold of the log.

    Lists every difference, and ends with status 1 if there is any. Services may go on meanwhile.
    """
    collect_rarely()
    found = asyncio.run(_verify(place_of(context)))
    if as_json:
        print_json(found)
    else:
        _print(list(map(told_of, found)))
    if found:
        raise typer.Exit(REFUSED)


async def _verify(place: Place) -> list[Difference]:
    settings = place.settings()
    folded = _projections(settings)
    async with place.nats() as nats, place.database() as database:
        with progress_bar("Comparing") as told:

            def progress(step: str, done: int, total: int) -> None:
                told(done, total, f"Comparing the {step}")

            return [each async for each in verify_all(nats, database, folded, progress)]


def _print(found: list[Told]) -> None:
    rows = [(each.what, each.where, each.detail) for each in found]
    print_table(("DIFFERENCE", "WHERE", "DETAIL"), rows, empty="The log and all that is made of it agree.")


def restore(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Do it: publish the journal into the streams.")] = False,
) -> None:
    """Fill an empty log from the journal: the same bytes at the same sequences.

    For a log that was lost: make its streams with `throughcare apply`, stop every timeline service, then
    restore. Refused where a stream is not empty or the journal has gaps.
    """
    if not yes:
        raise typer.BadParameter("This writes the log anew; say --yes to do it.", param_hint="--yes")
    restored = asyncio.run(_restore(place_of(context)))
    out.print(f"{restored} events are back in the log.")


async def _restore(place: Place) -> int:
    restored = 0
    async with place.nats() as nats, place.database() as database:
        for partition in range(place.settings().partitions):
            with progress_bar(f"Restoring partition {partition}") as told:
                try:
                    restored += await restore_partition(nats, database, partition, told)
                except RestoreError as error:
                    raise Failed(str(error)) from None
    return restored
