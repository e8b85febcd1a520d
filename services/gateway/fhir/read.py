"""Reading: metadata, one resource, and searches by GET and by POST."""

from collections.abc import Sequence
from typing import Final

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from services.gateway.fhir.answers import answer, is_known, versioned
from services.gateway.fhir.auth import Caller
from services.gateway.fhir.bundle import searchset
from services.gateway.fhir.door import Door, FhirRequest, media_of
from services.gateway.fhir.media import expect_form
from services.gateway.fhir.metadata import capability_statement
from services.gateway.fhir.outcome import refused
from services.gateway.fhir.query import Pairs, Query, handling_of, id_of, pairs_of, query_of
from services.gateway.fhir.served import ABOUT_PERSON, MOST, SERVED, is_chained

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
        hidden = await _without_persons(door, caller, kind, told)
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
    door: Door, request: FhirRequest, caller: Caller, query: Query, told: Pairs = ()
) -> Response[bytes]:
    media = media_of(request, told)
    page = await door.resources.search(caller, query)
    return answer(searchset(page, query, door.base(request)), media)


def _query(request: FhirRequest, kind: str, pairs: Pairs) -> Query:
    return query_of(kind, pairs, handling_of(request.headers.get("prefer", "")))


async def _without_persons(door: Door, caller: Caller, kind: str, pairs: Pairs) -> Pairs:
    """Write what says who somebody is as the ids that it means: links of a search by POST do not hold it."""
    known = {each.name for each in SERVED[kind]} & ABOUT_PERSON
    own = [(name, value) for name, value in pairs if value and name.partition(":")[0] in known]
    chained = [(name, value) for name, value in pairs if value and is_chained(kind, name)]
    hidden = [pair for pair in pairs if pair not in own and pair not in chained]
    if own:
        hidden.append(("_id", await _meant(door, caller, kind, own)))
    if chained:
        asked = [("identifier", value) for _, value in chained]
        hidden.append(("patient", await _meant(door, caller, "Patient", asked)))
    return hidden


async def _meant(door: Door, caller: Caller, kind: str, pairs: Pairs) -> str:
    ids = await door.resources.ids(caller, query_of(kind, pairs, "strict"), MOST + 1)
    if len(ids) > MOST:
        sentence = f"More than {MOST} match, which a search by POST does not page through: name more of them."
        raise refused(400, "too-costly", sentence, "http.body")
    return ",".join(map(str, ids)) or _NOBODY
