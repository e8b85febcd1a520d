"""JSON schemas: of bodies as they are read, of answers as they are written."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, cast

import msgspec

from services.gateway.fhir.outcome import OperationOutcome
from services.gateway.fhir.write.resources import (
    Bundle,
    Consent,
    Observation,
    QuestionnaireResponse,
    ServiceRequest,
    Task,
    TaskChange,
)
from services.gateway.fhir.write.subscription import Subscription
from services.gateway.fhir.write.task import Step

Schema = Mapping[str, Any]

_BELOW: Final = "#/components/schemas/"
_READ: Final = (
    Bundle,
    Consent,
    Observation,
    QuestionnaireResponse,
    ServiceRequest,
    Subscription,
    Task,
    TaskChange,
    Step,
)
_BODIES: Final = {kind.__name__: kind for kind in _READ}
_DEFINED: Final = "http://hl7.org/fhir/R4"


def body_of(kind: str) -> Schema:
    """Return the schema of a resource that is sent; of one that we read as it comes, that it is one."""
    if kind not in _BODIES:
        return _resource(kind)
    return {"allOf": [{"$ref": f"{_BELOW}{kind}"}, _resource(kind)]}


def answer_of(kind: str) -> Schema:
    """Return the schema of a resource that is read: FHIR's own definition says the rest."""
    known = {"id": {"type": "string"}, "meta": {"type": "object"}}
    told = _resource(kind)
    return {
        **told,
        "required": ["resourceType", "id", "meta"],
        "properties": {**told["properties"], **known},
        "externalDocs": {"url": f"{_DEFINED}/{kind.lower()}.html"},
    }


def bundle_of(*types: str) -> Schema:
    """Return the schema of a Bundle that answers."""
    told = _resource("Bundle")
    entries = {"type": "array", "minItems": 1, "items": {"type": "object"}}
    return {
        **told,
        "required": ["resourceType", "type"],
        "properties": {**told["properties"], "type": {"enum": list(types)}, "entry": entries},
    }


def ref(name: str) -> Schema:
    """Return where a component stands."""
    return {"$ref": f"{_BELOW}{name}"}


@cache
def components() -> Schema:
    """Return every schema that is referred to, by name."""
    _, told = msgspec.json.schema_components([*_READ, OperationOutcome], ref_template=f"{_BELOW}{{name}}")
    return {name: _as_read(schema) for name, schema in told.items()}


def _resource(kind: str) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["resourceType"],
        "properties": {"resourceType": {"const": kind}},
    }


def _as_read(told: object) -> Any:  # noqa: ANN401 -- a part of a schema
    """Leave out the defaults: they say what we take for an element that is absent, not what it may be."""
    if isinstance(told, dict):
        parts = cast("dict[str, object]", told)
        return {name: _as_read(each) for name, each in parts.items() if name != "default"}
    if isinstance(told, list):
        return [_as_read(each) for each in cast("list[object]", told)]
    return told
