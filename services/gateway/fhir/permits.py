"""What a source may be told of whom: the consents that name it, decided by the one function."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Final
from uuid import UUID

import asyncpg
import msgspec

from shared.disclosure import (
    PROTECTIONS,
    Allowed,
    HeldConsent,
    Protection,
    Recipient,
    Request,
    Withheld,
    disclosure,
)
from shared.events.consent import ConsentGranted

_TERMS: Final = msgspec.json.Decoder(ConsentGranted)
_NO_CONSENT: Final = Withheld("no-consent")


class Permits:
    """The consents of some participants that name one recipient, at one instant."""

    def __init__(
        self,
        consents: Mapping[UUID, Sequence[HeldConsent]],
        recipient: Recipient,
        now: datetime,
        zone: tzinfo,
    ) -> None:
        self._consents = consents
        self._recipient = recipient
        self._now = now
        self._zone = zone

    def of(self, participant: UUID, kind: str, protection: Protection) -> Allowed | Withheld:
        """Decide whether a record of a participant may be told."""
        held = self._consents.get(participant)
        if not held:
            return _NO_CONSENT
        asked = Request(recipient=self._recipient, kind=kind, protection=protection)
        return disclosure(held, asked, self._now, self._zone)

    def open(self, kind: str) -> tuple[list[UUID], list[str]]:
        """Return participants and protections, side by side, of which records of a type may be told."""
        pairs = [
            (participant, protection)
            for participant in self._consents
            for protection in PROTECTIONS
            if isinstance(self.of(participant, kind, protection), Allowed)
        ]
        return [participant for participant, _ in pairs], [protection for _, protection in pairs]


def by_participant(rows: Iterable[asyncpg.Record]) -> dict[UUID, list[HeldConsent]]:
    """Read rows of the consents' read model."""
    consents: dict[UUID, list[HeldConsent]] = {}
    for row in rows:
        held = HeldConsent(_TERMS.decode(row["terms"]), row["is_revoked"])
        consents.setdefault(row["participant"], []).append(held)
    return consents
