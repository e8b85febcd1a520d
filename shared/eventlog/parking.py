"""What a policy could not handle, kept in the stream PARKED until a person replays it, or gives it up.

An entry holds where the message is, not the message: it stays in its own stream.
"""

from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from shared.eventlog.log import Log

STREAM: Final = "PARKED"


class GivenUp(Struct, frozen=True, kw_only=True):
    """Who decided that a message is not to be handled, and why; `reason` names nobody."""

    by: str
    reason: str
    at: datetime


class Parked(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One parked message, and why; `reason` holds no content of the message."""

    service: str
    consumer: str
    stream: str
    sequence: int
    subject: str
    reason: str
    deliveries: int
    parked_at: datetime
    given_up: GivenUp | None = None


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
        """Return every entry that waits for a person, with its number, oldest first."""
        return [(number, parked) for number, parked in await self._all() if parked.given_up is None]

    async def given_up(self) -> list[tuple[int, Parked]]:
        """Return every entry that was given up, with its number."""
        return [(number, parked) for number, parked in await self._all() if parked.given_up]

    async def _all(self) -> list[tuple[int, Parked]]:
        return [
            (message.sequence, _DECODER.decode(message.payload))
            async for message in self._log.tail(STREAM, "parked.>", 0)
        ]

    async def give_up(self, number: int, parked: Parked, given_up: GivenUp) -> None:
        """Have an entry wait no longer: it is kept under another number, and may still be replayed."""
        subject = f"parked.{parked.service}.{parked.consumer}"
        await self._log.publish(subject, msgspec.json.encode(replace(parked, given_up=given_up)), {})
        await self.remove(number)

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
