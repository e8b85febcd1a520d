"""The golden JSON Schemas of event data, and what a change to one of them may not do.

The log keeps every message for ever: a version may take more than before, never less. Any other change is
a new version, with an upcaster from the one before.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from shared.events.base import EventData
from shared.events.registry import REGISTRY, Registry, schema_uri

Schema = Mapping[str, Any]

GOLDEN: Final = Path(__file__).parent / "schemas"
SAMPLES: Final = Path(__file__).parent / "samples"

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_LOWER_BOUNDS: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER_BOUNDS: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_ANYTHING: Final[Schema] = {}
_FORMS: Final = ("pattern", "format", "multipleOf")


def schema_of(cls: type[EventData], registry: Registry = REGISTRY) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of an event's data in its current version."""
    uri = schema_uri(registry.type_of(cls), cls.version)
    return {"$schema": _DIALECT, "$id": uri, **msgspec.json.schema(cls)}


def file_name(cls: type[EventData], registry: Registry = REGISTRY) -> str:
    """Return the name of the golden file and of the stored sample of an event's current version."""
    return f"{registry.type_of(cls)}.v{cls.version}.json"


def golden(registry: Registry = REGISTRY) -> dict[str, str]:
    """Return what the golden files of the current versions should hold, by file name."""
    return {
        file_name(cls, registry): json.dumps(schema_of(cls, registry), indent=2) + "\n"
        for cls in registry.types.values()
    }


class IncompatibleSchemaError(Exception):
    """A version's schema would refuse stored messages; the text names every reason, and the way out."""


def write_golden(directory: Path = GOLDEN, registry: Registry = REGISTRY) -> list[Path]:
    """Write the golden files of the current versions, and return those that changed.

    Files of earlier versions stay. Raises IncompatibleSchemaError, and writes nothing, where a file would be
    replaced by a schema that is not compatible with it.
    """
    if refusals := incompatible(directory, registry):
        raise IncompatibleSchemaError("\n".join((*refusals, "Add a version and an upcaster instead.")))
    directory.mkdir(parents=True, exist_ok=True)
    changed = [directory / name for name in outdated(directory, registry)]
    texts = golden(registry)
    for path in changed:
        path.write_text(texts[path.name], encoding="utf-8")
    return changed


def incompatible(directory: Path = GOLDEN, registry: Registry = REGISTRY) -> list[str]:
    """Return why schemas of the code are not compatible with the golden files, a sentence each."""
    texts = golden(registry)
    return [
        f"{path.stem}: {sentence}"
        for path in sorted(directory.glob("*.json"))
        if path.name in texts
        for sentence in compatible(json.loads(path.read_text(encoding="utf-8")), json.loads(texts[path.name]))
    ]


def outdated(directory: Path = GOLDEN, registry: Registry = REGISTRY) -> list[str]:
    """Return the names of golden files that are missing or differ from the code."""
    return [name for name, text in golden(registry).items() if _text_of(directory / name) != text]


def _text_of(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def compatible(old: Schema, new: Schema) -> list[str]:
    """Return what a changed schema refuses or reads otherwise of what the old one allowed: a sentence each.

    None means that every message stored under the old schema is read as before.
    """
    return list(dict.fromkeys(_Comparison(old, new).differences(old, new, "data")))


class _Comparison:
    """Two schemas with the definitions that their references name."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self._old = cast("Schema", old.get("$defs", {}))
        self._new = cast("Schema", new.get("$defs", {}))

    def differences(self, old: Schema, new: Schema, where: str) -> Iterable[str]:
        """Say for each alternative of the old schema why no alternative of the new one takes it."""
        offered = _alternatives(new, self._new)
        for wanted in _alternatives(old, self._old):
            kin = [one for one in offered if _takes_type(one, wanted)]
            if not kin:
                yield f"{where} may no longer be {_name(wanted)}."
            else:
                yield from min((list(self._narrowed(wanted, one, where)) for one in kin), key=len)

    def _narrowed(self, old: Schema, new: Schema, where: str) -> Iterable[str]:
        yield from _values(old, new, where)
        yield from _bounds(old, new, where)
        for form in _FORMS:
            if form in new and new[form] != old.get(form):
                yield f"{where} has another {form} than before."
        yield from self._items(old, new, where)
        yield from self._properties(old, new, where)

    def _items(self, old: Schema, new: Schema, where: str) -> Iterable[str]:
        for form, label in (("items", "an item of"), ("additionalProperties", "a value of")):
            before, after = old.get(form), new.get(form)
            if isinstance(after, dict):
                known: Schema = cast("Schema", before) if isinstance(before, dict) else _ANYTHING
                yield from self.differences(known, cast("Schema", after), f"{label} {where}")
            elif after is False and before is not False:
                yield f"{where} no longer takes {'items' if form == 'items' else 'other properties'}."
        places = zip(_prefix(old), _prefix(new), strict=False)
        for place, (before, after) in enumerate(places, start=1):
            yield from self.differences(before, after, f"item {place} of {where}")
        if len(_prefix(old)) != len(_prefix(new)):
            yield f"{where} has another number of items than before."

    def _properties(self, old: Schema, new: Schema, where: str) -> Iterable[str]:
        before = cast("Mapping[str, Schema]", old.get("properties", {}))
        after = cast("Mapping[str, Schema]", new.get("properties", {}))
        for name, schema in before.items():
            if name not in after:
                yield f"{where}.{name} was removed or renamed."
                continue
            yield from self.differences(schema, after[name], f"{where}.{name}")
            if _default(schema) != _default(after[name]):
                yield f"{where}.{name} has another default: what was left out would mean something else."
        for name in sorted({*new.get("required", ())} - {*old.get("required", ())}):
            yield f"{where}.{name} is newly required."


def _alternatives(schema: Schema, definitions: Schema) -> list[Schema]:
    """Return the schemas of which a value needs to meet one."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return _alternatives(cast("Schema", definitions[name]), definitions)
    if "anyOf" in schema:
        options = cast("list[Schema]", schema["anyOf"])
        return [one for option in options for one in _alternatives(option, definitions)]
    return [schema]


def _type_of(schema: Schema) -> str | None:
    """Return the JSON type; msgspec leaves it out where values are listed."""
    if "type" in schema:
        return str(schema["type"])
    values = _listed(schema)
    if values is None:
        return None
    return "string" if all(isinstance(value, str) for value in values) else "integer"


def _takes_type(new: Schema, old: Schema) -> bool:
    wanted, offered = _type_of(old), _type_of(new)
    return offered is None or wanted == offered or (wanted, offered) == ("integer", "number")


def _name(schema: Schema) -> str:
    return f"of type {_type_of(schema) or 'any'}"


def _listed(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    return cast("list[Any] | None", schema.get("enum"))


def _values(old: Schema, new: Schema, where: str) -> Iterable[str]:
    offered, before = _listed(new), _listed(old)
    if offered is None:
        return
    if before is None:
        yield f"{where} takes only listed values now."
        return
    for gone in (value for value in before if value not in offered):
        yield f"{where} may no longer be {json.dumps(gone)}."


def _bounds(old: Schema, new: Schema, where: str) -> Iterable[str]:
    for bound in (*_LOWER_BOUNDS, *_UPPER_BOUNDS):
        if bound not in new:
            continue
        rising = bound in _LOWER_BOUNDS
        if bound not in old or (new[bound] > old[bound] if rising else new[bound] < old[bound]):
            yield f"{where} has a tighter {bound} than before."


def _prefix(schema: Schema) -> list[Schema]:
    return cast("list[Schema]", schema.get("prefixItems", []))


def _default(schema: Schema) -> str:
    return json.dumps(schema.get("default", "none"), sort_keys=True)
