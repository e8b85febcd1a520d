"""Consents, and what was told or withheld under them."""

from collections.abc import Iterable
from datetime import tzinfo
from typing import Final

from services.timeline.read_models.sentences.description import Description, after, said, when
from shared.events.base import EventData
from shared.events.consent import (
    ConsentGranted,
    ConsentRevoked,
    DisclosureMade,
    DisclosureRefused,
    WithheldBecause,
)

HANDLES = (ConsentGranted, ConsentRevoked, DisclosureMade, DisclosureRefused)

_WHY: Final[dict[WithheldBecause, str]] = {
    "no-consent": "no consent names it",
    "revoked": "the consent was revoked",
    "expired": "the consent has expired",
    "not-yet": "the consent does not hold yet",
    "other-purpose": "the consent is for another purpose",
    "out-of-scope": "the consent does not cover it",
    "part2": "the consent does not cover substance-use treatment",
    "counselling-notes": "counselling notes need a consent of their own",
}
_STATUS: Final = "referral-status"


def describe(event: EventData, zone: tzinfo) -> Description:
    """Say what may be told, or what was."""
    match event:
        case ConsentGranted():
            return _granted(event, zone)
        case ConsentRevoked(reason=reason):
            return said("Consent revoked", reason, "nothing more is told under it")
        case DisclosureMade(recipient=recipient, kind=kind, means=means, consent=consent):
            what = "words with the status of its referral" if means == _STATUS else f"read {kind}"
            return said(f"Disclosed to {recipient}", what, f"on consent {consent}")
        case DisclosureRefused(recipient=recipient, kind=kind, means=means, because=because):
            what = "the status of its referral without its words" if means == _STATUS else kind
            return said(f"Withheld from {recipient}", what, _WHY[because])
        case _:
            raise TypeError(type(event))


def _granted(event: ConsentGranted, zone: tzinfo) -> Description:
    about = "counselling notes only" if event.counselling_notes else _listed(event.scope)
    return said(
        "Consent granted",
        after("to", _listed((*event.recipients, *(f"any {each}" for each in event.classes)))),
        after("for", _listed(event.purpose)),
        after("about", about),
        "with substance-use treatment" if event.part2 else None,
        after("from", event.starts and when(event.starts, zone)),
        after("until", event.expires and when(event.expires, zone)),
    )


def _listed(names: Iterable[str]) -> str:
    return " and ".join(names)
