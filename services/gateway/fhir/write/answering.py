"""What a sender is answered once its message is durable."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, cast
from uuid import UUID

import msgspec
from litestar import Response

from services.gateway.fhir.answers import answer, etag, versioned
from services.gateway.fhir.auth import Caller
from services.gateway.fhir.door import Door, FhirRequest
from services.gateway.fhir.media import Media
from services.gateway.fhir.outcome import Issue, outcome, warning
from services.gateway.fhir.resources import Found
from services.gateway.fhir.write.preference import Preference

_FIRST_PAUSE: Final = 0.01
_LONGEST_PAUSE: Final = 0.1
_STORED: Final = Issue(
    "information",
    "informational",
    "It is stored. What follows from it is there in a moment; Prefer: respond-sync waits for it.",
)
_OF_VERSION: Final = frozenset({"versionId", "lastUpdated"})
_Object = dict[str, Any]


class Asked(NamedTuple):
    """Of a request, what its answer depends on."""

    door: Door
    caller: Caller
    media: Media
    base: str
    preference: Preference


class Place(NamedTuple):
    """Where a resource is, or will be."""

    kind: str
    id: UUID

    def below(self, base: str) -> str:
        """Return its address."""
        return f"{base}/{self.kind}/{self.id}"


async def awaited(asked: Asked, place: Place, *, after: int = 0) -> Found | None:
    """Return the resource as soon as it is there, in a version after the given one; None in the end.

    It asks, and ever more slowly: a message from the projector would reach one gateway of several.
    """
    end, pause = time.monotonic() + asked.preference.wait, _FIRST_PAUSE
    while time.monotonic() < end:
        found = await asked.door.resources.read(asked.caller, place.kind, place.id)
        if found is not None and found.version > after:
            return found
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
    return None


def created(
    asked: Asked, status: int, place: Place | None, sent: bytes, warnings: Sequence[str]
) -> Response[bytes]:
    """Answer before it can be read; `sent` is the resource as it came, b"" where there is none to show."""
    headers = {} if place is None else {"Location": place.below(asked.base)}
    if status == 201:  # noqa: PLR2004 -- Created
        headers["ETag"] = etag(1)
    return answer(_body(asked, place, sent, warnings), asked.media, status, headers)


def readable(
    asked: Asked, status: int, place: Place, found: Found, warnings: Sequence[str]
) -> Response[bytes]:
    """Answer with what can be read already."""
    headers = {"Location": place.below(asked.base), **versioned(found.tag, found.last_updated)}
    if asked.preference.wait:
        headers["Preference-Applied"] = "respond-sync"
    body = found.body if asked.preference.returns == "representation" else _body(asked, place, b"", warnings)
    return answer(body, asked.media, status, headers)


def _body(asked: Asked, place: Place | None, sent: bytes, warnings: Sequence[str]) -> bytes:
    match asked.preference.returns:
        case "minimal":
            return b""
        case "representation" if sent and place is not None:
            return with_id(sent, str(place.id))
        case _:
            return told(warnings)


def told(warnings: Sequence[str]) -> bytes:
    """Return the OperationOutcome of what is stored."""
    return outcome([_STORED, *(warning(each) for each in warnings)])


def with_id(sent: bytes, id: str) -> bytes:
    """Return a resource as it was sent, under the id that it has here, and without a version.

    The one that it names is what its sender had read (R4 http, update: not to be trusted).
    """
    resource = msgspec.json.decode(sent, type=dict[str, msgspec.Raw])
    resource["id"] = msgspec.Raw(msgspec.json.encode(id))
    if meta := _without_version(resource.pop("meta", None)):
        resource["meta"] = meta
    return msgspec.json.encode(resource)


def _without_version(meta: msgspec.Raw | None) -> msgspec.Raw | None:
    told: object = msgspec.json.decode(meta) if meta is not None else None
    if not isinstance(told, dict):
        return None
    kept = {name: value for name, value in cast("_Object", told).items() if name not in _OF_VERSION}
    return msgspec.Raw(msgspec.json.encode(kept)) if kept else None


def entry_of(base: str, place: Place | None, status: str, warnings: Sequence[str]) -> _Object:
    """Return an entry of a transaction's or batch's answer."""
    response: _Object = {"status": status}
    if place is not None:
        response["location"] = place.below(base)
        if status.startswith("201"):
            response["etag"] = etag(1)
    if warnings:
        response["outcome"] = msgspec.Raw(outcome([warning(each) for each in warnings]))
    return {"response": response}


def refused_entry(status: int, issues: Sequence[Issue]) -> _Object:
    """Return the entry of a batch that was refused."""
    return {"response": {"status": str(status), "outcome": msgspec.Raw(outcome(issues))}}


def bundle(kind: str, entries: Sequence[Mapping[str, Any]], **more: object) -> bytes:
    """Return a Bundle."""
    told: _Object = {"resourceType": "Bundle", "type": kind, **more}
    if entries:
        told["entry"] = entries
    return msgspec.json.encode(told)


def asked_of(door: Door, request: FhirRequest, caller: Caller, preference: Preference) -> Asked:
    """Take from a request what its answer depends on; raises FhirError 406."""
    return Asked(door, caller, door.media(request), door.base(request), preference)
