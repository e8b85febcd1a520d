"""The FHIR application: its routes, and the OperationOutcome that every error becomes."""

from collections.abc import Callable
from typing import Any, Final

import structlog
from litestar import Litestar, Response
from litestar.exceptions import HTTPException

from services.gateway.fhir.answers import answer
from services.gateway.fhir.door import Door, FhirRequest, media_of
from services.gateway.fhir.media import FHIR_JSON, Media
from services.gateway.fhir.methods import allowed, options_routes
from services.gateway.fhir.openapi import openapi_route
from services.gateway.fhir.outcome import FhirError, Issue, IssueType, outcome
from services.gateway.fhir.read import read_routes
from services.gateway.fhir.write import write_routes
from shared.eventlog.errors import LogUnavailableError
from shared.telemetry import failure

_log = structlog.get_logger()

_SENTENCES: Final[dict[int, tuple[IssueType, str, str]]] = {
    400: ("invalid", "The request cannot be read.", "http.request"),
    404: (
        "not-found",
        "There is nothing at this address (case counts); GET /fhir/metadata says what there is.",
        "http.path",
    ),
    405: ("not-supported", "This address does not take this method.", "http.method"),
    413: ("too-long", "The body is longer than is taken.", "http.body"),
}
_OTHER: Final[tuple[IssueType, str, str]] = ("processing", "The request cannot be answered.", "http.request")
_HISTORY: Final[tuple[IssueType, str, str]] = (
    "not-supported",
    "Earlier versions are not kept here: a resource is read as it is now; Provenance tells what changed it.",
    "http.path",
)
_NOT_FOUND: Final = 404
_PLAIN: Final = "identity"
_RETRY: Final = {"Retry-After": "5"}


def application(door: Door, *, largest_body: int) -> Litestar:
    """Return the ASGI application; `largest_body` in bytes."""
    described = [*read_routes(door), *write_routes(door)]
    routes = [*described, openapi_route(door, described)]
    return Litestar(
        route_handlers=[*options_routes(routes), *routes],
        before_request=_expect_plain,
        exception_handlers={**_HANDLERS},
        request_max_body_size=largest_body,
        openapi_config=None,
        logging_config=None,
    )


async def _expect_plain(request: FhirRequest) -> None:
    """Refuse a compressed body by its name: read as it is, it would only be no JSON. Raises FhirError 415."""
    if request.headers.get("content-encoding", _PLAIN).lower() != _PLAIN:
        issue = Issue("error", "not-supported", "The body has to be plain.", ("http.Content-Encoding",))
        raise FhirError(415, [issue], {"Accept-Encoding": _PLAIN})


def _refused(request: FhirRequest, error: FhirError) -> Response[bytes]:
    return answer(outcome(error.issues), _media(request), error.status, error.headers)


def _of_http(request: FhirRequest, error: HTTPException) -> Response[bytes]:
    """What Litestar itself refuses. Its own text is not shown: it may quote the address."""
    status = error.status_code
    is_of_history = status == _NOT_FOUND and "_history" in request.scope["path"].split("/")
    code, sentence, where = _HISTORY if is_of_history else _SENTENCES.get(status, _OTHER)
    allow = (error.headers or {}).get("allow")
    headers = {"Allow": allowed(allow.split(","))} if allow else {}
    if allow:
        sentence = f"This address takes {headers['Allow']}; GET /fhir/metadata says what there is."
    issues = [Issue("error", code, sentence, (where,))]
    return answer(outcome(issues), _media(request), status, headers)


def _not_stored(request: FhirRequest, _: LogUnavailableError) -> Response[bytes]:
    issue = Issue("error", "transient", "It could not be stored now; please send it again later.")
    return answer(outcome([issue]), _media(request), 503, _RETRY)


def _fault(request: FhirRequest, error: Exception) -> Response[bytes]:
    _log.error("fhir-request-failed", **failure(error))
    issue = Issue("fatal", "exception", "The request failed for a fault of the receiver.")
    return answer(outcome([issue]), _media(request), 500)


def _media(request: FhirRequest) -> Media:
    """An error is answered also to who accepts nothing that we speak."""
    try:
        return media_of(request)
    except FhirError:
        return FHIR_JSON


_HANDLERS: Final[dict[int | type[Exception], Callable[[Any, Any], Response[Any]]]] = {
    FhirError: _refused,
    HTTPException: _of_http,
    LogUnavailableError: _not_stored,
    Exception: _fault,
}
