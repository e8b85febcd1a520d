"""The ways in, and the read models to look at: nothing else of the system is touched by the demo."""

import asyncio
from typing import Final
from uuid import UUID

from nats.aio.client import Client

from services.console.answers import sentence_of
from services.console.faults import Failed
from services.gateway.mllp.client import send
from shared.commands.base import Command
from shared.commands.reply import Appended, Unchanged
from shared.eventlog.client import CommandClient
from shared.eventlog.log import Log
from shared.events.base import Identifier
from shared.identifiers import identity_key
from shared.projections.postgres import Connection
from shared.settings import Settings

_ACCEPTED: Final = {"AA", "CA"}


class FrontDoor:
    """Sends messages and commands, and reads what became of them."""

    def __init__(self, settings: Settings, mllp: str, nats: Client, database: Connection) -> None:
        self.settings = settings
        self._host, _, port = mllp.rpartition(":")
        self._port = int(port)
        self._commands = CommandClient(nats)
        self._log = Log(nats)
        self._database = database
        self._asking = asyncio.Lock()  # a connection of Postgres answers one question at a time

    async def send(self, message: bytes) -> None:
        """Send an HL7 v2 message; raises Failed where the gateway does not accept it."""
        async for answer in send(self._host, self._port, [message]):
            if answer.code not in _ACCEPTED:
                raise Failed(f"The gateway answered {answer.code or 'nothing'}: {answer.error}")

    async def ask(self, command: Command) -> None:
        """Send a coordinator's command; raises Failed where it is not done."""
        answer = await self._commands.ask(command)
        if not isinstance(answer, Appended | Unchanged):
            raise Failed(f"{type(command).__name__}: {sentence_of(answer)}")

    async def holds(self, query: str, *arguments: object) -> bool:
        """Ask the read models a question that is answered with yes or no."""
        return bool(await self._fetch(query, *arguments))

    async def one(self, query: str, *arguments: object) -> UUID:
        """Ask the read models for one id; raises Failed where there is none."""
        found = await self._fetch(query, *arguments)
        if not isinstance(found, UUID):
            raise Failed("What was expected in the read models is not there.")
        return found

    async def _fetch(self, query: str, *arguments: object) -> object:
        async with self._asking:
            return await self._database.fetchval(query, *arguments)

    async def is_held(self, identifier: Identifier) -> bool:
        """Whether a notice about somebody who has this identifier waits for a referral."""
        key = identity_key(identifier, self.settings.identifier_key)
        return await self._log.next("KV_HELD", f"$KV.HELD.{key}.>", 1) is not None
