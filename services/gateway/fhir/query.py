"""A search as it is asked: parameters read, what is unknown named, and a place to go on from."""

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, Literal, cast
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec
from msgspec import Struct

from services.gateway.fhir.dates import DateParameter, date_parameter
from services.gateway.fhir.outcome import FhirError, Issue, refused, warning
from services.gateway.fhir.served import (
    MOST,
    SEARCHED,
    USUAL,
    Include,
    Parameter,
    Part,
    includes,
    is_chained,
    reverse_includes,
)

Pairs = Sequence[tuple[str, str]]
Handling = Literal["strict", "usual", "lenient"]
"""Of a parameter that is not known: refused; refused where it would narrow the search; passed over."""
How = Literal["begins", "exact", "contains"]

CURSOR: Final = "_cursor"
_MOST_FIELDS: Final = 100
_MOST_NAMES: Final = 10  # each is compared with everybody's
_IGNORED: Final = frozenset({"_format", "_pretty"})
_KNOWN: Final = {
    "_summary": ("count", "data", "false", "text", "true"),
    "_total": ("accurate", "estimate", "none"),
}
_NARROWING: Final = frozenset(
    {"_id", "_lastUpdated", "_tag", "_profile", "_security", "_text", "_content", "_list", "_has", "_type"}
    | {"_filter", "_query"}
)
"""Parameters of all types that find less (R4 search, 3.1.1.3); others that begin so say how it is shown."""
_COMMA: Final = re.compile(r"(?<!\\),")
_ESCAPED: Final = re.compile(r"\\([\\,$|])")
_HOW: Final[dict[str, How]] = {"": "begins", "exact": "exact", "contains": "contains"}
_NOT_HERE: Final = UUID(int=0)


class Cursor(Struct, frozen=True, array_like=True):
    """The last entry of a page: the next one begins behind it."""

    last_updated: datetime
    id: UUID


class Text(Struct, frozen=True):
    """Alternatives that a part of a name is compared with."""

    part: Part
    how: How
    values: list[str]


class Query(Struct, kw_only=True):
    """What is asked; lists of alternatives all have to hold."""

    kind: str
    ids: list[list[UUID]] = []
    updated: list[DateParameter] = []
    identifiers: list[list[str]] = []  # "system|value" or "|value", in lower case
    patients: list[list[UUID]] = []
    patient_identifiers: list[list[str]] = []
    statuses: list[list[str]] = []
    steps: list[list[str]] = []  # of a referral: Task.businessStatus
    names: list[Text] = []
    born: list[DateParameter] = []
    genders: list[list[str]] = []
    count: int = USUAL
    newest_first: bool = False
    only_total: bool = False
    included: list[Include] = []
    after: Cursor | None = None
    asked: list[tuple[str, str]] = []  # as it was understood, for links
    warnings: list[Issue] = []


def pairs_of(text: bytes) -> Pairs:
    """Read a query string or a form; raises FhirError 400."""
    try:
        pairs = parse_qsl(
            text.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"
        )
    except (UnicodeDecodeError, ValueError):
        raise refused(400, "invalid", "The search parameters cannot be read.", "http.query") from None
    if any("\0" in value for _, value in pairs):
        raise refused(400, "value", "No value has the character NUL in it.", "http.query")
    return pairs


def query_of(kind: str, pairs: Pairs, handling: Handling = "usual") -> Query:
    """Read a search; raises FhirError 400, for a parameter that is not known as `handling` says.

    Left out, one that narrows would show more people than was asked for: more than is necessary.
    """
    query = Query(kind=kind)
    parameters = {parameter.name: parameter for parameter in SEARCHED[kind]}
    for name, value in pairs:
        if name in _IGNORED:
            continue
        if not value:  # R4 search, 3.1.1.4: no error
            query.warnings.append(warning("A parameter without a value was ignored.", _where(name)))
            continue
        if _take(query, parameters, name, value):
            query.asked.append((name, value))
        elif handling == "strict" or (handling == "usual" and _narrows(name)):
            raise _unknown(name)
        else:
            query.warnings.append(warning("A parameter that is not known was ignored.", _where(name)))
    return query


def handling_of(prefer: str) -> Handling:
    """Read what the header Prefer says of parameters that are not known."""
    told = prefer.replace(" ", "").lower()
    if "handling=strict" in told:
        return "strict"
    return "lenient" if "handling=lenient" in told else "usual"


def _narrows(name: str) -> bool:
    return not name.startswith("_") or name.partition(":")[0] in _NARROWING


def _take(query: Query, parameters: dict[str, Parameter], name: str, value: str) -> bool:
    """Take a parameter in; False where it is not known."""
    if is_chained(query.kind, name):
        query.patient_identifiers.append(_identifiers(name, value))
        return True
    bare, _, modifier = name.partition(":")
    parameter = parameters.get(bare)
    if parameter is None:
        return _result(query, name, value)
    if parameter.type == "string" and modifier in _HOW:
        part = cast("Part", parameter.matches)
        had = sum(len(each.values) for each in query.names)
        query.names.append(Text(part, _HOW[modifier], _texts(bare, value, had)))
        return True
    if modifier and not (parameter.matches == "patient" and modifier == "Patient"):
        raise refused(400, "not-supported", "This modifier is not known for this parameter.", _where(bare))
    _match(query, parameter, value)
    return True


def _match(query: Query, parameter: Parameter, value: str) -> None:
    name, tokens = parameter.name, {"status": query.statuses, "step": query.steps, "gender": query.genders}
    match parameter.matches:
        case "id":
            query.ids.append(list(_ids(value.split(","))))
        case "focus":  # a Task has the id of the referral that it is about
            query.ids.append(list(_ids(_referred("ServiceRequest", value))))
        case "patient":
            query.patients.append(list(_ids(_referred("Patient", value))))
        case "updated":
            query.updated.append(_date(name, value))
        case "birth-date":
            query.born.append(_date(name, value))
        case "identifier":
            query.identifiers.append(_identifiers(name, value))
        case "status" | "step" | "gender" as code:
            tokens[code].append([each.rpartition("|")[2] for each in value.split(",")])
        case "name" | "family" | "given":  # with their modifier, see _take
            pass


def _referred(kind: str, value: str) -> Iterable[str]:
    return (each.rpartition(f"{kind}/")[2] for each in value.split(","))


def _result(query: Query, name: str, value: str) -> bool:
    """Take in how the result is wanted."""
    match name, value:
        case "_count", _:
            query.count = _number(name, value)
            query.only_total = query.only_total or query.count == 0
        case "_summary", "count":
            query.only_total = True
        case ("_summary", "false") | ("_total", "accurate"):
            pass
        case "_sort", "_lastUpdated" | "-_lastUpdated":
            query.newest_first = value.startswith("-")
        case ("_summary" | "_total", _) if value not in _KNOWN[name]:
            raise refused(400, "value", f"It is one of {', '.join(_KNOWN[name])}.", _where(name))
        case "_include", _:
            query.included.append(_include(name, value, includes(query.kind)))
        case "_revinclude", _:
            query.included.append(_include(name, value, reverse_includes(query.kind)))
        case "_cursor", _:
            query.after = _cursor(value)
        case _:
            return False
    return name != CURSOR or query.after is not None


def _include(name: str, value: str, known: Sequence[Include]) -> Include:
    """Who asks for more than the matches would miss it: what cannot come along is refused."""
    found = next((each for each in known if value in (each.name, f"{each.name}:{each.kind}")), None)
    if found is None:
        names = ", ".join(each.name for each in known) or "nothing"
        raise refused(400, "not-supported", f"Here {names} can come along.", _where(name))
    return found


def cursor_text(cursor: Cursor) -> str:
    """Write a cursor so that it can stand in a link."""
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def _cursor(value: str) -> Cursor:
    try:
        text = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
        cursor = msgspec.json.decode(text, type=Cursor)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise refused(400, "value", "The page is not one of ours.", _where(CURSOR)) from None
    if cursor.last_updated.tzinfo is None:
        raise refused(400, "value", "The page is not one of ours.", _where(CURSOR))
    return cursor


def _ids(told: Iterable[str]) -> Iterable[UUID]:
    """Every id of ours is a UUID: nothing has any other."""
    for each in told:
        yield id_of(each) or _NOT_HERE


def id_of(text: str) -> UUID | None:
    """Return the id as ours are written; None where none of ours is."""
    try:
        id = UUID(text)
    except ValueError:
        return None
    return id if str(id) == text.lower() else None


def _date(name: str, value: str) -> DateParameter:
    try:
        return date_parameter(value)
    except ValueError:
        sentence = "A date or a time is expected, such as ge2026-03-01T00:00:00Z."
        raise refused(400, "value", sentence, _where(name)) from None


def _identifiers(name: str, value: str) -> list[str]:
    return [_identifier(name, each) for each in value.split(",")]


def _identifier(name: str, told: str) -> str:
    system, bar, value = told.rpartition("|")
    if not value:
        raise refused(400, "value", "An identifier needs a value: system|value, or value.", _where(name))
    if bar and not system:
        return "no-system|"  # asked for one without a system: each of ours has one
    return f"{system}|{value.casefold()}"


def _texts(name: str, value: str, had: int) -> list[str]:
    """Read alternatives; a comma with a backslash before it is part of a name (R4 search, 3.1.1.4.16)."""
    told = [_ESCAPED.sub(r"\1", each).strip() for each in _COMMA.split(value)]
    if not all(told):
        raise refused(400, "value", "Something of a name has to be there.", _where(name))
    if had + len(told) > _MOST_NAMES:
        raise refused(400, "too-costly", f"At most {_MOST_NAMES} names are compared.", _where(name))
    return told


def _number(name: str, value: str) -> int:
    if not value.isascii() or not value.isdecimal() or len(value) > len("1000000"):
        raise refused(400, "value", "A whole number is expected.", _where(name))
    return min(int(value), MOST)


def _unknown(name: str) -> FhirError:
    sentence = (
        "The parameter is not known here, and without it more might be found than is asked for; "
        "Prefer: handling=lenient leaves it out."
    )
    return refused(400, "not-supported", sentence, _where(name))


def _where(name: str) -> str:
    """Name a parameter as OperationOutcome does; what could be a value is not repeated."""
    known = name.replace("_", "").replace("-", "").replace(".", "").replace(":", "").isalpha()
    return f"http.{name}" if known and len(name) <= len("a-search-parameter-of-fhir-r4") else "http.query"
