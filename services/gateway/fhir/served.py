"""What can be read and how it is searched: the one table behind routes, searches and CapabilityStatement."""

import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct

Part = Literal["name", "family", "given"]
"""Of a person's name; the first is any of the others."""
Matches = (
    Part
    | Literal["id", "updated", "identifier", "patient", "status", "focus", "step", "birth-date", "gender"]
)


class Parameter(Struct, frozen=True):
    """A search parameter of FHIR R4; `matches` is what of a row it is compared with."""

    name: str
    type: Literal["token", "reference", "date", "string"]
    matches: Matches
    documentation: str


_ID: Final = Parameter("_id", "token", "id", "The resource's id; several after commas.")
_UPDATED: Final = Parameter(
    "_lastUpdated", "date", "updated", "When it last changed here; with eq, ne, gt, ge, lt, le, sa or eb."
)
_IDENTIFIER: Final = Parameter(
    "identifier", "token", "identifier", "system|value, or value alone; case does not count."
)
_PATIENT: Final = Parameter(
    "patient", "reference", "patient", "An id or Patient/id; patient.identifier finds by identifier."
)
_SUBJECT: Final = Parameter(
    "subject", "reference", "patient", "As patient; subject.identifier finds by identifier."
)
_STATUS: Final = Parameter("status", "token", "status", "One code, or several after commas.")
_LIFECYCLE: Final = Parameter("lifecycle-status", "token", "status", "One code, or several after commas.")

_FOCUS: Final = Parameter("focus", "reference", "focus", "The ServiceRequest: an id or ServiceRequest/id.")
_STEP: Final = Parameter(
    "business-status", "token", "step", "How far the referral is, such as awaiting-information."
)
_BEGINS: Final = (
    "begins so, whatever its case and accents; :exact is all of it as written, :contains anywhere."
)
_PERSON: Final = (
    Parameter("name", "string", "name", f"The family name or a given name {_BEGINS}"),
    Parameter("family", "string", "family", f"The family name {_BEGINS}"),
    Parameter("given", "string", "given", f"A given name {_BEGINS}"),
    Parameter(
        "birthdate", "date", "birth-date", "A day, a month or a year; with eq, ne, gt, ge, lt, le, sa or eb."
    ),
    Parameter("gender", "token", "gender", "One code, or several after commas."),
)

SERVED: Final[Mapping[str, tuple[Parameter, ...]]] = {
    "Patient": (_ID, _UPDATED, _IDENTIFIER, *_PERSON),
    "ServiceRequest": (_ID, _UPDATED, _IDENTIFIER, _PATIENT, _SUBJECT, _STATUS),
    "Task": (_ID, _UPDATED, _IDENTIFIER, _PATIENT, _SUBJECT, _STATUS, _STEP, _FOCUS),
    "EpisodeOfCare": (_ID, _UPDATED, _PATIENT, _STATUS),
    "CarePlan": (_ID, _UPDATED, _PATIENT, _SUBJECT, _STATUS),
    "Goal": (_ID, _UPDATED, _PATIENT, _SUBJECT, _LIFECYCLE),
    "Appointment": (_ID, _UPDATED, _IDENTIFIER, _PATIENT, _STATUS),
    "Encounter": (_ID, _UPDATED, _IDENTIFIER, _PATIENT, _SUBJECT, _STATUS),
    "Observation": (_ID, _UPDATED, _PATIENT, _SUBJECT, _STATUS),
    "QuestionnaireResponse": (_ID, _UPDATED, _PATIENT, _SUBJECT, _STATUS),
    "Consent": (_ID, _UPDATED, _IDENTIFIER, _PATIENT, _STATUS),
    "Provenance": (_ID, _UPDATED, _PATIENT),
}
"""Resource type -> search parameters, of those that are read from the record."""

SEARCHED: Final[Mapping[str, tuple[Parameter, ...]]] = {**SERVED, "Subscription": (_ID, _STATUS)}
"""And of those that are kept for their source."""

ABOUT_PERSON: Final = frozenset({"identifier", *(each.name for each in _PERSON)})
"""Search parameters whose values say who somebody is, with or without a modifier."""

_CHAINED: Final = re.compile(r"(patient|subject)(:Patient)?\.identifier")
MOST: Final = 200
USUAL: Final = 50
"""Entries of a page: at most, and where `_count` does not say."""
MOST_INCLUDED: Final = 1_000
"""Entries that come along with a page, of each kind of include."""


class Include(Struct, frozen=True):
    """A reference that a search follows: `name` as it is asked for, ``Task:focus``, and the type that comes.

    `by` is how it is found: the match is about it, it has the match's id, or the match is its target.
    """

    name: str
    kind: str
    by: Literal["person", "id", "target"]


def is_chained(kind: str, name: str) -> bool:
    """Tell whether a parameter finds by an identifier of the patient, ``patient.identifier``."""
    chain = _CHAINED.fullmatch(name)
    return chain is not None and any(each.name == chain[1] for each in SEARCHED[kind])


def includes(kind: str) -> Sequence[Include]:
    """Return what a search can bring along to which its matches refer."""
    patient = any(parameter.matches == "patient" for parameter in SEARCHED[kind])
    focus = (Include("Task:focus", "ServiceRequest", "id"),) if kind == "Task" else ()
    return (*((Include(f"{kind}:patient", "Patient", "person"),) if patient else ()), *focus)


def reverse_includes(kind: str) -> Sequence[Include]:
    """Return what a search can bring along that refers to its matches."""
    focus = (Include("Task:focus", "Task", "id"),) if kind == "ServiceRequest" else ()
    is_told_of = kind in SERVED and kind != "Provenance"
    target = (Include("Provenance:target", "Provenance", "target"),) if is_told_of else ()
    return (*focus, *target)
