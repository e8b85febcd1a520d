"""What a request may say beside its body: search parameters out of the table of searches, and headers."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.gateway.fhir.dates import DATE
from services.gateway.fhir.served import (
    SEARCHED,
    Include,
    Matches,
    Parameter,
    includes,
    reverse_includes,
)

Told = Mapping[str, Any]

# A parameter without a value is as if it were not there (R4 search, 3.1.1.4).
_STRING: Final = {"type": "string"}
_WHOLE: Final = {"type": "string", "pattern": "^[0-9]{0,7}$"}
_WHEN: Final = {"type": "string", "pattern": f"^({DATE})?$"}
_SCHEMAS: Final[Mapping[Matches, Told]] = {"updated": _WHEN, "birth-date": _WHEN}
_NAMED: Final = r"([^,]*\|)?[^|,]+"
_VALUED: Final = {"type": "string", "pattern": f"^({_NAMED}(,{_NAMED})*)?$"}


def id_() -> Told:
    """Return the id in an address."""
    return {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def searched(kind: str) -> Sequence[Told]:
    """Return the parameters of a search by GET."""
    return [_query(name, schema, text) for name, (schema, text) in _search(kind).items()]


def form(kind: str) -> Told:
    """Return the form of a search by POST."""
    told = {name: {**schema, "description": text} for name, (schema, text) in _search(kind).items()}
    return {"type": "object", "properties": told}


def format_() -> Told:
    """Return the parameter that wins over Accept."""
    return _query("_format", *_RESULT["_format"])


def header(name: str) -> Told:
    """Return a header that matters."""
    schema, text = _HEADERS[name]
    return {"name": name, "in": "header", "description": text, "schema": schema}


def _query(name: str, schema: Told, text: str) -> Told:
    return {"name": name, "in": "query", "description": text, "schema": schema}


def _search(kind: str) -> Mapping[str, tuple[Told, str]]:
    parameters = SEARCHED[kind]
    own = {each.name: (_schema(each), each.documentation) for each in parameters}
    for name in [each.name for each in parameters if each.matches == "patient"]:
        own[f"{name}.identifier"] = (
            _VALUED,
            "Finds by an identifier of the patient: system|value, or value.",
        )
    for name in [each.name for each in parameters if each.type == "string"]:
        own[f"{name}:exact"] = (_STRING, "All of it, as written.")
        own[f"{name}:contains"] = (_STRING, "Anywhere in it, whatever its case and accents.")
    along = {"_include": includes(kind), "_revinclude": reverse_includes(kind)}
    return {**own, **{name: _along(told) for name, told in along.items() if told}, **_RESULT}


def _along(told: Sequence[Include]) -> tuple[Told, str]:
    return {"enum": ["", *(each.name for each in told)]}, "What comes along with the matches."


def _schema(parameter: Parameter) -> Told:
    if parameter.matches == "identifier":
        return _VALUED
    return _SCHEMAS.get(parameter.matches, _STRING)


_RESULT: Final[Mapping[str, tuple[Told, str]]] = {
    "_count": (_WHOLE, "Entries of a page."),
    "_sort": (_STRING, "_lastUpdated, or -_lastUpdated for the newest first; others are ignored."),
    "_summary": ({"enum": ["", "count", "false", "true", "text", "data"]}, "count: the number only."),
    "_total": ({"enum": ["", "accurate", "estimate", "none"]}, "Totals are always accurate."),
    "_format": ({"enum": ["json", "application/fhir+json", "application/json"]}, "Wins over Accept."),
}
_HEADERS: Final[Mapping[str, tuple[Told, str]]] = {
    "Prefer": (
        _STRING,
        "return=minimal, representation or OperationOutcome; respond-sync, wait=<seconds>; handling=strict.",
    ),
    "If-None-Match": (_STRING, "Versions that the caller has: 304 where one of them is the current one."),
    "If-Match": (_STRING, "The version that is changed: 412 where there is another by now."),
    "If-None-Exist": (_STRING, "identifier=system|value: create it unless it is there."),
    "Idempotency-Key": (
        {"type": "string", "minLength": 1, "maxLength": 255},
        "Names the batch, so that it goes on where it stopped.",
    ),
}
