"""The writing side: messages, transactions, resources. It translates and stores, and decides nothing."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from litestar.handlers import HTTPRouteHandler
from msgspec import Struct

from services.gateway.fhir.door import Door

Interaction = Literal["create", "update", "patch", "delete"]


class Operation(Struct, frozen=True):
    """An operation of the whole server, as the CapabilityStatement tells it: ``process-message``."""

    name: str
    definition: str  # canonical URL of its OperationDefinition


INTERACTIONS: Final[Mapping[str, tuple[Interaction, ...]]] = {}
"""What may be written, by resource type; the CapabilityStatement says no more and no less."""

CONDITIONAL_CREATE: Final[frozenset[str]] = frozenset()
"""Types that are created by identifier with If-None-Exist."""

OPERATIONS: Final[tuple[Operation, ...]] = ()
SYSTEM_INTERACTIONS: Final[tuple[Literal["transaction", "batch"], ...]] = ()


def write_routes(door: Door) -> Sequence[HTTPRouteHandler]:
    """Return the routes of the writing side; their paths begin with /fhir."""
    return ()
