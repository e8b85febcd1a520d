"""Who may be told what: the one function that decides it, for reads and for what is sent.

42 CFR 2.31 and 2.33: a disclosure needs a consent in force that names the recipient, or a class that it
belongs to, for that purpose and that sort of record; substance-use treatment needs one that says so, and
counselling notes need one of their own. Everything is an argument, the instant too.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Final, Literal

from msgspec import Struct

from shared.events.consent import ConsentGranted, WithheldBecause
from shared.events.moment import instant, is_day

Protection = Literal["general", "part2", "notes", "part2-notes"]
"""How sensitivity labels (HL7 v3 ActCode) protect a record."""

NOTICE: Final = "Redisclosure is restricted by 42 CFR part 2, section 2.32."
"""What goes with every disclosure; the rule's own short form, in our words."""

TREATMENT: Final = "TREAT"  # HL7 v3 PurposeOfUse; what senders are told and what they read is for

_PART2: Final = frozenset({"SUD", "ETHUD", "OPIOIDUD"})
_NOTES: Final = frozenset({"PSYTHPN"})
_PROTECTIONS: Final[Mapping[tuple[bool, bool], Protection]] = {
    (False, False): "general",
    (True, False): "part2",
    (False, True): "notes",
    (True, True): "part2-notes",
}
PROTECTIONS: Final = tuple(_PROTECTIONS.values())


class Recipient(Struct, frozen=True):
    """A source, and the classes that the site counts it among."""

    name: str
    classes: frozenset[str] = frozenset()

    @property
    def marks(self) -> list[str]:
        """What a consent that is for it carries one of, as `marks_of` writes them."""
        return [f"name:{self.name}", *(f"class:{each}" for each in sorted(self.classes))]


class HeldConsent(Struct, frozen=True):
    """A consent as it stands: its terms told last, and whether it was revoked."""

    terms: ConsentGranted
    is_revoked: bool = False


class Request(Struct, frozen=True, kw_only=True):
    """What somebody is to be told: a FHIR resource type, how it is protected, and what for."""

    recipient: Recipient
    kind: str
    protection: Protection = "general"
    purpose: str = TREATMENT


class Allowed(Struct, frozen=True):
    """It may be told, under this consent."""

    under: ConsentGranted


class Withheld(Struct, frozen=True):
    """It may not, for this reason: that of the consent that comes nearest."""

    because: WithheldBecause


def disclosure(
    consents: Iterable[HeldConsent], asked: Request, now: datetime, zone: tzinfo
) -> Allowed | Withheld:
    """Decide it of the participant's consents, at an aware instant; their days are those of the zone."""
    nearest: tuple[int, WithheldBecause] = (0, "no-consent")
    for held in consents:
        failed = _first_failed(held, asked, now, zone)
        if failed is None:
            return Allowed(held.terms)
        nearest = max(nearest, failed, key=lambda one: one[0])
    return Withheld(nearest[1])


def _first_failed(
    held: HeldConsent, asked: Request, now: datetime, zone: tzinfo
) -> tuple[int, WithheldBecause] | None:
    """Return the first condition that is not met, counted; None where all are."""
    terms = held.terms
    is_part2, is_notes = _needs(asked.protection)
    conditions: tuple[tuple[bool, WithheldBecause], ...] = (
        (_names(terms, asked.recipient), "no-consent"),
        (not held.is_revoked, "revoked"),
        (terms.starts is None or instant(terms.starts, zone) <= now, "not-yet"),
        (terms.expires is None or now < _end(terms.expires, zone), "expired"),
        (terms.counselling_notes == is_notes, "counselling-notes" if is_notes else "out-of-scope"),
        (terms.part2 or not is_part2, "part2"),
        (not terms.scope or asked.kind in terms.scope, "out-of-scope"),
        (asked.purpose in terms.purpose, "other-purpose"),
    )
    return next(((place, why) for place, (is_met, why) in enumerate(conditions) if not is_met), None)


def _names(terms: ConsentGranted, recipient: Recipient) -> bool:
    return recipient.name in terms.recipients or not recipient.classes.isdisjoint(terms.classes)


def _needs(protection: Protection) -> tuple[bool, bool]:
    return next(needs for needs, each in _PROTECTIONS.items() if each == protection)


def _end(expires: str, zone: tzinfo) -> datetime:
    """Return the instant from which it holds no more: a day is over when it has ended at the site."""
    if not is_day(expires):
        return instant(expires, zone)
    day_after = datetime.fromisoformat(expires) + timedelta(days=1)
    return day_after.replace(tzinfo=zone)


def protection_of(labels: Collection[str]) -> Protection:
    """Return how a record with these labels is protected."""
    return _PROTECTIONS[(not _PART2.isdisjoint(labels), not _NOTES.isdisjoint(labels))]


def labels_in(sensitivity: str) -> list[str]:
    """Return the labels that an event's envelope carries, separated by commas or spaces."""
    return sensitivity.replace(",", " ").split()


def marks_of(terms: ConsentGranted) -> tuple[str, ...]:
    """Return by what a consent is found for a recipient: ``name:<source>``, ``class:<class>``."""
    return (*(f"name:{each}" for each in terms.recipients), *(f"class:{each}" for each in terms.classes))


class RecipientClasses:
    """The classes of sources, as the settings tell them: ``source=class``, several separated by spaces."""

    def __init__(self, told: str) -> None:
        """Raises ValueError where the text is not of that form."""
        self._classes: dict[str, frozenset[str]] = {}
        for pair in told.split():
            source, equals, name = pair.partition("=")
            if not (source and equals and name):
                raise ValueError("Classes of recipients are told as source=class, separated by spaces.")
            self._classes[source] = self._classes.get(source, frozenset()) | {name}

    def recipient(self, source: str) -> Recipient:
        """Return a source with its classes."""
        return Recipient(source, self._classes.get(source, frozenset()))
