"""Timers: messages that the server publishes at a time (NATS ADR-51), each a command then."""

from datetime import UTC, datetime
from typing import Final

import msgspec

from shared.commands.base import Command
from shared.eventlog.log import Log

STREAM: Final = "TIMERS"


class Timers:
    """Sets the timers of one service."""

    def __init__(self, service: str, log: Log) -> None:
        self._service = service
        self._log = log

    async def set(self, name: str, at: datetime, command: Command) -> None:
        """Have the command delivered to the service's timer consumer at an instant; at once where it is past.

        A timer of the same name replaces the earlier one. Raises LogUnavailableError.
        """
        headers = {
            "Nats-Schedule": f"@at {at.astimezone(UTC).isoformat()}",  # whole seconds would fire too early
            "Nats-Schedule-Target": f"timers.due.{self._service}.{name}",
        }
        await self._log.publish(f"timers.set.{self._service}.{name}", msgspec.json.encode(command), headers)
