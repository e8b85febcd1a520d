"""Bundles: a transaction is one message or several that are stored together, a batch is many requests."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from litestar import Response, post
from litestar.handlers import HTTPRouteHandler

from services.gateway.fhir.answers import answer
from services.gateway.fhir.auth import Caller
from services.gateway.fhir.door import Door, FhirRequest
from services.gateway.fhir.media import expect_json
from services.gateway.fhir.outcome import FhirError, Issue, refused
from services.gateway.fhir.write.addressed import expect_id, expect_place, expect_version, place_at
from services.gateway.fhir.write.answering import Asked, Place, asked_of, bundle, entry_of, refused_entry
from services.gateway.fhir.write.contents import TAKEN, Told, contents
from services.gateway.fhir.write.message import process
from services.gateway.fhir.write.ours import ours
from services.gateway.fhir.write.preference import preference
from services.gateway.fhir.write.reading import check_document, decode
from services.gateway.fhir.write.resource_routes import UPDATED, existing, is_new, of_resource, place_of
from services.gateway.fhir.write.resources import Bundle
from services.gateway.fhir.write.scope import Entry, Key, Scope, entries_of, is_absent
from services.gateway.fhir.write.storing import Stored, store
from services.gateway.fhir.write.submission import Submission
from services.gateway.fhir.write.times import moment
from shared.eventlog.errors import LogUnavailableError
from shared.events.inbound import Referral

_AT_ONCE: Final = 32
_MOST_ENTRIES: Final = 10_000
_NOT_STORED: Final = Issue("error", "transient", "It could not be stored now; please send it again later.")
_Object = dict[str, Any]


def bundle_routes(door: Door) -> list[HTTPRouteHandler]:
    """Return the routes of the base and of the message operation."""

    @post("/fhir", status_code=200)
    async def base(request: FhirRequest) -> Response[bytes]:
        asked, raw, told = await _read(door, request)
        match told.type:
            case "transaction":
                return answer(await _transaction(asked, raw, told), asked.media)
            case "batch":
                return answer(await _batch(asked, told), asked.media)
            case "message":
                return await process(asked, raw, told)
            case _:
                sentence = "A Bundle has to be a transaction, a batch or a message."
                raise refused(422, "not-supported", sentence, "Bundle.type")

    @post("/fhir/$process-message", status_code=200)
    async def process_message(request: FhirRequest) -> Response[bytes]:
        asked, raw, told = await _read(door, request)
        if request.query_params.get("async") == "true":
            sentence = "Messages are answered at once, when they are stored."
            raise refused(422, "not-supported", sentence, "http.async")
        if told.type != "message":
            raise refused(422, "value", "The Bundle has to be a message.", "Bundle.type")
        return await process(asked, raw, told)

    return [base, process_message]


async def _read(door: Door, request: FhirRequest) -> tuple[Asked, bytes, Bundle]:
    caller = door.caller(request)
    asked = asked_of(door, request, caller, preference(request.headers.get("prefer")))
    expect_json(request.headers.get("content-type", ""))
    raw = await request.body()
    check_document(raw, "Bundle")
    told = decode(raw, Bundle, "Bundle")
    if len(told.entry) > _MOST_ENTRIES:
        raise refused(413, "too-costly", f"A Bundle has {_MOST_ENTRIES} entries at most.", "Bundle.entry")
    return asked, raw, told


async def _transaction(asked: Asked, raw: bytes, told: Bundle) -> bytes:
    """Store what the resources say together, or nothing."""
    submission, found = await read_transaction(asked.door, asked.caller, raw, told)
    known = await _known(asked, submission.scope.entries, found)
    news = [each for each in found if not known.keys() & set(each.entries)]
    stored = await store(asked.door, submission, news) if news else []
    places = {at: each for each in stored for at in each.told.entries}
    return bundle("transaction-response", list(_answers(asked, told, places, submission, known)))


async def read_transaction(
    door: Door, caller: Caller, raw: bytes, told: Bundle
) -> tuple[Submission, list[Told]]:
    """Return what a transaction says; raises FhirError."""
    entries = entries_of(told.entry)
    changes = dict(_changes(told, entries))
    here: set[Key] = {(each.kind, each.id) for each in entries if each.id}
    also: list[Key] = [(entry.kind, changes[entry.at]) for entry in entries if entry.at in changes]
    found = await ours(door, caller, raw, here=here - set(also), also=also)
    submission = Submission(raw, caller, datetime.now(UTC), Scope(entries, found))
    submission.trigger = "fhir:transaction"
    submission.name(told.identifier.value if told.identifier else None)
    submission.sent = moment(told.timestamp, "Bundle.timestamp")
    said = contents(submission, changes)
    await _expect_as_addressed(door, caller, entries, said, changes)
    return submission, said


async def _expect_as_addressed(
    door: Door, caller: Caller, entries: Sequence[Entry], said: Sequence[Told], changes: Mapping[str, str]
) -> None:
    """Refuse an update of something else than is at its address, or of another version than is named."""
    for entry in entries:
        if entry.at not in changes:
            continue
        place = place_at(entry.kind, changes[entry.at], entry.at)
        for each in (each for each in said if entry.at in each.entries):
            expect_place(door, each, place, entry.at)
        if entry.request and entry.request.if_match is not None:
            at = f"{_request_of(entry)}.ifMatch"
            await expect_version(door, caller, place, entry.request.if_match, at)


def _changes(told: Bundle, entries: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    """Give the id of each update; raises FhirError for what a transaction cannot hold."""
    for number, each in enumerate(told.entry):
        at = f"Bundle.entry[{number}].request"
        if each.request is None:
            raise refused(400, "required", "An entry needs a request.", at)
        if each.request.method not in ("POST", "PUT") or is_absent(each.resource):
            sentence = "An entry of a transaction creates or updates a resource."
            raise refused(422, "not-supported", sentence, f"{at}.method")
    for entry in entries:
        request = entry.request
        kind, _, id = (request.url if request else "").strip("/").partition("/")
        if kind.partition("?")[0] != entry.kind:
            sentence = "The url has to begin with the resource's type."
            raise refused(400, "invalid", sentence, f"{_request_of(entry)}.url")
        if request and request.method == "PUT" and entry.kind in UPDATED:
            _expect_no_search(request.url, f"{_request_of(entry)}.url")
            expect_id(entry.id, place_at(entry.kind, id, entry.at), entry.at)
            yield entry.at, id


def _request_of(entry: Entry) -> str:
    return f"{entry.at.removesuffix('.resource')}.request"


def _expect_no_search(url: str, at: str) -> None:
    if "?" in url:
        sentence = "An update is addressed by the id that the resource has here, not by a search."
        raise refused(422, "not-supported", sentence, at)


async def _known(asked: Asked, entries: Sequence[Entry], found: Sequence[Told]) -> dict[str, Place]:
    """Return the places of what an entry's ifNoneExist finds, by path, with what was said beside it."""
    known: dict[str, Place] = {}
    kinds = {entry.at: entry.kind for entry in entries}
    for entry in entries:
        condition = entry.request.if_none_exist if entry.request else None
        told = next((each for each in found if entry.at in each.entries), None)
        if condition is None or told is None or not isinstance(told.message, Referral):
            continue
        referral = await existing(asked, entry.kind, [told], condition)
        if referral is not None:
            known |= {at: Place(kinds.get(at, entry.kind), referral.id) for at in told.entries}
    return known


def _answers(
    asked: Asked,
    told: Bundle,
    places: Mapping[str, Stored],
    submission: Submission,
    known: Mapping[str, Place],
) -> Iterator[_Object]:
    """Give an entry for each entry: where its resource will be, or that it was taken with the others."""
    kinds = {entry.at: entry.kind for entry in submission.scope.entries}
    warnings: Sequence[str] = submission.warnings
    for number in range(len(told.entry)):
        at = f"Bundle.entry[{number}].resource"
        if at in known:
            yield entry_of(asked.base, known[at], "200 OK", ())
            continue
        stored = places.get(at)
        place = place_of(stored, kinds.get(at, "")) if stored else None
        if place is None or stored is None:
            yield entry_of(asked.base, None, "202 Accepted", ())
            continue
        status = "201 Created" if is_new(stored) else "200 OK"
        yield entry_of(asked.base, place, status, warnings)
        warnings = ()


async def _batch(asked: Asked, told: Bundle) -> bytes:
    """Handle each entry by itself; some may be refused."""
    answers: list[_Object] = []
    entries = list(enumerate(told.entry))
    for first in range(0, len(entries), _AT_ONCE):
        some = entries[first : first + _AT_ONCE]
        answers += await asyncio.gather(*(_one(asked, told, number) for number, _ in some))
    return bundle("batch-response", answers)


async def _one(asked: Asked, told: Bundle, number: int) -> _Object:
    try:
        return await _entry(asked, told, number)
    except FhirError as error:
        return refused_entry(error.status, _within(error, f"Bundle.entry[{number}]"))
    except LogUnavailableError:
        return refused_entry(503, [_NOT_STORED])


async def _entry(asked: Asked, told: Bundle, number: int) -> _Object:
    each = told.entry[number]
    at = f"Bundle.entry[{number}]"
    if each.request is None:
        raise refused(400, "required", "An entry needs a request.", f"{at}.request")
    kind, _, id = each.request.url.strip("/").partition("/")
    is_update = each.request.method == "PUT" and kind.partition("?")[0] in UPDATED
    if not is_update and (each.request.method != "POST" or kind not in TAKEN or id):
        sentence = f"An entry of a batch creates a {', '.join(TAKEN)}, or updates one of the first two."
        raise refused(422, "not-supported", sentence, f"{at}.request")
    if is_absent(each.resource):
        raise refused(400, "required", "An entry needs a resource.", f"{at}.resource")
    if is_update:
        _expect_no_search(each.request.url, f"{at}.request.url")
    place = place_at(kind, id, kind) if is_update else None
    submission = await of_resource(asked.door, asked.caller, bytes(each.resource), kind, place=place)
    found = contents(submission, {kind: id} if is_update else None)
    if place is not None:
        expect_place(asked.door, found[0], place, kind)
        if each.request.if_match is not None:
            where = f"{at}.request.ifMatch"
            await expect_version(asked.door, asked.caller, place, each.request.if_match, where)
    return await _taken(asked, submission, found, kind, each.request.if_none_exist)


async def _taken(
    asked: Asked, submission: Submission, found: Sequence[Told], kind: str, condition: str | None
) -> _Object:
    if condition is not None:
        known = await existing(asked, kind, found, condition)
        if known is not None:
            return entry_of(asked.base, Place(kind, known.id), "200 OK", submission.warnings)
    stored, *_ = await store(asked.door, submission, found)
    place = place_of(stored, kind)
    status = "202 Accepted" if place is None else "201 Created" if is_new(stored) else "200 OK"
    return entry_of(asked.base, place, status, submission.warnings)


def _within(error: FhirError, at: str) -> list[Issue]:
    """Write the paths of a resource's issues as those of its entry."""
    return [
        Issue(each.severity, each.code, each.diagnostics, tuple(_path(path, at) for path in each.expression))
        for each in error.issues
    ]


def _path(path: str, at: str) -> str:
    if path.startswith(("Bundle", "http.")):
        return path
    _, dot, element = path.partition(".")
    return f"{at}.resource{dot}{element}"
