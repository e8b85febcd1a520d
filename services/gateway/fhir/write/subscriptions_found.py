"""A search among a source's own Subscriptions: few, so all of them are looked at."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from services.gateway.fhir.query import Cursor, Query
from services.gateway.fhir.resources import Found, Page


class _Meta(Struct, rename="camel"):
    last_updated: datetime


class _Kept(Struct):
    """What a search looks at."""

    id: UUID
    status: str
    meta: _Meta


_decoder = msgspec.json.Decoder(_Kept)


def page_of(stored: Iterable[tuple[int, bytes]], query: Query) -> Page:
    """Return a page of what the search finds of versions and texts, in the order of every search."""
    each = ((_decoder.decode(body), version, body) for version, body in stored)
    found = [
        (
            Cursor(kept.meta.last_updated, kept.id),
            Found(kept.id, version, kept.meta.last_updated, in_version(body, version)),
        )
        for kept, version, body in each
        if _matches(kept, query)
    ]
    ordered = sorted(found, key=lambda one: _place(one[0]), reverse=query.newest_first)
    left = [one for one in ordered if _is_behind(one[0], query)]
    if query.only_total:
        return Page((), len(found), is_last=True)
    entries = [each for _, each in left[: query.count]]
    return Page(entries, len(found), len(left) <= query.count)


def in_version(body: bytes, version: int) -> bytes:
    """Return a Subscription as it is shown: in the version of what is kept, which changes with its status."""
    resource = msgspec.json.decode(body, type=dict[str, Any])
    resource["meta"] = {**resource["meta"], "versionId": str(version)}
    return msgspec.json.encode(resource)


def _matches(kept: _Kept, query: Query) -> bool:
    is_meant = all(kept.id in ids for ids in query.ids)
    return is_meant and all(kept.status in statuses for statuses in query.statuses)


def _is_behind(cursor: Cursor, query: Query) -> bool:
    if query.after is None:
        return True
    here, there = _place(cursor), _place(query.after)
    return here < there if query.newest_first else here > there


def _place(cursor: Cursor) -> tuple[datetime, UUID]:
    return cursor.last_updated, cursor.id
