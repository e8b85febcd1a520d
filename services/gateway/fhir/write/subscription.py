"""Subscription: where a sender wants to be told of its referrals. Kept in the bucket SUBSCRIPTIONS.

Keys are ``<source>.<id>``, values the resource as JSON; who delivers reads them there. Telling the same
endpoint of the same criteria again is the same Subscription.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID, uuid5

import msgspec
from litestar import Response, delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from msgspec import Meta

from services.gateway.delivery.address import AddressError, checked
from services.gateway.delivery.criteria import criteria_of
from services.gateway.delivery.ways import RestHook
from services.gateway.fhir.answers import answer, etag, is_known
from services.gateway.fhir.auth import Caller
from services.gateway.fhir.bundle import searchset
from services.gateway.fhir.door import Door, FhirRequest, media_of
from services.gateway.fhir.media import expect_form, expect_json
from services.gateway.fhir.outcome import refused
from services.gateway.fhir.query import Pairs, handling_of, pairs_of, query_of
from services.gateway.fhir.write.elements import Element
from services.gateway.fhir.write.preference import preference
from services.gateway.fhir.write.reading import check_document, decode
from services.gateway.fhir.write.subscriptions_found import in_version, page_of
from services.gateway.profiles import rest_hook_of
from shared.eventlog.log import StoredMessage

BUCKET: Final = "SUBSCRIPTIONS"
_STREAM: Final = f"KV_{BUCKET}"
_SPACE: Final = UUID("0c6d54a5-98a4-5a1e-8f58-0f2f6b6f1c77")
_PAYLOADS: Final = (None, "", "application/fhir+json")
_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e]*")  # RFC 9110, 5.5
_DELETED: Final = {"KV-Operation": "DEL"}  # NATS ADR-8


class Channel(Element, frozen=True, kw_only=True):
    """Where it is told, and with which headers."""

    type: Literal["rest-hook", "websocket", "email", "sms", "message"]
    endpoint: str | None = None
    payload: str | None = None
    header: tuple[str, ...] = ()


class Subscription(Element, frozen=True, kw_only=True):
    """http://hl7.org/fhir/R4/subscription.html"""

    resource_type: Literal["Subscription"]
    status: Literal["requested", "active", "error", "off"]
    reason: str
    criteria: str
    channel: Channel
    end: Annotated[datetime, Meta(tz=True)] | None = None


def subscription_routes(door: Door) -> list[HTTPRouteHandler]:
    """Return the routes of Subscriptions."""

    @post("/fhir/Subscription")
    async def create(request: FhirRequest) -> Response[bytes]:
        caller, media = door.caller(request), door.media(request)
        expect_json(request.headers.get("content-type", ""))
        raw = await request.body()
        check_document(raw, "Subscription")
        told = decode(raw, Subscription, "Subscription")
        _check(told, rest_hook_of(door.profiles(), caller.source))
        id = uuid5(_SPACE, f"{caller.source}|{told.criteria}|{told.channel.endpoint}")
        body = _kept(raw, id)
        version = await door.log.publish(_subject(caller, str(id)), body, {})
        headers = {"Location": f"{door.base(request)}/Subscription/{id}", "ETag": etag(version)}
        is_short = preference(request.headers.get("prefer")).returns == "minimal"
        shown = b"" if is_short else in_version(body, version)
        return answer(shown, media, 201, headers)

    @get("/fhir/Subscription/{id:str}")
    async def read(request: FhirRequest, id: FromPath[str]) -> Response[bytes]:
        caller, media = door.caller(request), door.media(request)
        kept = await _found(door, caller, id)
        headers = {"ETag": etag(kept.sequence)}
        if is_known(request.headers.get("if-none-match"), kept.sequence):
            return answer(b"", media, 304, headers)
        return answer(in_version(kept.payload, kept.sequence), media, headers=headers)

    async def found(request: FhirRequest, pairs: Pairs) -> Response[bytes]:
        caller, media, base = door.caller(request), media_of(request, pairs), door.base(request)
        query = query_of("Subscription", pairs, handling_of(request.headers.get("prefer", "")))
        page = page_of(await _all(door, caller), query)
        return answer(searchset(page, query, base), media)

    @get("/fhir/Subscription")
    async def search(request: FhirRequest) -> Response[bytes]:
        return await found(request, pairs_of(request.scope["query_string"]))

    @post("/fhir/Subscription/_search", status_code=200)
    async def search_by_post(request: FhirRequest) -> Response[bytes]:
        door.caller(request)
        expect_form(request.headers.get("content-type", ""))
        told = pairs_of(await request.body())
        return await found(request, [*pairs_of(request.scope["query_string"]), *told])

    @delete("/fhir/Subscription/{id:str}", status_code=200)  # answered with 204
    async def remove(request: FhirRequest, id: FromPath[str]) -> Response[bytes]:
        caller, media = door.caller(request), door.media(request)
        await _found(door, caller, id)
        await door.log.publish(_subject(caller, id), b"", _DELETED)
        return answer(b"", media, 204)

    return [create, read, search, search_by_post, remove]


def _check(told: Subscription, agreed: RestHook | None) -> None:
    """Refuse what could not be delivered; raises FhirError 422."""
    if agreed is None:
        sentence = "What is agreed with this sender has no Subscriptions."
        raise refused(422, "business-rule", sentence, "Subscription")
    if told.status not in ("requested", "active"):
        raise refused(422, "value", "A new Subscription is requested.", "Subscription.status")
    if mistaken := criteria_of(told.criteria).mistaken():
        raise refused(422, "not-supported", mistaken, "Subscription.criteria")
    if told.channel.type != "rest-hook":
        sentence = "Changes are told by rest-hook."
        raise refused(422, "not-supported", sentence, "Subscription.channel.type")
    if told.channel.payload not in _PAYLOADS:
        sentence = "The payload is application/fhir+json, or there is none."
        raise refused(422, "not-supported", sentence, "Subscription.channel.payload")
    try:
        checked(told.channel.endpoint or "", private=agreed.private)
    except AddressError as fault:
        raise refused(422, "value", str(fault), "Subscription.channel.endpoint") from None
    for number, header in enumerate(told.channel.header):
        if not _HEADER.fullmatch(header):
            sentence = "A header is a name, a colon and a value."
            raise refused(422, "value", sentence, f"Subscription.channel.header[{number}]")


def _kept(raw: bytes, id: UUID) -> bytes:
    resource = _without_nulls(msgspec.json.decode(raw, type=dict[str, Any]))
    resource["channel"] = _without_nulls(resource["channel"])
    resource["id"] = str(id)
    resource["status"] = "requested"  # who delivers says how it does from then on
    resource.pop("error", None)
    resource["meta"] = {"lastUpdated": datetime.now(UTC).isoformat()}
    return msgspec.json.encode(resource)


def _without_nulls(told: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is there without a value: that is no JSON of FHIR, which is shown again."""
    return {name: value for name, value in told.items() if value is not None}


async def _found(door: Door, caller: Caller, id: str) -> StoredMessage:
    """Return a Subscription of the caller; raises FhirError 404."""
    try:
        known = str(UUID(id)) == id
    except ValueError:
        known = False
    stored = await door.log.next(_STREAM, _subject(caller, id), 1) if known else None
    if stored is None or not stored.payload:
        raise refused(404, "not-found", "There is no such Subscription of this source.", "Subscription.id")
    return stored


async def _all(door: Door, caller: Caller) -> list[tuple[int, bytes]]:
    """Return version and text of each."""
    stored = await door.log.latest(_STREAM, _subject(caller, "*"))
    return [(each.sequence, each.payload) for each in stored if each.payload]


def _subject(caller: Caller, id: str) -> str:
    return f"$KV.{BUCKET}.{caller.source}.{id}"
