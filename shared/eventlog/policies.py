"""Runs policies: durable consumers whose messages are acknowledged once what they ask for is in the log.

Delivery is at least once; a policy's command has an id derived from the event, so its effect is exactly once.
Within a process the messages of one entity are handled in the order of the log, each entity's beside the
others'. They may be out of order all the same after a retry, or where several processes share a consumer.
"""

from collections.abc import Awaitable, Callable, Container
from datetime import datetime
from typing import Any, Final

import msgspec
import structlog
from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, NatsMessage
from msgspec import Struct

from shared import metrics
from shared.commands.base import Command
from shared.commands.decision import Decider, Refused
from shared.eventlog.clock import Clock
from shared.eventlog.errors import LogUnavailableError, NotYetError, PolicyRefusedError, TooLargeError
from shared.eventlog.execute import CONFLICT, Executor
from shared.eventlog.in_flight import InFlight
from shared.eventlog.log import Log
from shared.eventlog.parking import Parked, Parking, ReplayAnswer, ReplayRequest
from shared.eventlog.turns import Turns
from shared.events.registry import UndecodableEventError

TRIES_BEFORE_PARKING: Final = 6
_FIRST_DELAY_SECONDS: Final = 0.2
_LONGEST_DELAY_SECONDS: Final = 5.0  # so soon after an outage everything goes on
_MOST_DOUBLINGS: Final = 32  # a message may be tried for days, and a float ends at 1023
_log = structlog.get_logger()


class Delivery(Struct, frozen=True, kw_only=True):
    """One message of a stream, as a policy gets it; `number` counts its deliveries from 1."""

    stream: str
    sequence: int
    subject: str
    payload: bytes
    recorded_at: datetime
    number: int = 1


Policy = Callable[[Delivery], Awaitable[None]]


async def carry_out(
    executor: Executor,
    decider: Decider[Any, Any],
    command: Command,
    *,
    expect_new: bool = False,
    unless: Container[str] = (),
    not_yet: Container[str] = (),
) -> None:
    """Execute a policy's command; a refusal raises PolicyRefusedError.

    One whose code is in `unless` was to be expected and is only logged; one in `not_yet`, or
    a conflict with others who change the same record, raises NotYetError.
    """
    outcome = await executor.execute(decider, command, expect_new=expect_new)
    if not isinstance(outcome, Refused):
        return
    if outcome.code == CONFLICT or outcome.code in not_yet:
        raise NotYetError(outcome.sentence)
    if outcome.code not in unless:
        raise PolicyRefusedError(outcome)
    _log.info("policy-refused", command=type(command).__name__, code=outcome.code)


class Policies:
    """The policies of one service: subscribes them, retries, parks and replays."""

    def __init__(self, service: str, broker: NatsBroker, in_flight: InFlight, log: Log, clock: Clock) -> None:
        self._service = service
        self._broker = broker
        self._in_flight = in_flight
        self._log = log
        self._parking = Parking(log)
        self._clock = clock
        self._turns = Turns()
        self._by_consumer: dict[str, Policy] = {}
        self._streams: dict[str, str] = {}
        self._handing_back = False

    @property
    def consumers(self) -> list[tuple[str, str]]:
        """Every (stream, durable consumer) that a policy is subscribed to."""
        return [(stream, consumer) for consumer, stream in self._streams.items()]

    def subscribe(self, stream: str, consumer: str, policy: Policy, *, one_by_one: bool = True) -> None:
        """Give the durable consumer's messages to the policy, several at a time, but those of one subject.

        The consumer pushes: nats-py's `fetch` of several waits for its whole time-out (ADR 2). Several
        entities share a subject only in INBOUND, whose policy has to keep an order of its own: there
        `one_by_one` is false.
        """
        self._by_consumer[consumer] = policy
        self._streams[consumer] = stream

        async def handle(message: NatsMessage) -> None:
            # The last token is the entity's id, the same in each of a participant's categories. Nothing is
            # awaited before this: tasks take their places in the order in which they were begun.
            about = message.raw_message.subject.rpartition(".")[2]
            async with self._turns.of(((consumer, about),) if one_by_one else ()):
                await self._handle(consumer, policy, message)

        self._broker.subscriber(
            f"deliver.{consumer}",  # only a label: the durable consumer has its filters
            queue=consumer,
            stream=JStream(stream, declare=False),
            ack_policy=AckPolicy.MANUAL,
            decoder=as_it_came,
            no_reply=True,
        )(self._in_flight.several(handle))

    def serve_replays(self) -> None:
        """Answer `replay.<service>`: handle a parked message again."""

        async def replay(message: NatsMessage) -> bytes:
            return msgspec.json.encode(await self._replay(message))

        self._broker.subscriber(f"replay.{self._service}", queue=self._service, decoder=as_it_came)(replay)

    def hand_back(self) -> None:
        """Begin no more message: what comes goes back at once, to another process or to the next start."""
        self._handing_back = True

    async def _handle(self, consumer: str, policy: Policy, message: NatsMessage) -> None:
        if self._handing_back:
            await message.nack()
            return
        delivery = _delivery(message)
        outcome = await self._outcome(consumer, policy, delivery)
        if outcome is None:
            await message.ack()
        else:
            await message.nack(delay=outcome)

    async def _outcome(self, consumer: str, policy: Policy, delivery: Delivery) -> float | None:
        """Run the policy; None when the message is done with, else the seconds to the next try."""
        try:
            await policy(delivery)
        except (LogUnavailableError, OSError, TimeoutError) as error:
            return self._retry(consumer, delivery, error)
        except (PolicyRefusedError, TooLargeError, UndecodableEventError, msgspec.DecodeError) as error:
            return await self._park(consumer, delivery, str(error))
        except NotYetError as error:
            return await self._retry_or_park(consumer, delivery, error, error.tries, str(error))
        except Exception as error:  # noqa: BLE001 -- whatever a policy trips over, the message is kept
            reason = _where(error)
            return await self._retry_or_park(consumer, delivery, error, TRIES_BEFORE_PARKING, reason)
        metrics.POLICY_OUTCOMES.labels(consumer, "done").inc()
        return None

    async def _retry_or_park(
        self, consumer: str, delivery: Delivery, error: Exception, tries: int, reason: str
    ) -> float | None:
        if delivery.number < tries:
            return self._retry(consumer, delivery, error)
        return await self._park(consumer, delivery, reason)

    def _retry(self, consumer: str, delivery: Delivery, error: Exception) -> float:
        metrics.POLICY_OUTCOMES.labels(consumer, "retried").inc()
        _log.warning(
            "policy-retry", consumer=consumer, sequence=delivery.sequence, reason=type(error).__name__
        )
        return delay_after(delivery.number)

    async def _park(self, consumer: str, delivery: Delivery, reason: str) -> float | None:
        try:
            await self._parking.park(
                Parked(
                    service=self._service,
                    consumer=consumer,
                    stream=delivery.stream,
                    sequence=delivery.sequence,
                    subject=delivery.subject,
                    reason=reason,
                    deliveries=delivery.number,
                    parked_at=self._clock(),
                )
            )
        except LogUnavailableError as error:
            return self._retry(consumer, delivery, error)
        metrics.POLICY_OUTCOMES.labels(consumer, "parked").inc()
        _log.error("parked", consumer=consumer, stream=delivery.stream, sequence=delivery.sequence)
        return None

    async def _replay(self, message: NatsMessage) -> ReplayAnswer:
        try:
            request = msgspec.json.decode(message.raw_message.data, type=ReplayRequest)
            policy = self._by_consumer[request.consumer]
            stored = await self._log.get(request.stream, request.sequence)
        except (msgspec.DecodeError, KeyError):
            return ReplayAnswer(done=False, sentence=f"{self._service} has no such consumer.")
        except LogUnavailableError as error:
            return ReplayAnswer(done=False, sentence=str(error))
        if stored is None:
            return ReplayAnswer(done=False, sentence="The message is no longer in its stream.")
        try:
            await policy(
                Delivery(
                    stream=request.stream,
                    sequence=stored.sequence,
                    subject=stored.subject,
                    payload=stored.payload,
                    recorded_at=stored.recorded_at,
                )
            )
        except (PolicyRefusedError, UndecodableEventError, msgspec.DecodeError, NotYetError) as error:
            return ReplayAnswer(done=False, sentence=str(error))
        except Exception as error:  # noqa: BLE001 -- told to whoever asked
            return ReplayAnswer(done=False, sentence=f"It failed again ({_where(error)}).")
        return ReplayAnswer(done=True)


def delay_after(tries: int) -> float:
    """Return the seconds from the n-th try to the next: doubled each time, at most five."""
    doublings = min(tries - 1, _MOST_DOUBLINGS)
    return min(_FIRST_DELAY_SECONDS * 2**doublings, _LONGEST_DELAY_SECONDS)


async def as_it_came(message: NatsMessage) -> NatsMessage:
    """Hand FastStream's message through undecoded: its own decoding is lax, and the metadata is needed."""
    return message


def _delivery(message: NatsMessage) -> Delivery:
    raw = message.raw_message
    metadata = raw.metadata
    return Delivery(
        stream=metadata.stream,
        sequence=metadata.sequence.stream,
        subject=raw.subject,
        payload=raw.data,
        recorded_at=metadata.timestamp,
        number=metadata.num_delivered or 1,
    )


def _where(error: Exception) -> str:
    """Name an error's kind and line: its text may quote what it was about."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    name = trace.tb_frame.f_code.co_filename.rpartition("/")[2]
    return f"{type(error).__name__} at {name}:{trace.tb_lineno}"
