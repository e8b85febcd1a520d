"""Reading: metadata, one resource, and searches by GET and by POST."""

from collections.abc import Sequence
from typing import Final

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from services.gateway.fhir.answers import answer, is_known, versioned
from services.gateway.fhir.auth import Caller
from services.gateway.fhir.bundle import searchset
from services.gateway.fhir.door import Door, FhirRequest
from services.gateway.fhir.media import answers_in, expect_form
from services.gateway.fhir.metadata import capability_statement
from services.gateway.fhir.outcome import refused
from services.gateway.fhir.query import Pairs, Query, id_of, pairs_of, query_of
from services.gateway.fhir.served import CHAINED, SERVED

BASE: Final = "/fhir"
_NOBODY: Final = "00000000-0000-0000-0000-000000000000"
_ALL_HELD: Final = "This is not here, or not for this source."


def read_routes(door: Door) -> Sequence[HTTPRouteHandler]:
    """Return the routes of the reading side: one set for each type that is served."""

    @get(f"{BASE}/metadata")
    async def metadata(request: FhirRequest) -> Response[bytes]:
        return answer(capability_statement(door.base(request)), door.media(request))

    return [metadata, *(route for kind in SERVED for route in _routes(door, kind))]


def _routes(door: Door, kind: str) -> Sequence[HTTPRouteHandler]:
    @get(f"{BASE}/{kind}/{{id:str}}")
    async def read(request: FhirRequest, id: FromPath[str]) -> Response[bytes]:
        return await _read(door, request, kind, id)

    @get(f"{BASE}/{kind}")
    async def search(request: FhirRequest) -> Response[bytes]:
        caller = door.caller(request)
        asked = pairs_of(request.scope["query_string"])
        return await _search(door, request, caller, _query(request, kind, asked))

    @post(f"{BASE}/{kind}/_search", status_code=200)
    async def search_by_post(request: FhirRequest) -> Response[bytes]:
        caller = door.caller(request)
        expect_form(request.headers.get("content-type", ""))
        told = [*pairs_of(request.scope["query_string"]), *pairs_of(await request.body())]
        hidden = await _without_identifiers(door, caller, kind, told)
        return await _search(door, request, caller, _query(request, kind, hidden), told)

    return read, search, search_by_post


async def _read(door: Door, request: FhirRequest, kind: str, id: str) -> Response[bytes]:
    caller, media, known = door.caller(request), door.media(request), id_of(id)
    found = await door.resources.read(caller, kind, known) if known else None
    if found is None:
        raise refused(404, "not-found", _ALL_HELD, kind)
    headers = versioned(found.tag, found.last_updated)
    if is_known(request.headers.get("if-none-match"), found.tag):
        return answer(b"", media, 304, headers)
    return answer(found.body, media, headers=headers)


async def _search(
    door: Door, request: FhirRequest, caller: Caller, query: Query, told: Pairs | None = None
) -> Response[bytes]:
    media = door.media(request)
    if told is not None and (wanted := dict(told).get("_format")):
        media = answers_in("", wanted)
    page = await door.resources.search(caller, query)
    return answer(searchset(page, query, door.base(request)), media)


def _query(request: FhirRequest, kind: str, pairs: Pairs) -> Query:
    preferences = request.headers.get("prefer", "").replace(" ", "").lower()
    return query_of(kind, pairs, strict="handling=strict" in preferences)


async def _without_identifiers(door: Door, caller: Caller, kind: str, pairs: Pairs) -> Pairs:
    """Write identifiers as the ids that they mean: links of a search by POST hold no identifier either."""
    identifiers = {"identifier": (kind, "_id"), CHAINED: ("Patient", "patient")}
    known = {parameter.name for parameter in SERVED[kind]}
    hidden: list[tuple[str, str]] = []
    for name, value in pairs:
        of, becomes = identifiers.get(name, ("", ""))
        if not value or becomes not in known or (name not in known and name != CHAINED):
            hidden.append((name, value))
            continue
        asked = query_of("Patient", [("identifier", value)], strict=True)
        ids = await door.resources.ids(caller, of, asked.identifiers[0])
        hidden.append((becomes, ",".join(map(str, ids)) or _NOBODY))
    return hidden
