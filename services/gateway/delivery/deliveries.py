"""Every channel's deliverer, as profiles and Subscriptions say now; what stands still is said aloud."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final, NamedTuple, Protocol, cast

import structlog
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from services.gateway.delivery import owed as outbound
from services.gateway.delivery import subscription as subscriptions
from services.gateway.delivery.deliverer import Channel, Deliverer
from services.gateway.delivery.lead import Lead, Start, wait
from services.gateway.delivery.mllp_channel import MllpChannel
from services.gateway.delivery.pace import Pace
from services.gateway.delivery.progress import Progress, ProgressStore
from services.gateway.delivery.recording import Recording
from services.gateway.delivery.rest_hook import RestHookChannel
from services.gateway.delivery.signature import secret_of
from services.gateway.delivery.subscription import Entry, Standing, Subscription
from services.gateway.delivery.trouble import trouble_of
from services.gateway.delivery.ways import Mllp
from services.gateway.hl7v2.rri import Endpoint
from services.gateway.profiles import Profiles, rest_hook_of
from shared import metrics
from shared.eventlog.errors import LogUnavailableError
from shared.eventlog.log import Log
from shared.process import end
from shared.settings import Settings
from shared.telemetry import failure

_log = structlog.get_logger()
_LOOK_SECONDS: Final = 1.0
_WAYS: Final = ("mllp", "rest-hook")


class _Subscribe(Protocol):
    async def __call__(self, subject: str, *, cb: Callable[[Msg], Awaitable[None]]) -> object: ...


class _ToMllp(NamedTuple):
    """What an MLLP channel is made of: another profile makes another channel."""

    source: str
    told: Mllp
    sender: Endpoint
    production: bool


class _ToHook(NamedTuple):
    """What a channel to a Subscription is made of."""

    told: Subscription
    private: bool


_What = _ToMllp | _ToHook


class _Running(NamedTuple):
    what: _What
    deliverer: Deliverer
    task: asyncio.Task[None]


class Deliveries:
    """Keeps a deliverer running for each channel."""

    def __init__(self, settings: Settings, log: Log, profiles: Callable[[], Profiles]) -> None:
        self._settings = settings
        self._log = log
        self._profiles = profiles
        self._store = ProgressStore(log)
        self._pace = Pace(
            first=settings.delivery_retry_seconds,
            longest=settings.delivery_retry_max_seconds,
            lease=settings.delivery_lease_seconds,
        )
        self._running: dict[str, _Running] = {}
        self._changed = asyncio.Event()

    def trouble(self) -> str | None:
        """Say which channels that this gateway leads do not get through; None where all do."""
        now = _now()
        leading = (each.deliverer for each in self._running.values() if each.deliverer.leads)
        told = (trouble_of(each.key, each.progress, each.oldest, now) for each in leading)
        return " ".join(filter(None, told)) or None

    async def run(self) -> None:
        """Run until cancelled."""
        await self._listen()
        try:
            while True:
                try:
                    await self._look()
                except (LogUnavailableError, NatsError) as fault:
                    _log.warning("deliveries-log-unavailable", **failure(fault))
                except Exception as fault:  # noqa: BLE001 -- never silently stopped
                    _log.error("deliveries-failed", **failure(fault))
                await wait(self._changed, _LOOK_SECONDS)
        finally:
            await self._stop(list(self._running))

    async def _look(self) -> None:
        """Make what runs what is agreed, and show how it goes."""
        profiles, told = self._profiles(), await subscriptions.entries(self._log)
        for entry in told:
            if entry.is_deleted:
                await self._forget(entry.key)
        wanted = dict(_told_by_mllp(profiles))
        hooks = {each.key: (each, hook) for each in told if (hook := _to_hook(profiles, each))}
        wanted |= {key: (hook, self._since(each)) for key, (each, hook) in hooks.items()}
        await self._stop(
            [key for key, each in self._running.items() if wanted.get(key, (None,))[0] != each.what]
        )
        for key, (what, start) in wanted.items():
            if key not in self._running:
                self._start(key, what, start)
        for entry in told:
            await self._show(entry)
        self._measure()

    async def _forget(self, key: str) -> None:
        """A Subscription told again begins anew."""
        await self._stop([key] if key in self._running else [])
        if (await self._store.read(key)).progress != Progress():
            await self._store.forget(key)

    def _since(self, entry: Entry) -> Start:
        """A Subscription tells of what comes after it."""

        async def start() -> int:
            cursor = 0
            while owed := await outbound.after(self._log, entry.source, cursor):
                if owed.recorded_at >= entry.since:
                    break
                cursor = owed.sequence
            return cursor

        return start

    def _start(self, key: str, what: _What, start: Start) -> None:
        channel = self._channel(what)
        source = key.partition(".")[0]
        deliverer = Deliverer(
            self._log,
            source,
            channel,
            Lead(self._store, key, self._pace.lease, start),
            Recording(self._log.client, source, channel.way, _now, min(5.0, self._pace.attempt)),
            self._pace,
            _now,
        )
        task = asyncio.create_task(deliverer.run(), name=f"delivery-{key}")
        self._running[key] = _Running(what, deliverer, task)

    def _channel(self, what: _What) -> Channel:
        if isinstance(what, _ToMllp):
            return MllpChannel(self._log, what.source, what.told, what.sender, production=what.production)
        secret = secret_of(what.told.id, self._settings.identifier_key)
        return RestHookChannel(what.told, secret, private=what.private)

    async def _stop(self, keys: list[str]) -> None:
        stopped = [self._running.pop(key) for key in keys]
        await end([each.task for each in stopped])

    async def _show(self, entry: Entry) -> None:
        """Show in a Subscription how it does, where its owner sees something else."""
        standing = self._standing(entry)
        if entry.subscription and standing and standing != entry.standing:
            await subscriptions.show(self._log, entry.subscription, standing)

    def _standing(self, entry: Entry) -> Standing | None:
        """Tell how a Subscription does; None where that is another gateway's to say."""
        if entry.subscription is None:
            return None
        if entry.subscription.is_over(_now()):
            return Standing("off")
        running = self._running.get(entry.key)
        if running is None:
            return Standing("error", "What is agreed with this sender has no Subscriptions.")
        if not running.deliverer.leads:
            return None
        problem = running.deliverer.progress.first_problem
        return Standing("error", problem) if problem else Standing("active")

    def _measure(self) -> None:
        now = _now()
        for way in _WAYS:
            ages = (
                (now - each.deliverer.oldest).total_seconds()
                for each in self._running.values()
                if each.deliverer.channel.way == way and each.deliverer.leads and each.deliverer.oldest
            )
            metrics.DELIVERY_OLDEST_SECONDS.labels(way).set(max(ages, default=0.0))

    async def _listen(self) -> None:
        """Be woken by what is published; who is not woken looks every few seconds."""
        subscribe = cast("_Subscribe", self._log.client.subscribe)  # nats-py leaves a future's type open
        await subscribe("outbound.*.status", cb=self._owed)
        await subscribe("$KV.DELIVERY.>", cb=self._asked)
        await subscribe("$KV.SUBSCRIPTIONS.>", cb=self._subscribed)

    async def _owed(self, message: Msg) -> None:
        source = message.subject.split(".")[1]
        for each in self._running.values():
            if each.deliverer.source == source:
                each.deliverer.wake.set()

    async def _asked(self, message: Msg) -> None:
        running = self._running.get(message.subject.removeprefix("$KV.DELIVERY."))
        if running is not None:
            running.deliverer.wake.set()

    async def _subscribed(self, _: Msg) -> None:
        self._changed.set()


@asynccontextmanager
async def delivering(
    settings: Settings, log: Log, profiles: Callable[[], Profiles]
) -> AsyncGenerator[Deliveries]:
    """Deliver while inside; at the end every channel is let go, so that another gateway goes on at once."""
    deliveries = Deliveries(settings, log, profiles)
    task = asyncio.create_task(deliveries.run(), name="deliveries")
    try:
        yield deliveries
    finally:
        await end([task])


def _told_by_mllp(profiles: Profiles) -> Iterator[tuple[str, tuple[_What, Start]]]:
    for profile in profiles.each:
        way, source = profile.mllp, profile.token
        if way is not None and source is not None:
            sender = Endpoint(application=profile.application, facility=profile.facility)
            what = _ToMllp(source, way, sender, profile.production)
            yield f"{source}.mllp", (what, _from_the_beginning)


def _to_hook(profiles: Profiles, entry: Entry) -> _ToHook | None:
    told = entry.subscription
    agreed = rest_hook_of(profiles, entry.source)
    if told is None or agreed is None or told.is_over(_now()):
        return None
    return _ToHook(told, private=agreed.private)


async def _from_the_beginning() -> int:
    """What OUTBOUND keeps is owed."""
    return 0


def _now() -> datetime:
    return datetime.now(UTC)
