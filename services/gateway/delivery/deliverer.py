"""Takes what one sender is owed to one channel, in order, for ever."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog
from msgspec.structs import replace
from nats.errors import Error as NatsError

from services.gateway.delivery import owed as outbound
from services.gateway.delivery.lead import Lead, LeadLostError, wait
from services.gateway.delivery.outcome import Delivered, Outcome, Rejected, Unreachable
from services.gateway.delivery.owed import Owed
from services.gateway.delivery.pace import Pace
from services.gateway.delivery.progress import Arrived, Progress, Waiting
from services.gateway.delivery.recording import Recording
from shared import metrics
from shared.eventlog.errors import ConflictError, LogUnavailableError
from shared.eventlog.log import Log
from shared.events.outbound import OutboundEnvelope
from shared.events.referral import DeliveryWay
from shared.telemetry import failure

_log = structlog.get_logger()

MOST_WAITING: Final = 1_000
"""So many messages refused, and those behind them, or told and not recorded: then the channel waits. Progress
is one message of the log, and has to fit into it."""

_LONGEST_PROBLEM: Final = 200  # characters of a receiver's words, of which it may send a megabyte

_LOOK_SECONDS: Final = 5.0  # without being woken
_FAULT_SECONDS: Final = 5.0
_RELEASE_SECONDS: Final = 2.0


class Channel(Protocol):
    """One way to one receiver."""

    @property
    def way(self) -> DeliveryWay: ...

    def wants(self, envelope: OutboundEnvelope, /) -> bool:
        """Tell whether the receiver is to be told of this."""
        ...

    async def deliver(self, owed: Owed, envelope: OutboundEnvelope, seconds: float, /) -> Outcome:
        """Try once, for so many seconds at most."""
        ...


class Deliverer:
    """Of one channel, in one gateway; waits where another one leads."""

    def __init__(
        self,
        log: Log,
        source: str,
        channel: Channel,
        lead: Lead,
        recording: Recording,
        pace: Pace,
        now: Callable[[], datetime],
    ) -> None:
        self.source = source
        self.channel = channel
        self.wake = asyncio.Event()
        self.leads = False
        self.oldest: datetime | None = None  # of what is not delivered, as far as we lead
        self._log = log
        self._lead = lead
        self._recording = recording
        self._pace = pace
        self._now = now
        self._record_after: datetime | None = None

    @property
    def progress(self) -> Progress:
        """The progress as this gateway knows it."""
        return self._lead.progress

    @property
    def key(self) -> str:
        """`<source>.<channel>`."""
        return self._lead.key

    async def run(self) -> None:
        """Deliver until cancelled; whatever happens, it goes on."""
        led = False
        try:
            while True:
                try:
                    await self._lead.take(self.wake)
                    self.leads = True
                    await self._deliver()
                except LeadLostError:
                    _log.info("delivery-lead-lost", channel=self.key)
                except (LogUnavailableError, NatsError) as fault:
                    _log.warning("delivery-log-unavailable", channel=self.key, **failure(fault))
                    await asyncio.sleep(_FAULT_SECONDS)
                except Exception as fault:  # noqa: BLE001 -- never silently stopped
                    _log.error("delivery-failed", channel=self.key, **failure(fault))
                    await asyncio.sleep(_FAULT_SECONDS)
                finally:
                    led, self.leads = self.leads, False
        finally:
            if led:
                await self._release()

    async def _release(self) -> None:
        """Let go; if that cannot be said, the others wait for the lease to end."""
        with suppress(TimeoutError, LeadLostError, LogUnavailableError, ConflictError, NatsError):
            async with asyncio.timeout(_RELEASE_SECONDS):
                await self._lead.release()

    async def _deliver(self) -> None:
        while True:
            await self._lead.refresh()
            if not await self._step():
                await wait(self.wake, await self._idle_seconds())
                await self._lead.look()

    async def _step(self) -> bool:
        """Do one thing; False where there is nothing to do now."""
        if self.progress.back_to is not None:
            await self._change(Progress.gone_back)
        if await self._record():
            return True
        now, progress = self._now(), self.progress
        if progress.pauses(now) or len(progress.unrecorded) >= MOST_WAITING:
            return False
        if waiting := progress.due(now):
            return await self._again(waiting)
        owed = await outbound.after(self._log, self.source, progress.cursor)
        if progress.tried and (owed is None or owed.sequence > progress.tried):
            return await self._let_go(progress.tried)
        if owed is None or len(progress.waiting) >= MOST_WAITING:
            self.oldest = await self._oldest_waiting(owed)
            return False
        return await self._next(owed)

    async def _next(self, owed: Owed) -> bool:
        """Deliver what comes next, unless something earlier of the same referral waits."""
        envelope = owed.envelope
        if envelope is None:
            _log.error("delivery-unreadable", channel=self.key, sequence=owed.sequence)
            await self._change(lambda progress: _lost(progress, owed.sequence))
        elif not self.channel.wants(envelope):
            await self._change(lambda progress: progress.passed(owed.sequence))
        elif self.progress.holds_back(envelope.data.referral):
            behind = Waiting(sequence=owed.sequence, referral=envelope.data.referral)
            await self._change(lambda progress: progress.put_back(behind))
        else:
            await self._attempt(
                owed, envelope, Waiting(sequence=owed.sequence, referral=envelope.data.referral)
            )
        return True

    async def _again(self, waiting: Waiting) -> bool:
        owed = await outbound.at(self._log, waiting.sequence)
        if owed is None or owed.envelope is None:
            return await self._let_go(waiting.sequence)
        await self._attempt(owed, owed.envelope, waiting)
        return True

    async def _let_go(self, sequence: int) -> bool:
        """Note that OUTBOUND let go of a message before its receiver could be told."""
        _log.error("delivery-lost", channel=self.key, sequence=sequence)
        await self._change(lambda progress: _lost(progress, sequence))
        return True

    async def _attempt(self, owed: Owed, envelope: OutboundEnvelope, waiting: Waiting) -> None:
        self.oldest = min(filter(None, (self.oldest, owed.recorded_at)))
        await self._lead.refresh()
        outcome = await self._try(owed, envelope)
        metrics.DELIVERIES.labels(self.channel.way, type(outcome).__name__.lower()).inc()
        now = self._now()
        match outcome:
            case Delivered(answer):
                arrived = _arrived(envelope, answer, now)
                await self._change(lambda progress: _delivered(progress, owed.sequence, arrived))
                self.oldest = None
            case Rejected(reason):
                _log.warning("delivery-rejected", channel=self.key, referral=waiting.referral)
                refused = self._refused(waiting, reason, now)
                await self._change(lambda progress: _reached(progress).put_back(refused))
            case Unreachable() as why:
                _log.warning("delivery-unreachable", channel=self.key, attempts=self.progress.attempts + 1)
                await self._change(lambda progress: self._unreached(progress, owed.sequence, why, now))

    async def _try(self, owed: Owed, envelope: OutboundEnvelope) -> Outcome:
        """Try once; a fault of ours in one message holds up its referral, and is shown like a refusal."""
        try:
            return await self.channel.deliver(owed, envelope, self._pace.attempt)
        except (LogUnavailableError, NatsError):
            raise
        except Exception as fault:  # noqa: BLE001 -- whatever it is, others go on
            _log.error("delivery-not-made", channel=self.key, sequence=owed.sequence, **failure(fault))
            return Rejected(f"The message could not be made ({type(fault).__name__}).")

    def _refused(self, waiting: Waiting, reason: str, now: datetime) -> Waiting:
        attempts = waiting.attempts + 1
        next_attempt = now + self._pace.pause(attempts)
        return replace(waiting, attempts=attempts, next_attempt=next_attempt, problem=_said(reason))

    def _unreached(self, progress: Progress, sequence: int, why: Unreachable, now: datetime) -> Progress:
        attempts = progress.attempts + 1
        return replace(
            progress,
            attempts=attempts,
            next_attempt=now + self._pace.pause(attempts, why.wait),
            problem=_said(why.reason),
            tried=sequence if sequence > progress.cursor else progress.tried,
        )

    async def _record(self) -> bool:
        """Record the first that is not recorded; deliveries go on where intake does not answer."""
        now = self._now()
        if not self.progress.unrecorded or (self._record_after and self._record_after > now):
            return False
        first = self.progress.unrecorded[0]
        if not await self._recording.record(first):
            self._record_after = now + timedelta(seconds=_FAULT_SECONDS)
            return False
        self._record_after = None
        await self._change(
            lambda progress: replace(
                progress, unrecorded=tuple(each for each in progress.unrecorded if each != first)
            )
        )
        return True

    async def _change(self, change: Callable[[Progress], Progress]) -> None:
        await self._lead.change(change)

    async def _oldest_waiting(self, owed: Owed | None) -> datetime | None:
        if not self.progress.waiting:
            return owed.recorded_at if owed else None
        first = min(each.sequence for each in self.progress.waiting)
        stored = await outbound.at(self._log, first)
        return stored.recorded_at if stored else None

    async def _idle_seconds(self) -> float:
        """Return how long there is nothing to do, unless something comes."""
        now, progress = self._now(), self.progress
        if progress.next_attempt and progress.pauses(now):
            due = [progress.next_attempt]
        else:
            due = [each.next_attempt for each in progress.heads() if each.next_attempt]
        if self._record_after:
            due.append(self._record_after)
        soonest = min(((each - now).total_seconds() for each in due), default=_LOOK_SECONDS)
        return min(max(soonest, 0.01), _LOOK_SECONDS, self._pace.attempt / 2)


def _arrived(envelope: OutboundEnvelope, answer: str, at: datetime) -> Arrived:
    told = envelope.data
    return Arrived(
        because=envelope.id,
        referral=told.referral,
        participant=told.participant,
        status=told.status,
        answer=answer,
        at=at,
    )


def _said(reason: str) -> str:
    """Return the beginning of what a receiver said, in one line."""
    begun = reason[: _LONGEST_PROBLEM + 1]
    line = "".join(each if each.isprintable() else " " for each in begun)
    return line if len(line) <= _LONGEST_PROBLEM else f"{line[: _LONGEST_PROBLEM - 1]}…"


def _delivered(progress: Progress, sequence: int, arrived: Arrived) -> Progress:
    passed = _reached(progress).passed(sequence)
    return replace(
        passed,
        unrecorded=(*passed.unrecorded, arrived),
        delivered=passed.delivered + 1,
        last_delivered=arrived.at,
    )


def _reached(progress: Progress) -> Progress:
    """Return the progress after the receiver answered: the channel as a whole is well."""
    return replace(progress, attempts=0, next_attempt=None, problem=None, tried=0)


def _lost(progress: Progress, sequence: int) -> Progress:
    passed = progress.passed(sequence)
    return replace(passed, lost=passed.lost + 1, tried=0)
