"""What was promised to hospitals and coordinators, and whether the log and the read models keep it."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import msgspec
from nats.aio.client import Client
from nats.js.api import ConsumerConfig, DeliverPolicy

from services.gateway.hl7v2.message import parse
from services.gateway.inbound import identity_of
from services.gateway.source import source_of
from shared.commands.base import Command
from shared.commands.decision import derived
from shared.commands.reply import Appended
from shared.eventlog.log import Log
from shared.eventlog.parking import Parking
from shared.eventlog.subjects import stream_of
from shared.events.aftercare import AftercareScheduled
from shared.events.base import EventData, MessageReference
from shared.events.encounter import (
    AdmissionCancelled,
    DischargeCancelled,
    DischargeNotified,
    InpatientAdmissionNotified,
    ReversalUnmatched,
)
from shared.events.envelope import Event, Position
from shared.events.episode import StepDownPending, StepDownReversed, SteppedDown
from shared.events.inbound import (
    Admission,
    AdmissionCancellation,
    Discharge,
    DischargeCancellation,
    InboundEnvelope,
    InboundMessage,
    Referral,
)
from shared.events.referral import ReferralDuplicateDetected, ReferralReceived
from shared.events.registry import REGISTRY, event_id
from shared.projections.jetstream import jetstream
from shared.projections.postgres import Connection
from shared.settings import Settings

_ARRIVAL_SECONDS: Final = 10.0

# What a message must have led to: one of these at least, and none of them twice.
_BECOMES: Final[dict[type[InboundMessage], tuple[type[EventData], ...]]] = {
    Referral: (ReferralReceived, ReferralDuplicateDetected),
    Admission: (InpatientAdmissionNotified,),
    Discharge: (DischargeNotified,),
    AdmissionCancellation: (AdmissionCancelled, ReversalUnmatched),
    DischargeCancellation: (DischargeCancelled, ReversalUnmatched),
}


@dataclass
class Ledger:
    """What was acknowledged."""

    messages: dict[UUID, bytes] = field(default_factory=dict[UUID, bytes])  # by their id in INBOUND
    commands: dict[UUID, tuple[Command, Appended]] = field(
        default_factory=dict[UUID, tuple[Command, Appended]]
    )

    def message_accepted(self, raw: bytes) -> None:
        """Remember that a message was answered with AA."""
        message = parse(raw)
        self.messages[identity_of(source_of(message), message.control_id, raw)] = raw

    def command_appended(self, command: Command, answer: Appended) -> None:
        """Remember that a command was answered with the position of its events."""
        self.commands[command.id] = (command, answer)


class _Outbound(msgspec.Struct):
    id: UUID


@dataclass
class Held:
    """What the streams hold, as far as they were read."""

    inbound: dict[UUID, list[InboundMessage]] = field(
        default_factory=lambda: defaultdict[UUID, list[InboundMessage]](list)
    )
    outbound: Counter[UUID] = field(default_factory=Counter[UUID])
    events: list[tuple[Position, Event]] = field(default_factory=list[tuple[Position, Event]])

    def of(self, kind: type[EventData] | tuple[type[EventData], ...]) -> list[Event]:
        """Return the events of a kind."""
        return [event for _, event in self.events if isinstance(event.data, kind)]

    def about(self, participant: UUID) -> list[Event]:
        """Return the events of one participant, in the order of their log."""
        return [event for _, event in self.events if event.subject == participant]


class Account:
    """Reads the streams on from where it was, and compares."""

    def __init__(self, nats: Client, settings: Settings) -> None:
        self.held = Held()
        self._nats = nats
        self._partitions = settings.partitions
        self._read: Counter[str] = Counter()  # the last sequence of each stream

    async def settle(self, ledger: Ledger, connection: Connection) -> None:
        """Expect all that was acknowledged, once, in the log and in the read models; nothing parked."""
        held = await self.read()
        parked = [entry for _, entry in await Parking(Log(self._nats)).entries()]
        assert [(entry.consumer, entry.reason) for entry in parked] == []
        _expect_events_once(held)
        _expect_messages(held, ledger)
        _expect_referrals(held)
        _expect_discharges(held)
        _expect_commands(held, ledger)
        await _expect_read_models(held, connection)

    async def read(self) -> Held:
        """Read what the streams got since the last time."""
        async for _, payload in self._new("INBOUND", "inbound.>"):
            envelope = msgspec.json.decode(payload, type=InboundEnvelope)
            self.held.inbound[envelope.id].append(envelope.data)
        async for _, payload in self._new("OUTBOUND", "outbound.>"):
            self.held.outbound[msgspec.json.decode(payload, type=_Outbound).id] += 1
        for k in range(self._partitions):
            async for sequence, payload in self._new(stream_of(k), f"care.{k}.>"):
                self.held.events.append((Position(k, sequence), REGISTRY.decode(payload)))
        return self.held

    async def _new(self, stream: str, subjects: str) -> AsyncIterator[tuple[int, bytes]]:
        last = await self._last(stream)
        if last == self._read[stream]:
            return
        start = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=self._read[stream] + 1
        )
        subscription = await jetstream(self._nats).subscribe(
            subjects, stream=stream, config=start, ordered_consumer=True
        )
        while self._read[stream] < last:
            message = await subscription.next_msg(timeout=_ARRIVAL_SECONDS)
            self._read[stream] = message.metadata.sequence.stream
            yield message.metadata.sequence.stream, message.data
        await subscription.unsubscribe()

    async def _last(self, stream: str) -> int:
        return (await jetstream(self._nats).stream_info(stream)).state.last_seq


def _expect_events_once(held: Held) -> None:
    twice = [str(id) for id, times in Counter(event.id for _, event in held.events).items() if times > 1]
    assert twice == [], "An event is in the log twice."


def _expect_messages(held: Held, ledger: Ledger) -> None:
    """Every message answered with AA is stored, and became what its kind becomes."""
    lost = [id for id in ledger.messages if id not in held.inbound]
    assert lost == [], f"{len(lost)} of {len(ledger.messages)} acknowledged messages are not in INBOUND."
    became: Counter[tuple[str, type[EventData]]] = Counter(
        (message.inbound_id, type(event.data)) for _, event in held.events if (message := _message_of(event))
    )
    for id, (message, *_) in held.inbound.items():
        kinds = _BECOMES.get(type(message), ())
        times = [became[str(id), kind] for kind in kinds]
        assert not kinds or (sum(times) >= 1 and max(times) == 1), (
            f"{message.original.trigger} {message.original.control_id} became "
            f"{dict(zip([kind.__name__ for kind in kinds], times, strict=True))}."
        )


def _message_of(event: Event) -> MessageReference | None:
    return getattr(event.data, "message", None)


def _expect_referrals(held: Held) -> None:
    """A placer's number has one referral, and its sender is told once that it was received."""
    received = held.of(ReferralReceived)
    placers = Counter(_placers(received))
    sent = {
        (message.placer.assigner, message.placer.value)
        for messages in held.inbound.values()
        for message in messages
        if isinstance(message, Referral)
    }
    assert placers == Counter(sent)
    told = {event.id: held.outbound[derived(event.id, "outbound-status")] for event in received}
    assert set(told.values()) <= {1}, "A sender was not told, or twice, that its referral was received."


def _placers(received: Iterable[Event]) -> list[tuple[str, str]]:
    data = (event.data for event in received)
    return [(each.placer.assigner, each.placer.value) for each in data if isinstance(each, ReferralReceived)]


def _expect_discharges(held: Held) -> None:
    """A discharge has one step-down and two follow-ups, unless it was reversed first."""
    steps, reversed_, owed = _by_discharge(held)
    for event in held.of(DischargeNotified):
        assert isinstance(event.data, DischargeNotified)
        id = event.data.discharge
        assert steps[id] == 1 or (steps[id] == 0 and reversed_[id] == 1), (
            f"A discharge has {steps[id]} step-downs."
        )
        assert owed[id] == 2 * steps[id], f"A discharge has {owed[id]} follow-ups."


def _by_discharge(held: Held) -> tuple[Counter[UUID | None], Counter[UUID | None], Counter[UUID | None]]:
    steps: Counter[UUID | None] = Counter()
    reversed_: Counter[UUID | None] = Counter()
    owed: Counter[UUID | None] = Counter()
    for _, event in held.events:
        match event.data:
            case SteppedDown(discharge=id) | StepDownPending(discharge=id):
                steps[id] += 1
            case StepDownReversed(discharge=id):
                reversed_[id] += 1
            case AftercareScheduled(discharge=id):
                owed[id] += 1
            case _:
                pass
    return steps, reversed_, owed


def _expect_commands(held: Held, ledger: Ledger) -> None:
    """Every command that was answered with a position has its events there."""
    at = {event.id: position for position, event in held.events}
    for command, answer in ledger.commands.values():
        ids = [event_id(command.id, number) for number in range(len(answer.events))]
        assert all(id in at for id in ids), f"An acknowledged {type(command).__name__} is not in the log."
        assert at[ids[-1]] == answer.position


async def _expect_read_models(held: Held, connection: Connection) -> None:
    shown = {row["event"] for row in await connection.fetch("select event from read.timeline")}
    missing = {event.type for _, event in held.events if event.id not in shown and not _is_identity(event)}
    assert missing == set(), "Events are not on the timeline."
    placers = await connection.fetch("select placer_assigner, placer_value from read.referral_status")
    assert Counter(map(tuple, placers)) == Counter(_placers(held.of(ReferralReceived)))
    owed = await connection.fetch("select discharge from read.follow_up")
    assert Counter(row["discharge"] for row in owed) == _by_discharge(held)[2]


def _is_identity(event: Event) -> bool:
    return REGISTRY.category_of(event.data).name == "identity"
