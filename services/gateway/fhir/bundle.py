"""The Bundle of a search: its entries, how many there are, and the links to this page and the next."""

from collections.abc import Iterable, Sequence
from urllib.parse import urlencode

import msgspec
from msgspec import Raw, Struct

from services.gateway.fhir.outcome import OperationOutcome
from services.gateway.fhir.query import CURSOR, Cursor, Query, cursor_text
from services.gateway.fhir.resources import Found, Page


class _Wire(Struct, frozen=True, omit_defaults=True, rename="camel"):
    pass


class _Link(_Wire, frozen=True):
    relation: str
    url: str


class _Search(_Wire, frozen=True):
    mode: str


class _Entry(_Wire, frozen=True):
    search: _Search
    resource: Raw
    full_url: str | None = None


class _Searchset(Struct, frozen=True, rename="camel", tag_field="resourceType", tag="Bundle"):
    type: str
    total: int
    link: Sequence[_Link]


class _WithEntries(_Searchset, frozen=True, rename="camel", tag_field="resourceType", tag="Bundle"):
    entry: Sequence[_Entry]


def searchset(page: Page, query: Query, base: str) -> bytes:
    """Return the Bundle as JSON; `base` is the address of the FHIR base."""
    address = f"{base}/{query.kind}"
    links = [_Link("self", _url(address, query.asked))]
    if not page.is_last and page.entries:
        links.append(_Link("next", _next(address, query, page.entries[-1])))
    matches = (_entry(found, address, "match") for found in page.entries)
    included = (_entry(each.found, f"{base}/{each.kind}", "include") for each in page.included)
    entries = [*matches, *included, *_outcome(query)]
    if not entries:  # FHIR has no empty lists
        return msgspec.json.encode(_Searchset("searchset", page.total, links))
    return msgspec.json.encode(_WithEntries("searchset", page.total, links, entries))


def _entry(found: Found, address: str, mode: str) -> _Entry:
    return _Entry(_Search(mode), Raw(found.body), f"{address}/{found.id}")


def _outcome(query: Query) -> Iterable[_Entry]:
    if query.warnings:
        yield _Entry(_Search("outcome"), Raw(msgspec.json.encode(OperationOutcome(query.warnings))))


def _next(address: str, query: Query, last: Found) -> str:
    asked = [pair for pair in query.asked if pair[0] != CURSOR]
    return _url(address, [*asked, (CURSOR, cursor_text(Cursor(last.last_updated, last.id)))])


def _url(address: str, asked: Sequence[tuple[str, str]]) -> str:
    return f"{address}?{urlencode(asked)}" if asked else address
