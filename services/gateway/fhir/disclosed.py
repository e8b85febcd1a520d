"""A resource as it leaves: with the notice on redisclosure, or without the words that need a consent."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from shared.disclosure import NOTICE
from shared.fhir import LOCAL

WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "Task": ("statusReason", "output", "note"),
    "Appointment": ("cancelationReason", "comment"),
}
"""Elements of a source's own resources that hold what the program says freely; the rest is how far it is."""

REDUCED: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
}
RESTRICTED: Final = (
    {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "NORDSCLCD"},
    {"system": LOCAL + "code-system:notice", "code": "42-cfr-2.32", "display": NOTICE},
)

_Object = dict[str, Any]


def has_words(kind: str, body: bytes) -> bool:
    """Tell whether a resource says something that needs a consent."""
    return any(f'"{name}":'.encode() in body for name in WORDS.get(kind, ()))


def with_notice(body: bytes) -> bytes:
    """Return the resource with labels that restrict what its reader may do with it (42 CFR 2.32)."""
    resource = _read(body)
    meta = _meta(resource)
    meta["security"] = [*meta.get("security", ()), *RESTRICTED]
    return _written(resource, meta)


def without_words(kind: str, body: bytes) -> bytes:
    """Return the resource reduced to what may always be said, marked as not whole."""
    kept = {name: value for name, value in _read(body).items() if name not in WORDS.get(kind, ())}
    meta = _meta(kept)
    meta["tag"] = [*meta.get("tag", ()), REDUCED]
    return _written(kept, meta)


def _read(body: bytes) -> dict[str, msgspec.Raw]:
    return msgspec.json.decode(body, type=dict[str, msgspec.Raw])


def _meta(resource: Mapping[str, msgspec.Raw]) -> _Object:
    told = resource.get("meta")
    return msgspec.json.decode(told, type=_Object) if told else {}


def _written(resource: dict[str, msgspec.Raw], meta: _Object) -> bytes:
    return msgspec.json.encode({**resource, "meta": meta})
