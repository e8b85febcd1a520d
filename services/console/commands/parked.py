"""`throughcare parked`: what could not be handled, kept until a person looks.

A message that a service's policy could not handle is called by a number, `12`. An event that the projector
could not apply is called by its position, `0/345`: with it every later event of its participant waits.
"""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec
import typer
from msgspec import Struct
from nats.aio.client import Client
from nats.errors import Error as NatsError

from services.console.faults import Failed
from services.console.options import CONSOLE, Actor, AsJson
from services.console.output import out, print_json, print_table
from services.console.place import Place, place_of
from services.timeline.read_models import projections
from shared.eventlog.log import Log
from shared.eventlog.parking import (
    GivenUp,
    Parked,
    Parking,
    ReplayAnswer,
    ReplayRequest,
    Reread,
    RereadAnswer,
)
from shared.eventlog.subjects import stream_of
from shared.events.envelope import Position
from shared.projections.generation import OtherProjectionsError
from shared.projections.parking import (
    NotParkedError,
    ParkedEvent,
    StillParkedError,
    parked_events,
    replay_at,
)
from shared.site import site_of

_ANSWER: Final = msgspec.json.Decoder(ReplayAnswer)
_REREAD: Final = msgspec.json.Decoder(RereadAnswer)
_REPLAY_SECONDS: Final = 30

app = typer.Typer()

Id = Annotated[str, typer.Argument(metavar="ID", help="As listed: 12, or 0/345.", show_default=False)]


class Entry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something parked, by whom and why. `reason` never holds what a message says."""

    id: str
    since: datetime
    by: str  # the consumer, or the projection
    stream: str
    sequence: int
    reason: str
    subject: str | None = None
    deliveries: int = 0
    participant: str | None = None
    waiting: int = 0  # later events of the same participant
    given_up: GivenUp | None = None


@app.callback(invoke_without_command=True)
def parked(context: typer.Context) -> None:
    """What could not be handled: list it, look at it, replay it. Without a command it is listed."""
    if context.invoked_subcommand is None:
        list_parked(context)


@app.command("list")
def list_parked(
    context: typer.Context,
    given_up: Annotated[
        bool, typer.Option("--given-up", help="What was given up, in place of what waits.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List what is parked, oldest first."""
    entries = asyncio.run(_entries(place_of(context), given_up=given_up))
    if as_json:
        print_json(entries)
        return
    rows = [
        (one.id, one.since.isoformat(timespec="seconds"), one.by, f"{one.stream}/{one.sequence}", one.reason)
        for one in entries
    ]
    print_table(("ID", "SINCE", "BY", "MESSAGE", "REASON"), rows, empty="Nothing is parked.")


@app.command()
def show(context: typer.Context, id: Id, as_json: AsJson = False) -> None:
    """Show why something is parked, and where it is."""
    place = place_of(context)
    entries = [each for told in (False, True) for each in asyncio.run(_entries(place, given_up=told))]
    entry = next((one for one in entries if one.id == id), None)
    if entry is None:
        raise _nothing(id)
    if as_json:
        print_json(entry)
        return
    for name in entry.__struct_fields__:
        out.print(f"{name:<12} {getattr(entry, name)}", markup=False, soft_wrap=True)


@app.command()
def replay(
    context: typer.Context,
    id: Id,
    reread: Annotated[
        bool,
        typer.Option(
            "--reread",
            help="HL7 v2: have its original read anew, by the profiles that the gateway has now.",
        ),
    ] = False,
) -> None:
    """Have it handled again; it leaves the list when that is done, and stays with status 1 when not.

    With --reread it is stored anew as its sender's profile reads it now, and handled as if it came now.
    """
    place = place_of(context)
    if reread:
        if not id.isdecimal():
            raise typer.BadParameter("Only a message, such as 12, is read again.", param_hint="ID")
        told = ", ".join(f"INBOUND/{sequence}" for sequence in asyncio.run(_read_again(place, int(id))))
        out.print(f"{id} is read again: {told}. What cannot be handled is listed anew.", markup=False)
        return
    partition, slash, sequence = id.partition("/")
    if slash and partition.isdecimal() and sequence.isdecimal():
        asyncio.run(_apply_again(place, Position(int(partition), int(sequence))))
    elif id.isdecimal():
        asyncio.run(_handle_again(place, int(id)))
    else:
        raise typer.BadParameter(f"{id} is neither a number nor a position such as 0/345.", param_hint="ID")
    out.print(f"{id} is handled.", markup=False)


@app.command()
def give_up(
    context: typer.Context,
    id: Id,
    reason: Annotated[
        str, typer.Option(help="Why; it is kept for ever, so it names nobody.", show_default=False)
    ],
    actor: Actor = CONSOLE,
) -> None:
    """Have a message wait no longer, since it is never to be handled; `list --given-up` shows who and why.

    Only a message, such as 12: what the projector could not apply is a fact of the log.
    """
    if not id.isdecimal():
        raise typer.BadParameter("Only a message, such as 12, is given up.", param_hint="ID")
    given_up = GivenUp(by=actor, reason=reason, at=datetime.now(UTC))
    asyncio.run(give_up_message(place_of(context), int(id), given_up))
    out.print(f"{id} is given up.", markup=False)


async def give_up_message(place: Place, number: int, given_up: GivenUp) -> None:
    """Have a message wait no longer; raises Failed where it does not wait."""
    async with place.nats() as nats:
        parking = Parking(Log(nats))
        parked = await parking.entry(number)
        if parked is None or parked.given_up:
            raise _nothing(str(number))
        await parking.give_up(number, parked, given_up)


async def _entries(place: Place, *, given_up: bool) -> list[Entry]:
    async with place.nats() as nats, place.database() as database:
        parking = Parking(Log(nats))
        found = await parking.given_up() if given_up else await parking.entries()
        messages = [_of_policy(number, parked) for number, parked in found]
        events = [] if given_up else [_of_projector(parked) for parked in await parked_events(database)]
    return sorted((*messages, *events), key=lambda entry: entry.since)


async def _handle_again(place: Place, number: int) -> None:
    async with place.nats() as nats:
        parked = await Parking(Log(nats)).entry(number)
        if parked is None:
            raise _nothing(str(number))
        answer = await _ask(nats, parked)
        if not answer.done:
            raise Failed(f"It stays parked: {answer.sentence}")
        await Parking(Log(nats)).remove(number)


async def _read_again(place: Place, number: int) -> tuple[int, ...]:
    async with place.nats() as nats:
        parked = await Parking(Log(nats)).entry(number)
        if parked is None:
            raise _nothing(str(number))
        if parked.stream != "INBOUND":
            raise Failed("Only a sender's message is read again; have this one replayed.")
        request = msgspec.json.encode(Reread(parked.sequence))
        try:
            reply = await nats.request("reread.gateway", request, timeout=_REPLAY_SECONDS)
        except (NatsError, TimeoutError):
            raise Failed("The gateway does not answer; it stays parked.") from None
        answer = _REREAD.decode(reply.data)
        if not answer.sequences:
            raise Failed(f"It stays parked: {answer.sentence}")
        await Parking(Log(nats)).remove(number)
        return answer.sequences


async def _ask(nats: Client, parked: Parked) -> ReplayAnswer:
    request = ReplayRequest(parked.consumer, parked.stream, parked.sequence)
    try:
        reply = await nats.request(
            f"replay.{parked.service}", msgspec.json.encode(request), timeout=_REPLAY_SECONDS
        )
    except (NatsError, TimeoutError):
        raise Failed(f"{parked.service} does not answer; it stays parked.") from None
    return _ANSWER.decode(reply.data)


async def _apply_again(place: Place, position: Position) -> None:
    async with place.database() as database:
        try:
            await replay_at(database, projections(site_of(place.settings())), position)
        except NotParkedError:
            raise _nothing(f"{position.partition}/{position.sequence}") from None
        except (StillParkedError, OtherProjectionsError) as error:
            raise Failed(f"It stays parked: {error}") from None


def _of_policy(number: int, parked: Parked) -> Entry:
    return Entry(
        id=str(number),
        since=parked.parked_at,
        by=parked.consumer,
        stream=parked.stream,
        sequence=parked.sequence,
        reason=parked.reason,
        subject=parked.subject,
        deliveries=parked.deliveries,
        given_up=parked.given_up,
    )


def _of_projector(parked: ParkedEvent) -> Entry:
    at = parked.position
    return Entry(
        id=f"{at.partition}/{at.sequence}",
        since=parked.since,
        by=f"projection {parked.projection or 'unknown'}",
        stream=stream_of(at.partition),
        sequence=at.sequence,
        reason=parked.reason,
        participant=str(parked.participant) if parked.participant else None,
        waiting=parked.waiting,
    )


def _nothing(id: str) -> Failed:
    return Failed(f"Nothing is parked as {id}; `throughcare parked list` shows what is.")
