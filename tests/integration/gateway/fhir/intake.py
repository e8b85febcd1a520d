"""Intake as the reading side sees it: asked over NATS, it decides by its own rules on the journal."""

import asyncio
from uuid import UUID

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg

from services.intake.deciders.consent import DECIDER, State
from shared.commands import reply
from shared.commands.consent import RecordDisclosure, RecordRefusedDisclosure
from shared.commands.decision import Refused
from shared.events.base import EventData
from shared.events.envelope import Position
from shared.events.registry import REGISTRY
from shared.projections.postgres import connect
from tests.flushed import flushed

_COMMAND = msgspec.json.Decoder(RecordDisclosure | RecordRefusedDisclosure)
_CONSENTS = "select message from log.journal where participant = $1 and category = 'consent' order by k, seq"


class Intake:
    """What it was asked to record stands in `recorded`; while it is silent nobody is answered."""

    def __init__(self, client: Client, database: str) -> None:
        self.recorded: list[tuple[UUID, EventData]] = []
        self.is_silent = False
        self._client = client
        self._database = database
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        await self._client.subscribe("command.intake.*", cb=self._answer)  # pyright: ignore[reportUnknownMemberType]
        await flushed(self._client)

    async def _answer(self, message: Msg) -> None:
        if self.is_silent:
            return
        async with self._lock:
            answer = await self._decided(_COMMAND.decode(message.data))
        await message.respond(msgspec.json.encode(answer))

    async def _decided(self, command: RecordDisclosure | RecordRefusedDisclosure) -> reply.Reply:
        decision = DECIDER.decide(command, await self._state(command.participant))
        if isinstance(decision, Refused):
            return decision
        self.recorded += [(command.participant, event) for event in decision]
        if not decision:
            return reply.Unchanged()
        return reply.Appended(position=Position(0, 1), events=())

    async def _state(self, participant: UUID) -> State:
        connection = await connect(self._database)
        rows = await connection.fetch(_CONSENTS, participant)
        await connection.close()
        told = [REGISTRY.decode(row["message"]).data for row in rows]
        recorded = [event for whose, event in self.recorded if whose == participant]
        return DECIDER.fold(DECIDER.initial, [*told, *recorded])
