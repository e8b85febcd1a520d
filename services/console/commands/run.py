"""`throughcare run`: one service, as it runs in production."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from importlib import import_module
from typing import Annotated, cast

import typer
import uvloop

from services.console.place import place_of
from shared.settings import Settings
from shared.site import site_of


class Service(StrEnum):
    """A service that can be run."""

    GATEWAY = "gateway"
    INTAKE = "intake"
    CARE_PLAN = "care_plan"
    AFTERCARE = "aftercare"
    TIMELINE = "timeline"


def run(
    context: typer.Context, service: Annotated[Service, typer.Argument(help="Which one.", show_default=False)]
) -> None:
    """Run one service until SIGTERM or Ctrl-C.

    Logs go to stderr as JSON lines; /livez, /readyz and /metrics answer on THROUGHCARE_ADMIN_PORT. Ends with
    status 1 when something that it cannot do without is lost.
    """
    settings = place_of(context).settings()
    site_of(settings)  # a site that does not exist is refused at once, not when NATS is there
    app = import_module(f"services.{service.value}.app")
    start = cast("Callable[[Settings], Awaitable[None]]", app.run)
    uvloop.run(_until_stopped(start, settings))


async def _until_stopped(start: Callable[[Settings], Awaitable[None]], settings: Settings) -> None:
    await start(settings)
