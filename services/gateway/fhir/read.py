"""Reading: metadata, one resource, and searches."""

from collections.abc import Sequence

from litestar.handlers import HTTPRouteHandler

from services.gateway.fhir.door import Door


def read_routes(door: Door) -> Sequence[HTTPRouteHandler]:
    """Return the routes of the reading side."""
    return ()
