"""What the routes work with: who asks, where to store, what to read."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from litestar import Request
from litestar.datastructures import State
from msgspec import Struct

from services.gateway.fhir.auth import Authority, Caller, authenticated
from services.gateway.fhir.media import Media, answers_in
from services.gateway.fhir.resources import Resources
from services.gateway.profiles import Profiles
from shared.eventlog.log import Log

FhirRequest = Request[Any, Any, State]

Publish = Callable[[str, bytes, dict[str, str]], Awaitable[int]]
"""Stores a payload under a subject, with headers; raises LogUnavailableError unless it is durable."""


class Door(Struct, frozen=True, kw_only=True):
    """One a process; given to every route, of reading and of writing."""

    authority: Authority
    resources: Resources
    publish: Publish
    largest_payload: Callable[[], int]  # bytes that the log's server takes now
    log: Log
    identifier_key: str  # secret of the keyed hash that a referral's id is made of
    profiles: Callable[[], Profiles]  # of the senders of HL7 v2, which may come by HTTP, too
    base_url: str | None = None  # as the world sees us; None: as the request says

    def caller(self, request: FhirRequest) -> Caller:
        """Return who asks; raises FhirError 401."""
        return authenticated(request.headers.get("authorization"), self.authority)

    def media(self, request: FhirRequest) -> Media:
        """Return how to answer; raises FhirError 406."""
        return media_of(request)

    def base(self, request: FhirRequest) -> str:
        """Return the address of the FHIR base, without a slash at its end."""
        return (self.base_url or f"{request.base_url}fhir").rstrip("/")


def media_of(request: FhirRequest, form: Iterable[tuple[str, str]] = ()) -> Media:
    """Return how to answer a request, where a form may say it, too; raises FhirError 406."""
    told = dict(form).get("_format") or request.query_params.get("_format")
    return answers_in(request.headers.get("accept", ""), told)
