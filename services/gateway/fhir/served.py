"""What can be read and how it is searched: the one table behind routes, searches and CapabilityStatement."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct

Matches = Literal["id", "updated", "identifier", "patient", "status"]


class Parameter(Struct, frozen=True):
    """A search parameter of FHIR R4; `matches` is what of a row it is compared with."""

    name: str
    type: Literal["token", "reference", "date"]
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
_STATUS: Final = Parameter("status", "token", "status", "One code, or several after commas.")
_LIFECYCLE: Final = Parameter("lifecycle-status", "token", "status", "One code, or several after commas.")

SERVED: Final[Mapping[str, tuple[Parameter, ...]]] = {
    "Patient": (_ID, _UPDATED, _IDENTIFIER),
    "ServiceRequest": (_ID, _UPDATED, _IDENTIFIER, _PATIENT, _STATUS),
    "Task": (_ID, _UPDATED, _IDENTIFIER, _PATIENT, _STATUS),
    "EpisodeOfCare": (_ID, _UPDATED, _PATIENT, _STATUS),
    "CarePlan": (_ID, _UPDATED, _PATIENT, _STATUS),
    "Goal": (_ID, _UPDATED, _PATIENT, _LIFECYCLE),
    "Appointment": (_ID, _UPDATED, _IDENTIFIER, _PATIENT, _STATUS),
    "Encounter": (_ID, _UPDATED, _IDENTIFIER, _PATIENT, _STATUS),
    "Observation": (_ID, _UPDATED, _PATIENT, _STATUS),
    "QuestionnaireResponse": (_ID, _UPDATED, _PATIENT, _STATUS),
    "Consent": (_ID, _UPDATED, _IDENTIFIER, _PATIENT, _STATUS),
    "Provenance": (_ID, _UPDATED, _PATIENT),
}
"""Resource type -> search parameters."""

CHAINED: Final = "patient.identifier"
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


def includes(kind: str) -> Sequence[Include]:
    """Return what a search can bring along to which its matches refer."""
    patient = any(parameter.matches == "patient" for parameter in SERVED[kind])
    focus = (Include("Task:focus", "ServiceRequest", "id"),) if kind == "Task" else ()
    return (*((Include(f"{kind}:patient", "Patient", "person"),) if patient else ()), *focus)


def reverse_includes(kind: str) -> Sequence[Include]:
    """Return what a search can bring along that refers to its matches."""
    focus = (Include("Task:focus", "Task", "id"),) if kind == "ServiceRequest" else ()
    target = (Include("Provenance:target", "Provenance", "target"),) if kind != "Provenance" else ()
    return (*focus, *target)
