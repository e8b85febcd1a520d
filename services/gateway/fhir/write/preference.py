"""Prefer (RFC 7240), as FHIR uses it: what the answer shows, and whether it waits until that is there."""

from functools import lru_cache
from typing import Final, Literal, cast

from msgspec import Struct

Return = Literal["minimal", "representation", "OperationOutcome"]

_RETURNS: Final = frozenset({"minimal", "representation", "OperationOutcome"})
_LONGEST_WAIT: Final = 5.0
_WAIT: Final = 2.0  # seconds, for respond-sync without one of its own


class Preference(Struct, frozen=True):
    """What the sender would like: `wait` in seconds, 0 for an answer as soon as it is stored."""

    returns: Return = "representation"
    wait: float = 0.0


_NONE: Final = Preference()


@lru_cache(maxsize=256)
def preference(header: str | None) -> Preference:
    """Read the header; what is not known in it is passed over, as the RFC asks.

    ``respond-sync`` waits up to 2 s, ``wait=<seconds>`` with it up to that, 5 s at most.
    """
    if not header:
        return _NONE
    returns: Return = "representation"
    sync, wait = False, _WAIT
    for each in header.replace(";", ",").split(","):
        name, _, value = (part.strip().strip('"') for part in each.strip().partition("="))
        if name.lower() == "return" and value in _RETURNS:
            returns = cast("Return", value)
        elif name.lower() == "respond-sync":
            sync = True
        elif name.lower() == "wait" and value.isdecimal():
            wait = min(float(value), _LONGEST_WAIT)
    return Preference(returns, wait if sync else 0.0)
