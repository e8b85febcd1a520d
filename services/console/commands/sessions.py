"""`throughcare session`: treatment sessions scheduled, attended and missed."""

from datetime import timedelta
from typing import Annotated, Final, cast, get_args

import typer

from services.console import lookup
from services.console.asking import ask, common, instant_at_site, moment_at_site, new_id
from services.console.options import CONSOLE, Actor, AsJson, At, Participant
from services.console.place import place_of
from shared.commands.care_plan import RecordSessionAttended, RecordSessionMissed, ScheduleSession
from shared.events.session import SessionType

_TYPES: Final[tuple[str, ...]] = get_args(SessionType)

app = typer.Typer(no_args_is_help=True, help="Schedule sessions, and record who came.")

Session = Annotated[
    str,
    typer.Argument(
        metavar="SESSION",
        help="Id of a session without a result yet, its beginning or end.",
        show_default=False,
    ),
]


@app.command()
def schedule(
    context: typer.Context,
    participant: Participant,
    start: Annotated[
        str, typer.Option(metavar="WHEN", help="2026-03-03T10:00, in the site's time.", show_default=False)
    ],
    lead: Annotated[str, typer.Option(help="Who leads it, as an opaque id.", show_default=False)],
    credential: Annotated[str, typer.Option(help="The lead's licence, such as LCSW.", show_default=False)],
    minutes: Annotated[int, typer.Option(help="How long it takes.", min=1)] = 180,
    kind: Annotated[str, typer.Option("--type", help=f"One of {', '.join(_TYPES)}.")] = "group",
    actor: Actor = CONSOLE,
    as_json: AsJson = False,
) -> None:
    """Schedule a session."""
    if kind not in _TYPES:
        raise typer.BadParameter(f"{kind} is none of {', '.join(_TYPES)}.", param_hint="--type")
    begins = instant_at_site(start, place_of(context).settings(), option="--start")
    ask(
        context,
        lookup.in_care,
        participant,
        lambda found: ScheduleSession(
            **common(found.participant, actor),
            session=new_id(),
            type=cast("SessionType", kind),
            start=begins,
            end=begins + timedelta(minutes=minutes),
            lead=lead,
            credential=credential,
        ),
        as_json=as_json,
    )


@app.command()
def attend(
    context: typer.Context,
    session: Session,
    minutes: Annotated[int, typer.Option(help="How long the participant took part.", min=1)] = 180,
    at: At = None,
    actor: Actor = CONSOLE,
    as_json: AsJson = False,
) -> None:
    """Record that the participant took part."""
    when = moment_at_site(at, place_of(context).settings())
    ask(
        context,
        lookup.session,
        session,
        lambda found: RecordSessionAttended(
            **common(found.participant, actor), at=when, session=found.id, minutes=minutes
        ),
        as_json=as_json,
    )


@app.command()
def miss(
    context: typer.Context,
    session: Session,
    excused: Annotated[bool, typer.Option("--excused", help="The participant said so before.")] = False,
    at: At = None,
    actor: Actor = CONSOLE,
    as_json: AsJson = False,
) -> None:
    """Record that the participant did not come."""
    when = moment_at_site(at, place_of(context).settings())
    ask(
        context,
        lookup.session,
        session,
        lambda found: RecordSessionMissed(
            **common(found.participant, actor), at=when, session=found.id, excused=excused
        ),
        as_json=as_json,
    )
