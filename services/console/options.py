"""Options that several commands share."""

from typing import Annotated, Final

import typer
from typer.models import ArgumentInfo

CONSOLE: Final = "coordinator:console"
"""Who acts where nobody is named."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

Actor = Annotated[
    str,
    typer.Option(
        envvar="THROUGHCARE_ACTOR",
        metavar="ID",
        help="Who does it, as an opaque id: it stands in the record for ever.",
    ),
]

Participant = Annotated[
    str,
    typer.Argument(
        metavar="PARTICIPANT",
        help="Participant id, its beginning or end (4 characters or more), or a hospital's number.",
        show_default=False,
    ),
]

REFERRAL: Final[ArgumentInfo] = typer.Argument(
    metavar="REFERRAL",
    help="Referral id, its beginning or end (4 characters or more), or the sender's number.",
    show_default=False,
)

Referral = Annotated[str, REFERRAL]

At = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="WHEN",
        help="When it happened: 2026-03-03, or 2026-03-03T10:00 in the site's time; else now.",
    ),
]
