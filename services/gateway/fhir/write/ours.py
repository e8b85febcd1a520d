"""The resources of ours that a request refers to, read for its sender before it is translated."""

import asyncio
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from services.gateway.fhir.auth import Caller
from services.gateway.fhir.door import Door
from services.gateway.fhir.outcome import refused
from services.gateway.fhir.write.scope import OURS, Key

_MOST: Final = 32


async def ours(
    door: Door, caller: Caller, raw: bytes, *, here: Iterable[Key] = (), also: Iterable[Key] = ()
) -> dict[Key, bytes]:
    """Return by type and id what the text refers to and the caller may see, but for what is `here`.

    Raises FhirError: 503 where the resources cannot be read now, 422 for more than can be looked up.
    """
    named: set[Key] = {(kind.decode(), id.decode()) for kind, id in OURS.findall(raw)}
    wanted = list((named | set(also)) - set(here))
    if not wanted:
        return {}
    if len(wanted) > _MOST:
        sentence = f"It refers to more than {_MOST} resources outside of it."
        raise refused(422, "too-costly", sentence, "Bundle")
    found = await asyncio.gather(*(door.resources.read(caller, kind, UUID(id)) for kind, id in wanted))
    return {key: each.body for key, each in zip(wanted, found, strict=True) if each is not None}
