"""Asks services to do things: the other side of `command.<service>.<Name>`."""

from typing import Any, Final

import msgspec
from nats.aio.client import Client
from nats.errors import Error as NatsError

from shared.commands import reply
from shared.commands.base import Command
from shared.events.registry import CATEGORIES

_REPLY: Final[msgspec.json.Decoder[reply.Reply]] = msgspec.json.Decoder(reply.Reply)
_SERVICE_OF: Final = {category.name: category.service for category in CATEGORIES}


class CommandClient:
    """Sends commands and returns the services' answers."""

    def __init__(self, client: Client, *, timeout_seconds: float = 10.0) -> None:
        self._client = client
        self._timeout = timeout_seconds

    async def ask(self, command: Command) -> reply.Reply:
        """Send a command; Unavailable where no service answers in time."""
        name = type(command).__name__
        return await self.ask_raw(_SERVICE_OF[command.category], name, msgspec.json.encode(command))

    async def ask_raw(self, service: str, name: str, body: bytes) -> reply.Reply:
        """Send a command's JSON to a service by name."""
        try:
            message: Any = await self._client.request(
                f"command.{service}.{name}", body, timeout=self._timeout
            )
        except (NatsError, TimeoutError):
            return reply.Unavailable(sentence=f"{service} does not answer. Asking again is safe.")
        return _REPLY.decode(message.data)
