"""The CapabilityStatement, made of the tables that also make the routes: it cannot say what is not so."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from services.gateway.fhir.media import FHIR_JSON, JSON
from services.gateway.fhir.served import SEARCHED, SERVED, Parameter, includes, reverse_includes
from services.gateway.fhir.write import (
    CONDITIONAL_CREATE,
    INTERACTIONS,
    OPERATIONS,
    PATCH_FORMATS,
    SYSTEM_INTERACTIONS,
)
from shared.fhir import FHIR_VERSION

_PUBLISHED: Final = "2026-11-22"
_SECURITY: Final = (
    "A bearer token in the Authorization header, of the source that asks. It sees people of whom it told us, "
    "or who carry an identifier of its own, and of referrals and stays those that it sent; "
    "what the program recorded, and what it says freely in those, under a participant's Consent only."
)
_SERVICE: Final = "http://terminology.hl7.org/CodeSystem/restful-security-service"


def capability_statement(base: str) -> bytes:
    """Return the resource as JSON; `base` is the address of the FHIR base."""
    kinds = sorted({*SERVED, *INTERACTIONS})
    rest: dict[str, Any] = {
        "mode": "server",
        "documentation": (
            "Searches answer in the order of _lastUpdated, with _sort=-_lastUpdated the newest first; "
            "follow the next links. A parameter that is not known is refused where it would narrow the "
            "search, and otherwise ignored with a warning; Prefer: handling=strict refuses, handling=lenient "
            "ignores every one. Transactions and batches hold creates and updates only."
        ),
        "security": {
            "service": [{"coding": [{"system": _SERVICE, "code": "OAuth"}], "text": "Bearer token"}],
            "description": _SECURITY,
        },
        "resource": [_resource(kind) for kind in kinds],
    }
    if SYSTEM_INTERACTIONS:
        rest["interaction"] = [{"code": code} for code in SYSTEM_INTERACTIONS]
    if OPERATIONS:
        rest["operation"] = [{"name": each.name, "definition": each.definition} for each in OPERATIONS]
    return msgspec.json.encode({**_head(base), "rest": [rest]})


def _head(base: str) -> Mapping[str, Any]:
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": _PUBLISHED,
        "kind": "instance",
        "software": {"name": "Throughcare"},
        "implementation": {"description": "Throughcare, the hospital edge", "url": base},
        "fhirVersion": FHIR_VERSION,
        "format": [FHIR_JSON, JSON],
        "patchFormat": list(PATCH_FORMATS),
    }


def _resource(kind: str) -> Mapping[str, Any]:
    read = ["read", "search-type"] if kind in SERVED else []
    told: dict[str, Any] = {
        "type": kind,
        "interaction": [{"code": code} for code in [*read, *INTERACTIONS.get(kind, ())]],
        "versioning": "versioned",
        "readHistory": False,
        "updateCreate": False,
        "conditionalCreate": kind in CONDITIONAL_CREATE,
        "conditionalRead": "not-match" if kind in SEARCHED else "not-supported",
    }
    if parameters := SEARCHED.get(kind):
        told["searchParam"] = [_parameter(each) for each in parameters]
        if along := [each.name for each in includes(kind)]:
            told["searchInclude"] = along
        if along := [each.name for each in reverse_includes(kind)]:
            told["searchRevInclude"] = along
    return told


def _parameter(parameter: Parameter) -> Mapping[str, str]:
    return {"name": parameter.name, "type": parameter.type, "documentation": parameter.documentation}
