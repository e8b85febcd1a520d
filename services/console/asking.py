"""A coordinator's command from the command line: common fields, sending, the answer."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import TypedDict
from uuid import UUID

import typer
from uuid_utils import uuid7

from services.console.answers import report
from services.console.lookup import Found
from services.console.output import tell
from services.console.place import Place, place_of
from services.console.waiting import until_visible
from shared.commands.base import Command
from shared.commands.reply import Appended, Reply
from shared.eventlog.client import CommandClient
from shared.events.moment import Moment
from shared.settings import Settings
from shared.site import site_of

Lookup = Callable[[Place, str], Awaitable[Found]]


class Common(TypedDict):
    """What every command carries."""

    id: UUID
    participant: UUID
    actor: str
    now: datetime


def common(participant: UUID, actor: str) -> Common:
    """Return the common fields of a new command."""
    return Common(id=new_id(), participant=participant, actor=actor, now=datetime.now(UTC))


def new_id() -> UUID:
    """Return a new id (UUIDv7: ids made later sort later)."""
    return UUID(int=uuid7().int)


def ask(
    context: typer.Context, look_up: Lookup, meant: str, make: Callable[[Found], Command], *, as_json: bool
) -> None:
    """Find whom it is about, send the command made of that, and report the answer."""
    place = place_of(context)

    async def asked() -> Reply:
        command = make(await look_up(place, meant))
        return await send(place, lambda client: client.ask(command))

    report(asyncio.run(asked()), as_json=as_json)


async def send(place: Place, ask: Callable[[CommandClient], Awaitable[Reply]]) -> Reply:
    """Ask, and wait until a reader sees what came of it."""
    async with place.nats() as nats:
        answer = await ask(CommandClient(nats))
    if isinstance(answer, Appended) and not await until_visible(place, answer.position):
        tell("It is recorded, but not shown yet: see `throughcare status`.")
    return answer


def instant_at_site(told: str, settings: Settings, *, option: str) -> datetime:
    """Read ``2026-03-03T10:00``; without an offset it is the site's time."""
    try:
        read = datetime.fromisoformat(told)
    except ValueError:
        raise typer.BadParameter(
            f"{told} is not a time such as 2026-03-03T10:00.", param_hint=option
        ) from None
    return read if read.tzinfo else read.replace(tzinfo=site_of(settings).tz)


def moment_at_site(told: str | None, settings: Settings) -> Moment | None:
    """Read when something happened: a day stays a day, a time without an offset is the site's."""
    if told is None:
        return None
    try:
        return date.fromisoformat(told).isoformat()
    except ValueError:
        return instant_at_site(told, settings, option="--at").isoformat()


def day_of(told: str, *, option: str) -> date:
    """Read ``2026-03-03``."""
    try:
        return date.fromisoformat(told)
    except ValueError:
        raise typer.BadParameter(f"{told} is not a day such as 2026-03-03.", param_hint=option) from None
