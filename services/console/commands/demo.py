"""`throughcare demo`: everything, on this machine."""

from typing import Annotated

import typer

from services.console.demo import demo as whole
from services.console.place import place_of


def demo(
    context: typer.Context,
    headless: Annotated[
        bool, typer.Option("--headless", help="Stop everything when the cohort is through.")
    ] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete what earlier demos left here.")] = False,
) -> None:
    """Start real servers and every service, send a synthetic cohort, and show what came of it.

    nats-server and Postgres keep their data in the folder .throughcare; a second run continues with it.
    THROUGHCARE_NATS_URL and THROUGHCARE_DATABASE_URL replace them. Stays up until Ctrl-C, which stops
    everything. Ends with status 1 naming each promise of the cohort that was not kept.
    """
    whole.run(place_of(context).folder, headless=headless, fresh=fresh)
