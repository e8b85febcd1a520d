"""Notices about people nobody has referred yet: held 35 days in the bucket HELD, and in no log before that.

The bucket holds where the notice is in INBOUND, under each of the person's identifiers; not the notice.
"""

from collections.abc import Iterable

import msgspec

from shared.eventlog.log import Log, StoredMessage

_STREAM = "KV_HELD"


class Held:
    """Holds notices by identity key and gives them back in the order in which they came."""

    def __init__(self, log: Log) -> None:
        self._log = log

    async def hold(self, keys: Iterable[str], sequence: int) -> None:
        """Hold the notice with this sequence in INBOUND under every key; holding it again changes nothing."""
        for key in keys:
            await self._log.publish(f"$KV.HELD.{key}.{sequence}", msgspec.json.encode(sequence), {})

    async def sequences(self, keys: Iterable[str]) -> list[int]:
        """Return the sequences in INBOUND of what is held under any of the keys, oldest first."""
        return sorted({_sequence_of(entry) for entry in await self._entries(keys)})

    async def release(self, keys: Iterable[str], sequence: int) -> None:
        """Forget this notice under each of its keys, once it was told; what came since stays held."""
        for entry in await self._entries(keys):
            if _sequence_of(entry) == sequence:
                await self._log.delete(_STREAM, entry.sequence)

    async def _entries(self, keys: Iterable[str]) -> list[StoredMessage]:
        return [entry for key in keys async for entry in self._log.tail(_STREAM, f"$KV.HELD.{key}.>", 0)]


def _sequence_of(entry: StoredMessage) -> int:
    return msgspec.json.decode(entry.payload, type=int)
