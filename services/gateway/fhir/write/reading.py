"""From JSON to a shape that is read, or a refusal that names the element and never quotes a value."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, TypeVar, cast

import msgspec
from msgspec import Struct

from services.gateway.fhir.outcome import FhirError, Issue, IssueType, refused

T = TypeVar("T")

DEEPEST: Final = 64  # levels of objects and lists in one another; real resources have some fifteen

_NOT_STRUCTURE: Final = bytes(each for each in range(256) if each not in b"{}[]")
_EMPTY_AT_ONCE: Final = (b"{}", b"[]")
_PLACE: Final = re.compile(r" - at `(?:key in )?\$\.?([^`]*)`$")
_EXPECTED: Final = re.compile(r"^Expected `([a-z]+)")
_BYTE: Final = re.compile(r"\(byte (\d+)\)$|in position (\d+):")
_MISSING: Final = re.compile(r"^Object missing required field `(\w+)`")
_KINDS: Final = {
    "str": "a text",
    "object": "an object",
    "array": "a list",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
}
_REFUSED: Final = {
    "modifierExtension": "A modifier extension changes what the resource means, and none is known here.",
    "implicitRules": "Rules for reading the resource are named, and none are known here.",
}
_MAYBE_REFUSED: Final = (b'"modifierExtension"', b'"implicitRules"', b"\\u")


_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""What no string of FHIR R4 holds (datatypes, string); databases cannot keep the first of them."""


class Head(Struct, rename="camel"):
    """What is seen before the type is known."""

    resource_type: str | None = None
    id: str | None = None


@lru_cache(maxsize=64)
def _decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    return msgspec.json.Decoder(kind)


_HEAD: Final = msgspec.json.Decoder(Head)


def decode(raw: bytes | msgspec.Raw, kind: type[T], at: str) -> T:
    """Read JSON as a shape; `at` is the FHIRPath of the whole, such as ``Bundle.entry[1].resource``.

    Raises FhirError 400 with the path of the element that is not as expected.
    """
    try:
        return _decoder(kind).decode(raw)
    except msgspec.ValidationError as error:
        raise _invalid(str(error), at) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _no_json(error, at) from None
    except RecursionError:
        raise too_deep(at) from None


def head(raw: bytes | msgspec.Raw, at: str) -> Head:
    """Read the type and the id of a resource; raises FhirError 400 where it has no type."""
    try:
        found = _HEAD.decode(raw)
    except msgspec.ValidationError as error:
        raise _invalid(str(error), at) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _no_json(error, at) from None
    except RecursionError:
        raise too_deep(at) from None
    if not found.resource_type:
        raise refused(400, "required", "resourceType is required.", f"{at}.resourceType")
    return found


def check_document(raw: bytes, at: str) -> None:
    """Refuse what cannot be kept or read: not in UTF-8, with control characters in a text, nested too deeply,
    or to be read by rules that we do not know.

    Raises FhirError 400 or 422.
    """
    _check_encoding(raw, at)
    if _may_be_too_deep(raw) and _depth(raw) > DEEPEST:
        raise too_deep(at)
    if any(each in raw for each in _MAYBE_REFUSED):
        _check_rules(raw, at)


def _check_encoding(raw: bytes, at: str) -> None:
    """What is not read is not decoded, either; but all of it is kept, as text."""
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        raise _no_json(error, at) from None


def _no_json(error: Exception, at: str) -> FhirError:
    """Say from which byte on, where that is known: the rest of the error may quote a value."""
    where = _BYTE.search(str(error))
    told = f" (byte {where[1] or where[2]})" if where else ""
    return refused(400, "structure", f"This is not JSON in UTF-8{told}.", at)


def too_deep(at: str) -> FhirError:
    """Return the refusal of what is nested too deeply."""
    return refused(400, "too-costly", f"It is nested deeper than the {DEEPEST} levels that are read.", at)


def _check_rules(raw: bytes, at: str) -> None:
    try:
        document: object = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return  # said with more precision by who decodes it
    found = list(_found(document, at))
    if path := next((path for name, path in found if not name), None):
        raise refused(400, "value", "A text has a control character in it.", path)
    if found:
        raise FhirError(422, [Issue("error", "extension", _REFUSED[name], (path,)) for name, path in found])


def _found(document: object, at: str) -> Iterator[tuple[str, str]]:
    """Give each element that is refused, with its path: by its name, or without one for what its text holds.

    No recursion, so that no depth breaks it.
    """
    left: list[tuple[object, str]] = [(document, at)]
    while left:
        node, path = left.pop()
        if isinstance(node, dict):
            for key, value in cast("dict[str, object]", node).items():
                if key in _REFUSED:
                    yield key, f"{path}.{key}"
                else:
                    # A name that is no element's may be anything, so it is not shown.
                    left.append((value, f"{path}.{key}" if key.isalnum() and key.isascii() else path))
        elif isinstance(node, list):
            left += [(value, f"{path}[{i}]") for i, value in enumerate(cast("list[object]", node))]
        elif isinstance(node, str) and _CONTROL.search(node):
            yield "", path


def _may_be_too_deep(raw: bytes) -> bool:
    """Tell cheaply that it surely is not: brackets within texts may only make it look deeper."""
    brackets = raw.translate(None, _NOT_STRUCTURE)
    for _ in range(DEEPEST):
        if not brackets:
            return False
        for pair in _EMPTY_AT_ONCE:
            brackets = brackets.replace(pair, b"")
    return bool(brackets)


def _depth(raw: bytes) -> int:
    deepest = depth = 0
    for match in _TOKENS.finditer(raw):
        token = match[0][:1]
        if token in b"{[":
            depth += 1
            deepest = max(deepest, depth)
        elif token in b"}]":
            depth -= 1
    return deepest


_TOKENS: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|[{}\[\]]', re.DOTALL)


def _invalid(error: str, at: str) -> FhirError:
    """Write what msgspec found in our words: its own may quote a value."""
    place = _PLACE.search(error)
    path = f"{at}.{place[1]}".replace(".[", "[") if place and place[1] else at
    if missing := _MISSING.match(error):
        return refused(400, "required", f"{missing[1]} is required.", f"{path}.{missing[1]}")
    expected = _EXPECTED.match(error)
    if expected and (kind := _KINDS.get(expected[1])):
        return refused(400, "structure", f"The element has to be {kind}.", path)
    code: IssueType = "code-invalid" if "enum" in error else "value"
    return refused(400, code, "The element has none of the values that FHIR R4 gives it.", path)
