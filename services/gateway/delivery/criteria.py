"""Criteria of a Subscription: of which changes of its referrals a sender wants to be told."""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import parse_qsl
from uuid import UUID

from msgspec import Struct

from shared.events.outbound import ReferralStatus
from shared.fhir import TASK_STATUS

RESOURCES: Final = ("Task", "ServiceRequest")
_LOOKED_AT: Final[Mapping[str, tuple[str, ...]]] = {
    "Task": ("_id", "status", "business-status"),
    "ServiceRequest": ("_id",),
}
_CODES: Final[Mapping[str, frozenset[str]]] = {
    "status": frozenset(TASK_STATUS.values()),
    "business-status": frozenset(TASK_STATUS),
}


class Criteria(Struct, frozen=True, kw_only=True):
    """A resource, and by a parameter's name the values of which one has to hold."""

    resource: str
    wanted: Sequence[tuple[str, frozenset[str]]] = ()

    def mistaken(self) -> str | None:
        """Return why nothing, or more than was asked for, would ever be told; None where it is understood."""
        if self.resource not in RESOURCES:
            return f"What is told of are changes of a {' or a '.join(RESOURCES)}."
        for name, values in self.wanted:
            known = _LOOKED_AT[self.resource]
            if name not in known:
                return f"Of a {self.resource} {', '.join(known)} are looked at."
            if not all(_is_one(name, value) for value in values):
                return f"There is no such {name}."
        return None

    def are_met(self, status: ReferralStatus) -> bool:
        """Tell whether a status is one to be told of."""
        said = {
            "_id": str(status.referral),
            "status": TASK_STATUS[status.status],
            "business-status": status.status,
        }
        known = _LOOKED_AT.get(self.resource, ())
        return all(said[name] in values for name, values in self.wanted if name in known)


def criteria_of(text: str) -> Criteria:
    """Read criteria, ``Task?status=completed,rejected``; a code may have its system before it."""
    resource, _, query = text.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    wanted = [
        (name, frozenset(each.rpartition("|")[2] for each in value.split(","))) for name, value in pairs
    ]
    return Criteria(resource=resource, wanted=wanted)


def _is_one(name: str, value: str) -> bool:
    return value in _CODES[name] if name in _CODES else _is_id(value)


def _is_id(value: str) -> bool:
    try:
        return str(UUID(value)) == value
    except ValueError:
        return False
