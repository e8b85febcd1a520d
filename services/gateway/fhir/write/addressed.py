"""What an update is addressed to: the id in its address, and the version that its sender has seen."""

from typing import Final
from uuid import UUID

from services.gateway.fhir.auth import Caller
from services.gateway.fhir.door import Door
from services.gateway.fhir.outcome import FhirError, refused
from services.gateway.fhir.resources import Found
from services.gateway.fhir.write.answering import Place
from services.gateway.fhir.write.contents import Told
from shared.events.base import Identifier
from shared.events.inbound import ConsentNotice
from shared.identifiers import consent_id, referral_id

IF_MATCH: Final = "http.If-Match"


def place_at(kind: str, id: str, at: str) -> Place:
    """Return the place that an address names; raises FhirError 404, `at` the resource's FHIRPath."""
    try:
        known = UUID(id)
    except ValueError:
        known = None
    if known is None or str(known) != id:
        raise _nothing_there(at)
    return Place(kind, known)


def expect_id(told: str | None, place: Place, at: str) -> None:
    """Refuse a resource that says it has another id than its address; raises FhirError 400."""
    if told != str(place.id):
        raise refused(400, "invalid", "The id has to be that of the address.", f"{at}.id")


async def expect_version(
    door: Door, caller: Caller, place: Place, if_match: str, at: str = IF_MATCH
) -> Found | None:
    """Return the resource as it is now; raises FhirError 412 where that is not the version named."""
    found = await door.resources.read(caller, place.kind, place.id)
    named = if_match.strip()
    if named != "*" and (found is None or named.removeprefix("W/").strip('"') != found.tag):
        sentence = "The resource has another version than the one named: read it again."
        raise refused(412, "conflict", sentence, at)
    return found


def expect_place(door: Door, told: Told, place: Place, at: str) -> None:
    """Refuse an update at an address where the referral with this number is not; raises FhirError 404."""
    match told.message:
        case ConsentNotice(source=source, number=Identifier() as number):
            here = consent_id(source, number, door.identifier_key)
        case ConsentNotice():
            here = place.id
        case message:
            number = getattr(message, "placer", None)
            here = referral_id(number, door.identifier_key) if isinstance(number, Identifier) else place.id
    if here != place.id:
        raise _nothing_there(at, "; a new one is created by POST")


def _nothing_there(at: str, more: str = "") -> FhirError:
    sentence = f"There is no such resource, or not for this source{more}."
    return refused(404, "not-found", sentence, f"{at}.id")
