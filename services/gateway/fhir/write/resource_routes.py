"""One resource: create, update and patch."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qs

from litestar import Response, patch, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from services.gateway.fhir.auth import Caller
from services.gateway.fhir.door import Door, FhirRequest
from services.gateway.fhir.media import expect_json
from services.gateway.fhir.outcome import refused
from services.gateway.fhir.resources import Found
from services.gateway.fhir.write import task
from services.gateway.fhir.write.addressed import expect_id, expect_place, expect_version, place_at
from services.gateway.fhir.write.answering import Asked, Place, asked_of, awaited, created, readable
from services.gateway.fhir.write.contents import Told, contents, known_task
from services.gateway.fhir.write.elements import Identifier
from services.gateway.fhir.write.ours import ours
from services.gateway.fhir.write.person import identifier
from services.gateway.fhir.write.preference import preference
from services.gateway.fhir.write.reading import check_document, head
from services.gateway.fhir.write.scope import Entry, Key, Scope
from services.gateway.fhir.write.storing import Stored, store
from services.gateway.fhir.write.submission import Submission
from shared.events.base import Demographics
from shared.events.base import Identifier as Named
from shared.events.inbound import AssessmentReport, ConsentNotice, Person, Referral
from shared.identifiers import identity_key, referral_id

CREATED: Final = ("ServiceRequest", "Task", "QuestionnaireResponse", "Observation", "Consent")
UPDATED: Final = ("ServiceRequest", "Task")
REPLACED: Final = (*UPDATED, "Consent")  # by an update of the resource alone
PATCHED: Final = "Task"
CONDITIONAL: Final = "ServiceRequest"
PATCH_FORMATS: Final = ("application/json-patch+json", "application/merge-patch+json")
_PATCHES: Final[Mapping[str, bool]] = {
    "application/json-patch+json": False,
    "application/merge-patch+json": True,
    "application/json": True,  # as fhirpy sends what it changed
}


def resource_routes(door: Door) -> list[HTTPRouteHandler]:
    """Return the routes of single resources."""
    creates = [_create_route(door, kind) for kind in CREATED]
    updates = [_update_route(door, kind) for kind in REPLACED]
    return [*creates, *updates, _patch_route(door)]


def _create_route(door: Door, kind: str) -> HTTPRouteHandler:
    @post(f"/fhir/{kind}")
    async def create(request: FhirRequest) -> Response[bytes]:
        asked, raw = await _received(door, request)
        submission = await of_resource(door, asked.caller, raw, kind)
        told = contents(submission)
        condition = request.headers.get("if-none-exist")
        if condition is not None:
            found = await existing(asked, kind, told, condition)
            if found is not None:
                return readable(asked, 200, Place(kind, found.id), found, submission.warnings)
        return await _stored(asked, submission, told, kind)

    return create


def _update_route(door: Door, kind: str) -> HTTPRouteHandler:
    @put(f"/fhir/{kind}/{{id:str}}")
    async def update(request: FhirRequest, id: FromPath[str]) -> Response[bytes]:
        asked, raw = await _received(door, request)
        place = place_at(kind, id, kind)
        submission = await of_resource(door, asked.caller, raw, kind, place=place)
        before = await _before(asked, place, request.headers.get("if-match"))
        told = contents(submission, {kind: id})
        expect_place(door, told[0], place, kind)
        return await _stored(asked, submission, told, kind, after=before)

    return update


def _patch_route(door: Door) -> HTTPRouteHandler:
    @patch("/fhir/Task/{id:str}")
    async def change(request: FhirRequest, id: FromPath[str]) -> Response[bytes]:
        caller = door.caller(request)
        asked = asked_of(door, request, caller, preference(request.headers.get("prefer")))
        is_merge = _patch_kind(request.headers.get("content-type", ""))
        raw = await request.body()
        check_document(raw, "Patch")
        place = place_at(PATCHED, id, PATCHED)
        before = await _before(asked, place, request.headers.get("if-match"), needed=True)
        submission = Submission(raw, caller, datetime.now(UTC))
        submission.trigger = "fhir:Task"
        known = known_task(before.body, submission.assigner) if before else None
        if known is None:
            raise refused(404, "not-found", "There is no such Task, or not for this source.", "Task.id")
        submission.name(f"Task/{id}")
        nobody = Person(identifiers=(), demographics=Demographics())
        message = task.told(submission, task.patched(raw, is_merge=is_merge), known.placer, nobody, "Task")
        return await _stored(asked, submission, [Told(message, ("Task",))], "Task", after=before, sent=b"")

    return change


async def of_resource(
    door: Door, caller: Caller, raw: bytes, kind: str, *, place: Place | None = None
) -> Submission:
    """Take one resource as a submission; `place` is the address of an update. Raises FhirError."""
    check_document(raw, kind)
    known = head(raw, kind)
    if known.resource_type != kind:
        raise refused(400, "invalid", f"The resource has to be a {kind}.", f"{kind}.resourceType")
    if place is not None:
        expect_id(known.id, place, kind)
    also: list[Key] = [(place.kind, str(place.id))] if place else []
    found = await ours(door, caller, raw, also=also)
    scope = Scope([Entry(kind, known.id, raw, kind)], found)
    submission = Submission(raw, caller, datetime.now(UTC), scope)
    submission.trigger = f"fhir:{kind}"
    return submission


async def existing(asked: Asked, kind: str, told: Sequence[Told], condition: str) -> Found | None:
    """Return what If-None-Exist finds; raises FhirError where the condition is none that is understood."""
    message = told[0].message
    if kind != CONDITIONAL or not isinstance(message, Referral):
        sentence = f"Only a {CONDITIONAL} is created conditionally."
        raise refused(412, "not-supported", sentence, "http.If-None-Exist")
    number = _number(condition, message.placer.assigner)
    secret = asked.door.identifier_key
    if number is None or identity_key(number, secret) != identity_key(message.placer, secret):
        sentence = "The condition has to be identifier=system|value, of the identifier that the resource has."
        raise refused(412, "not-supported", sentence, "http.If-None-Exist")
    return await asked.door.resources.read(asked.caller, kind, referral_id(message.placer, secret))


def place_of(stored: Stored, kind: str) -> Place | None:
    """Return where a message's resource will be; None where nothing follows from it."""
    return Place(kind, stored.resource) if stored.resource is not None else None


def is_new(stored: Stored) -> bool:
    """Tell whether the message makes a resource, rather than change one."""
    message = stored.told.message
    is_granted = isinstance(message, ConsentNotice) and message.status == "active"
    return is_granted or isinstance(message, Referral | AssessmentReport)


async def _received(door: Door, request: FhirRequest) -> tuple[Asked, bytes]:
    caller, headers = door.caller(request), request.headers
    asked = asked_of(door, request, caller, preference(headers.get("prefer")))
    expect_json(headers.get("content-type", ""))
    return asked, await request.body()


async def _stored(
    asked: Asked,
    submission: Submission,
    told: Sequence[Told],
    kind: str,
    *,
    after: Found | None = None,
    sent: bytes | None = None,
) -> Response[bytes]:
    """Store, and answer with where the resource is: 201 for a new one, 200 for one that it changes."""
    first, *_ = await store(asked.door, submission, told)
    place = place_of(first, kind)
    status = 202 if place is None else 201 if is_new(first) else 200
    if place is not None and asked.preference.wait:
        found = await awaited(asked, place, after=after.version if after else 0)
        if found is not None:
            return readable(asked, status, place, found, submission.warnings)
    return created(asked, status, place, submission.raw if sent is None else sent, submission.warnings)


async def _before(asked: Asked, place: Place, if_match: str | None, *, needed: bool = False) -> Found | None:
    """Return the resource as it is now, where it is wanted; raises FhirError 412 where it is not as told."""
    if if_match is not None:
        return await expect_version(asked.door, asked.caller, place, if_match)
    if not needed and not asked.preference.wait:
        return None
    return await asked.door.resources.read(asked.caller, place.kind, place.id)


def _patch_kind(content_type: str) -> bool:
    """Tell whether it is a merge patch; raises FhirError 415."""
    kind = _PATCHES.get(content_type.partition(";")[0].strip().lower())
    if kind is None:
        sentence = f"A patch has to be {' or '.join(_PATCHES)}."
        raise refused(415, "not-supported", sentence, "http.Content-Type")
    return kind


def _number(condition: str, own: str) -> Named | None:
    told = parse_qs(condition.strip().lstrip("?"), keep_blank_values=True)
    if list(told) != ["identifier"] or len(told["identifier"]) != 1:
        return None
    system, bar, value = told["identifier"][0].rpartition("|")
    named = Identifier(system=system or None, value=value)
    return identifier(named, own) if bar or value else None
