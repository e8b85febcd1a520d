"""What a reference can mean: a resource contained, another entry of the Bundle, or one of ours."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TypeVar

import msgspec

from services.gateway.fhir.outcome import refused
from services.gateway.fhir.write.elements import Reference
from services.gateway.fhir.write.reading import decode, head
from services.gateway.fhir.write.resources import BundleEntry, Request

T = TypeVar("T")

OURS: Final = re.compile(
    rb'"reference"\s*:\s*"(?:https?:[^"\s]{1,200}?\\?/)?(Patient|ServiceRequest|Task)\\?/'
    rb"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
)
"""A reference that may be to a resource of ours."""

MOST_ENTRIES: Final = 1_000
"""Of a message or a transaction: each may refer to each."""

Key = tuple[str, str]  # type and id


class Entry(NamedTuple):
    """A resource, and its FHIRPath in what was sent."""

    kind: str
    id: str | None
    raw: bytes | msgspec.Raw
    at: str
    full_url: str | None = None
    request: Request | None = None


class Resolved(NamedTuple):
    """What a reference leads to."""

    kind: str
    raw: bytes | msgspec.Raw
    at: str


class Scope:
    """The resources of one request, and those of ours that it refers to."""

    def __init__(self, entries: Sequence[Entry] = (), ours: Mapping[Key, bytes] | None = None) -> None:
        self.entries = entries
        self.ours = ours or {}
        self._contained: dict[str, Mapping[str, Resolved]] = {}
        self._by_url = {each.full_url: each for each in entries if each.full_url}
        self._by_key: dict[Key, list[Entry]] = {}
        for each in entries:
            if each.id:
                self._by_key.setdefault((each.kind, each.id), []).append(each)

    def all(self, kind: str) -> Iterator[Entry]:
        """Give every entry of a type."""
        return (each for each in self.entries if each.kind == kind)

    def resolve(
        self, reference: Reference | None, contained: Sequence[msgspec.Raw], at: str
    ) -> Resolved | None:
        """Return what the reference leads to, None where that is nowhere here; `at` is its container."""
        told = reference.reference if reference else None
        if not told:
            return None
        if told.startswith("#"):
            return self._inside(contained, at).get(told[1:])
        key = _key(told)
        entry = self._by_url.get(told) or (self._named(key, at) if key else None)
        if entry is not None:
            return Resolved(entry.kind, entry.raw, entry.at)
        ours = self.ours.get(key) if key else None
        return Resolved(key[0], ours, at) if key and ours else None

    def _named(self, key: Key, at: str) -> Entry | None:
        """Return the entry of this type and id; of several it has to be said which."""
        found = self._by_key.get(key, [])
        if len(found) > 1:
            sentence = (
                "A reference in it leads to several entries of one id; the fullUrl says which is meant."
            )
            raise refused(422, "multiple-matches", sentence, at)
        return found[0] if found else None

    def _inside(self, contained: Sequence[msgspec.Raw], at: str) -> Mapping[str, Resolved]:
        """Return what a resource contains, by id; looked through once, for it may be much."""
        if at not in self._contained:
            self._contained[at] = dict(_contained(contained, at))
        return self._contained[at]

    def read(
        self, reference: Reference | None, contained: Sequence[msgspec.Raw], at: str, kind: type[T], name: str
    ) -> T | None:
        """Return the resource where the reference leads to one of the type `name`."""
        found = self.resolve(reference, contained, at)
        return decode(found.raw, kind, found.at) if found and found.kind == name else None


def entries_of(told: Sequence[BundleEntry], at: str = "Bundle") -> list[Entry]:
    """Return the entries of a Bundle that have a resource.

    Raises FhirError: 413 for too many, 400 for what has no type, or two of one fullUrl (R4, bdl-7): a
    referral would be about either of two people.
    """
    if len(told) > MOST_ENTRIES:
        sentence = f"What belongs together has {MOST_ENTRIES} entries at most; a batch may have more."
        raise refused(413, "too-costly", sentence, f"{at}.entry")
    found: list[Entry] = []
    urls: set[str] = set()
    for number, each in enumerate(told):
        if is_absent(each.resource):
            continue
        if each.full_url in urls:
            sentence = "Another entry has this fullUrl already."
            raise refused(400, "invariant", sentence, f"{at}.entry[{number}].fullUrl")
        if each.full_url:
            urls.add(each.full_url)
        place = f"{at}.entry[{number}].resource"
        known = head(each.resource, place)
        found.append(
            Entry(known.resource_type or "", known.id, each.resource, place, each.full_url, each.request)
        )
    return found


def is_absent(raw: msgspec.Raw) -> bool:
    """Tell whether an element that holds a resource is not there."""
    return not memoryview(raw)


def _contained(contained: Sequence[msgspec.Raw], at: str) -> Iterator[tuple[str, Resolved]]:
    for number, raw in reversed(list(enumerate(contained))):  # of two with the same id the first one holds
        place = f"{at}.contained[{number}]"
        known = head(raw, place)
        if known.id:
            yield known.id, Resolved(known.resource_type or "", raw, place)


def _key(told: str) -> Key | None:
    """Return type and id of ``Patient/1``, ``https://x/fhir/Patient/1`` and ``Patient/1/_history/2``."""
    parts = told.partition("/_history/")[0].rsplit("/", 2)
    if len(parts) < 2:  # noqa: PLR2004 -- a type and an id
        return None
    return parts[-2], parts[-1]
