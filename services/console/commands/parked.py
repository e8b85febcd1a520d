"""`throughcare parked`: what could not be handled, kept until a person looks."""

import asyncio
from typing import Annotated, Final

import msgspec
import typer
from nats.aio.client import Client
from nats.errors import Error as NatsError

from services.console.faults import Failed
from services.console.options import AsJson
from services.console.output import out, print_json, print_table
from services.console.place import Place, place_of
from shared.eventlog.log import Log
from shared.eventlog.parking import Parked, Parking, ReplayAnswer, ReplayRequest

_ANSWER: Final = msgspec.json.Decoder(ReplayAnswer)
_REPLAY_SECONDS: Final = 30

app = typer.Typer(no_args_is_help=True, help="What could not be handled: list it, look at it, replay it.")


class Entry(Parked, frozen=True, kw_only=True):
    """A parked message with the number that it is called by."""

    id: int


@app.command("list")
def list_parked(context: typer.Context, as_json: AsJson = False) -> None:
    """List what is parked, oldest first."""
    entries = asyncio.run(_entries(place_of(context)))
    if as_json:
        print_json(entries)
        return
    rows = [
        (str(one.id), one.parked_at.isoformat(timespec="seconds"), one.consumer, _where(one), one.reason)
        for one in entries
    ]
    print_table(("ID", "SINCE", "CONSUMER", "MESSAGE", "REASON"), rows, empty="Nothing is parked.")


@app.command()
def show(
    context: typer.Context,
    number: Annotated[int, typer.Argument(metavar="ID", help="As listed.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Show one parked message: why it is parked, and where it is."""
    entry = asyncio.run(_entry(place_of(context), number))
    if as_json:
        print_json(entry)
        return
    for name in entry.__struct_fields__:
        out.print(f"{name:<12} {getattr(entry, name)}", markup=False, soft_wrap=True)


@app.command()
def replay(
    context: typer.Context,
    number: Annotated[int, typer.Argument(metavar="ID", help="As listed.", show_default=False)],
) -> None:
    """Have the service handle the message again; it leaves the list when that is done."""
    asyncio.run(_replay(place_of(context), number))
    out.print(f"Message {number} is handled.")


async def _entries(place: Place) -> list[Entry]:
    async with place.nats() as nats:
        return [_entry_of(number, parked) for number, parked in await Parking(Log(nats)).entries()]


async def _entry(place: Place, number: int) -> Entry:
    async with place.nats() as nats:
        return _entry_of(number, await _parked(nats, number))


async def _replay(place: Place, number: int) -> None:
    async with place.nats() as nats:
        parked = await _parked(nats, number)
        answer = await _ask(nats, parked)
        if not answer.done:
            raise Failed(f"It stays parked: {answer.sentence}")
        await Parking(Log(nats)).remove(number)


async def _parked(nats: Client, number: int) -> Parked:
    parked = await Parking(Log(nats)).entry(number)
    if parked is None:
        raise Failed(f"Nothing is parked as {number}; `throughcare parked list` shows what is.")
    return parked


async def _ask(nats: Client, parked: Parked) -> ReplayAnswer:
    request = ReplayRequest(parked.consumer, parked.stream, parked.sequence)
    try:
        reply = await nats.request(
            f"replay.{parked.service}", msgspec.json.encode(request), timeout=_REPLAY_SECONDS
        )
    except (NatsError, TimeoutError):
        raise Failed(f"{parked.service} does not answer; it stays parked.") from None
    return _ANSWER.decode(reply.data)


def _entry_of(number: int, parked: Parked) -> Entry:
    return Entry(id=number, **msgspec.structs.asdict(parked))


def _where(parked: Parked) -> str:
    return f"{parked.stream}/{parked.sequence}"
