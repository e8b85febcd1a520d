"""An independent reading of FHIR R4: fhir.resources' models of R4B, with the codes that they allow."""

from collections.abc import Iterable
from importlib import import_module
from typing import Any, cast

from pydantic import BaseModel

Json = dict[str, Any]

_EXAMPLES_ONLY = frozenset({"format"})  # any media type is allowed


def expect_valid(resource: Json) -> None:
    """Raise where the resource is not R4: an element, its type, its number, or a code of a required set."""
    kind: str = resource["resourceType"]
    model = cast("type[BaseModel]", getattr(import_module(f"fhir.resources.R4B.{kind.lower()}"), kind))
    wrong = list(_wrong_codes(model.model_validate(resource), kind))
    assert not wrong, wrong


def _wrong_codes(element: BaseModel, path: str) -> Iterable[str]:
    for name, field in type(element).model_fields.items():
        extra = cast("dict[str, Any]", field.json_schema_extra or {})
        allowed: list[object] = extra.get("enum_values") or []
        is_whole = bool(allowed) and "+" not in allowed and name not in _EXAMPLES_ONLY
        for each in _each(getattr(element, name)):
            if isinstance(each, BaseModel):
                yield from _wrong_codes(each, f"{path}.{name}")
            elif is_whole and each not in allowed:
                yield f"{path}.{name} = {each}"


def _each(value: object) -> Iterable[object]:
    if isinstance(value, list):
        return cast("list[object]", value)
    return () if value is None else (value,)
