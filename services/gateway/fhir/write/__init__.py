"""The writing side: messages, transactions, resources. It translates and stores, and decides nothing."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from litestar.handlers import HTTPRouteHandler
from msgspec import Struct

from services.gateway.fhir.door import Door
from services.gateway.fhir.write.bundles import bundle_routes
from services.gateway.fhir.write.resource_routes import (
    CONDITIONAL,
    CREATED,
    PATCHED,
    REPLACED,
    resource_routes,
)
from services.gateway.fhir.write.resource_routes import PATCH_FORMATS as PATCH_FORMATS
from services.gateway.fhir.write.subscription import subscription_routes
from services.gateway.fhir.write.upload import upload_routes

Interaction = Literal["create", "update", "patch", "delete", "read", "search-type"]


class Operation(Struct, frozen=True):
    """An operation of the whole server, as the CapabilityStatement tells it: ``process-message``."""

    name: str
    definition: str  # canonical URL of its OperationDefinition


def _interactions(kind: str) -> tuple[Interaction, ...]:
    told: dict[Interaction, bool] = {
        "create": kind in CREATED,
        "update": kind in REPLACED,
        "patch": kind == PATCHED,
    }
    return tuple(name for name, is_so in told.items() if is_so)


INTERACTIONS: Final[Mapping[str, tuple[Interaction, ...]]] = {
    **{kind: _interactions(kind) for kind in CREATED},
    "Subscription": ("create", "read", "search-type", "delete"),
}
"""What may be written, by resource type; the CapabilityStatement says no more and no less."""

CONDITIONAL_CREATE: Final[frozenset[str]] = frozenset({CONDITIONAL})
"""Types that are created by identifier with If-None-Exist."""

OPERATIONS: Final[tuple[Operation, ...]] = (
    Operation("process-message", "http://hl7.org/fhir/OperationDefinition/MessageHeader-process-message"),
)
SYSTEM_INTERACTIONS: Final[tuple[Literal["transaction", "batch"], ...]] = ("transaction", "batch")


def write_routes(door: Door) -> Sequence[HTTPRouteHandler]:
    """Return the routes of the writing side: FHIR's begin with /fhir, batches of messages go to /batch."""
    return [
        *bundle_routes(door),
        *resource_routes(door),
        *subscription_routes(door),
        *upload_routes(door),
    ]
