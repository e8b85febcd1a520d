"""`throughcare outbound`: what senders were told of their referrals, and what they still are owed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

import typer
from msgspec import Struct

from services.console import lookup
from services.console.asking import instant_at_site
from services.console.faults import REFUSED, Failed
from services.console.options import REFERRAL, AsJson
from services.console.output import out, print_json, print_table
from services.console.place import Place, place_of
from services.gateway.delivery import owed as outbound
from services.gateway.delivery.progress import Kept, Progress, ProgressStore
from services.gateway.delivery.signature import secret_of
from services.gateway.delivery.trouble import duration
from shared.eventlog.errors import ConflictError
from shared.eventlog.log import Log

_STANDS_STILL: Final = (
    "No gateway tells it: none runs, or the sender's profile (or its Subscription) has the channel no more."
)

app = typer.Typer(no_args_is_help=True, help="What senders were told: how far each channel is; tell again.")


class ChannelStatus(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One channel. Problems are in the receiver's words, which may quote what was sent."""

    channel: str  # <source>.mllp or <source>.rest-hook-<subscription>
    delivered: int
    undelivered: int
    refused: int = 0  # of them, by the receiver
    lost: int = 0  # OUTBOUND keeps them no more
    unrecorded: int = 0  # delivered, and intake has not recorded it yet
    last_delivered: datetime | None = None
    oldest_waits_since: datetime | None = None
    attempts: int = 0  # in a row that reached nobody
    next_attempt: datetime | None = None
    problems: tuple[str, ...] = ()
    is_led: bool = False  # a gateway has said lately that it delivers


@app.command()
def status(context: typer.Context, as_json: AsJson = False) -> None:
    """Show each channel: delivered, owed, since when, and what keeps it from being delivered.

    Ends with status 1 when a channel does not get through.
    """
    told = asyncio.run(read_channels(place_of(context)))
    if as_json:
        print_json(told)
    else:
        print_table(
            ("CHANNEL", "DELIVERED", "OWED", "OLDEST WAITS", "NEXT ATTEMPT", "PROBLEM"),
            map(_row, told),
            empty="No sender is told by a channel of its own.",
        )
    if any(each.problems or each.lost for each in told):
        raise typer.Exit(REFUSED)


@app.command()
def resend(
    context: typer.Context,
    referral: Annotated[str | None, REFERRAL] = None,
    channel: Annotated[
        str | None,
        typer.Option(
            help="Only by this channel, as `status` names it, or by mllp or rest-hook.", show_default=False
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every status of it, not only the last.")] = False,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="WHEN",
            help="In place of a referral: all that a channel told since then, 2026-03-03T10:00.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Tell a sender again where its referral is, and try at once whatever waits on the channel.

    With --since and one --channel, all of its referrals, in the order of then: for a receiver that lost what
    it had. It is the same message as before, with its control id: a receiver can know it again.
    """
    place = place_of(context)
    if (referral is None) == (since is None):
        raise typer.BadParameter("Say a referral, or --since with a time.")
    if referral is not None:
        told = asyncio.run(ask_again(place, referral, channel, every=every))
    elif channel is None:
        raise typer.BadParameter("Say by which --channel, as `outbound status` names it.")
    else:
        from_then = instant_at_site(str(since), place.settings(), option="--since")
        told = asyncio.run(ask_all_again(place, channel, from_then))
    for key, count in told.items():
        out.print(f"{key}: {count} to be told again.", markup=False)


@app.command()
def retry(
    context: typer.Context,
    channel: Annotated[
        str, typer.Argument(metavar="CHANNEL", help="As `status` names it.", show_default=False)
    ],
) -> None:
    """Try at once whatever waits on a channel: its receiver is well again."""
    asyncio.run(ask_now(place_of(context), channel))
    out.print(f"{channel}: what waits is tried now.", markup=False)


@app.command()
def secret(context: typer.Context, subscription: Annotated[UUID, typer.Argument(show_default=False)]) -> None:
    """Show what the calls of a Subscription are signed with, to be handed to its owner."""
    settings = place_of(context).settings()
    print(secret_of(str(subscription), settings.identifier_key))


async def read_channels(place: Place) -> list[ChannelStatus]:
    """Read how far every channel is."""
    silence = timedelta(seconds=2 * place.settings().delivery_lease_seconds)
    async with place.nats() as nats:
        log = Log(nats)
        return [
            await _channel(log, key, kept, datetime.now(UTC) - silence)
            for key, kept in (await ProgressStore(log).all()).items()
        ]


async def ask_again(place: Place, meant: str, channel: str | None, *, every: bool) -> dict[str, int]:
    """Have a referral's last status, or all, told again; returns how many by channel. Raises Failed."""
    found = await lookup.referral(place, meant)
    async with place.nats() as nats:
        log = Log(nats)
        asked: dict[str, int] = {}
        for key, kept in (await ProgressStore(log).all()).items():
            source = key.partition(".")[0]
            if _is_meant(key, channel) and (owed := [each async for each in _of(log, source, found.id)]):
                again = dict.fromkeys(owed if every else owed[-1:], found.id)
                await _ask(log, key, kept, lambda progress, again=again: progress.again(again))
                asked[key] = len(again)
    if not asked:
        raise Failed("No channel was to tell of this referral; `throughcare outbound status` shows them.")
    return asked


async def ask_all_again(place: Place, channel: str, since: datetime) -> dict[str, int]:
    """Have a channel go back to what was owed at a time; returns how many it told. Raises Failed."""
    async with place.nats() as nats:
        log = Log(nats)
        kept = await _kept(log, channel)
        source = channel.partition(".")[0]
        first = await log.since(outbound.STREAM, outbound.subject_of(source), since)
        if first is None or first.sequence > kept.progress.cursor:
            raise Failed("The channel has told nothing since then.")
        before = first.sequence - 1
        told, _ = await _ahead(log, source, before, kept.progress.cursor)
        await _ask(log, channel, kept, lambda progress: progress.again_after(before))
        return {channel: told}


async def ask_now(place: Place, channel: str) -> None:
    """Have all that waits on a channel tried at once. Raises Failed."""
    async with place.nats() as nats:
        log = Log(nats)
        await _ask(log, channel, await _kept(log, channel), lambda progress: progress.again({}))


async def _kept(log: Log, channel: str) -> Kept:
    kept = (await ProgressStore(log).all()).get(channel)
    if kept is None:
        raise Failed(f"There is no channel {channel}; `throughcare outbound status` shows them.")
    return kept


async def _ask(log: Log, key: str, kept: Kept, change: Callable[[Progress], Progress]) -> None:
    """Change the channel's progress, also while a gateway does."""
    store = ProgressStore(log)
    while True:
        try:
            await store.write(key, change(kept.progress), kept.revision)
        except ConflictError:
            kept = await store.read(key)
        else:
            return


async def _of(log: Log, source: str, referral: UUID) -> AsyncIterator[int]:
    cursor = 0
    while owed := await outbound.after(log, source, cursor):
        cursor = owed.sequence
        if owed.envelope and owed.envelope.data.referral == referral:
            yield cursor


def _is_meant(key: str, channel: str | None) -> bool:
    name = key.partition(".")[2]
    return channel in (None, key, name) or (channel == "rest-hook" and name.startswith("rest-hook-"))


async def _channel(log: Log, key: str, kept: Kept, silent_since: datetime) -> ChannelStatus:
    progress = kept.progress
    is_led = progress.holder is not None and (kept.written is None or kept.written > silent_since)
    ahead, since = await _ahead(log, key.partition(".")[0], progress.cursor)
    for each in progress.waiting:
        stored = await outbound.at(log, each.sequence)
        if stored:
            since = min(since or stored.recorded_at, stored.recorded_at)
    undelivered = ahead + len(progress.waiting)
    stands_still = _STANDS_STILL if undelivered and not is_led else None
    problems = (stands_still, progress.problem, *(each.problem for each in progress.heads()))
    return ChannelStatus(
        channel=key,
        delivered=progress.delivered,
        undelivered=undelivered,
        refused=sum(1 for each in progress.waiting if each.problem),
        lost=progress.lost,
        unrecorded=len(progress.unrecorded),
        last_delivered=progress.last_delivered,
        oldest_waits_since=since,
        attempts=progress.attempts,
        next_attempt=progress.next_attempt or min(_next_attempts(progress), default=None),
        problems=tuple(dict.fromkeys(each for each in problems if each)),
        is_led=is_led,
    )


def _next_attempts(progress: Progress) -> list[datetime]:
    return [each.next_attempt for each in progress.heads() if each.next_attempt]


async def _ahead(log: Log, source: str, cursor: int, last: int | None = None) -> tuple[int, datetime | None]:
    """Count what is owed behind a cursor, up to the last meant, and tell since when the first of it is."""
    count, since = 0, None
    while (owed := await outbound.after(log, source, cursor)) and owed.sequence <= (last or owed.sequence):
        cursor, count, since = owed.sequence, count + 1, since or owed.recorded_at
    return count, since


def _row(told: ChannelStatus) -> tuple[str, ...]:
    now = datetime.now(UTC)
    waits = duration((now - told.oldest_waits_since).total_seconds()) if told.oldest_waits_since else ""
    upcoming = told.next_attempt.isoformat(timespec="seconds") if told.next_attempt else ""
    owed = f"{told.undelivered} ({told.refused} refused)" if told.refused else str(told.undelivered)
    lost = (f"{told.lost} lost",) if told.lost else ()
    return told.channel, str(told.delivered), owed, waits, upcoming, " ".join((*told.problems, *lost))
