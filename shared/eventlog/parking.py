"""What a policy could not handle, kept in the stream PARKED until a person replays it.

An entry holds where the message is, not the message: it stays in its own stream.
"""

from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct

from shared.eventlog.log import Log

STREAM: Final = "PARKED"


class Parked(Struct, frozen=True, kw_only=True):
    """One parked message, and why; `reason` holds no content of the message."""

    service: str
    consumer: str
    stream: str
    sequence: int
    subject: str
    reason: str
    deliveries: int
    parked_at: datetime


class ReplayRequest(Struct, frozen=True):
    """Asks a service, on `replay.<service>`, to handle a message again."""

    consumer: str
    stream: str
    sequence: int


class ReplayAnswer(Struct, frozen=True):
    """Whether it was handled; else why not, in a sentence."""

    done: bool
    sentence: str = ""


class Reread(Struct, frozen=True):
    """Asks the gateway, on `reread.gateway`, to read a stored message again by the profiles that hold now."""

    sequence: int  # in INBOUND


class RereadAnswer(Struct, frozen=True, kw_only=True):
    """Where in INBOUND it stands now; nowhere, and why, where it cannot be read."""

    sequences: tuple[int, ...] = ()
    sentence: str = ""


_DECODER: Final = msgspec.json.Decoder(Parked)


class Parking:
    """Parks messages, lists them and takes them out."""

    def __init__(self, log: Log) -> None:
        self._log = log

    async def park(self, parked: Parked) -> None:
        """Store the entry, once for each message and consumer; raises LogUnavailableError."""
        headers = {"Nats-Msg-Id": f"{parked.consumer}/{parked.stream}/{parked.sequence}"}
        subject = f"parked.{parked.service}.{parked.consumer}"
        await self._log.publish(subject, msgspec.json.encode(parked), headers)

    async def entries(self) -> list[tuple[int, Parked]]:
        """Return every entry with its number, oldest first."""
        return [
            (message.sequence, _DECODER.decode(message.payload))
            async for message in self._log.tail(STREAM, "parked.>", 0)
        ]

    async def entry(self, number: int) -> Parked | None:
        """Return one entry, or None."""
        message = await self._log.next(STREAM, "parked.>", number)
        return _DECODER.decode(message.payload) if message and message.sequence == number else None

    async def forget(self, service: str, consumer: str, stream: str, sequence: int) -> None:
        """Take out the entry of a message that was handled after all; nothing happens where there is none."""
        async for message in self._log.tail(STREAM, f"parked.{service}.{consumer}", 0):
            parked = _DECODER.decode(message.payload)
            if (parked.stream, parked.sequence) == (stream, sequence):
                await self.remove(message.sequence)

    async def remove(self, number: int) -> None:
        """Take an entry out, after its message was handled."""
        await self._log.delete(STREAM, number)
