"""The document, made of the routes themselves: one that is not described keeps the door from opening."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from services.gateway.fhir.door import Door, FhirRequest
from services.gateway.fhir.openapi.operations import operation
from services.gateway.fhir.openapi.schemas import components

_CONVERTER: Final = re.compile(r"\{(\w+):\w+\}")
_VERSION: Final = "3.1.0"
_INFO: Final = {
    "title": "Throughcare, the hospital edge",
    "version": "1",
    "description": "FHIR R4, as /fhir/metadata says it in FHIR's words. What takes GET takes HEAD, too.",
}
_SECURITY: Final = {
    "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "description": "One of the source's."}}
}


def openapi_route(door: Door, routes: Sequence[HTTPRouteHandler]) -> HTTPRouteHandler:
    """Return the route that serves the document of these routes and itself. Raises LookupError, see above."""

    @get("/fhir/openapi.json")
    async def openapi(request: FhirRequest) -> Response[bytes]:
        origin = door.base(request).removesuffix("/fhir")
        told = {**document, "servers": [{"url": origin or "/"}]}
        return Response(msgspec.json.encode(told), media_type="application/json")

    document = _document([*routes, openapi])
    return openapi


def _document(routes: Sequence[HTTPRouteHandler]) -> Mapping[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    for handler in routes:
        for path in sorted(_CONVERTER.sub(r"{\1}", each) for each in handler.paths):
            for method in sorted(handler.http_methods):
                paths.setdefault(path, {})[method.lower()] = operation(method, path)
    return {
        "openapi": _VERSION,
        "info": _INFO,
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {"schemas": components(), **_SECURITY},
    }
