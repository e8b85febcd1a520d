"""Where resources leave: each as its recipient may be told it, and recorded before it goes."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import asyncpg
from msgspec import Struct

from services.gateway.fhir.disclosed import has_words, with_notice, without_words
from services.gateway.fhir.disclosures import Ask, Disclosures, Read, Unread
from services.gateway.fhir.permits import Permits, by_participant
from shared.disclosure import Allowed, Recipient, RecipientClasses
from shared.settings import Settings


class Released(Struct, frozen=True):
    """A row, and its resource as it may leave."""

    kind: str
    row: asyncpg.Record
    body: bytes
    is_reduced: bool = False


class Desk:
    """Knows the classes of recipients, and has disclosures recorded; one a process."""

    def __init__(self, settings: Settings, ask: Ask) -> None:
        """Raises ValueError where the settings tell no classes."""
        self._classes = RecipientClasses(settings.recipient_classes)
        self._zone = ZoneInfo(settings.site_zone)
        self._disclosures = Disclosures(ask, self._zone)

    def recipient(self, source: str) -> Recipient:
        """Return a source with its classes."""
        return self._classes.recipient(source)

    def permits(self, source: str, consents: Iterable[asyncpg.Record]) -> Permits:
        """Return what a source may be told now, under rows of the consents' read model."""
        return Permits(by_participant(consents), self.recipient(source), datetime.now(UTC), self._zone)

    async def release(
        self, source: str, permits: Permits, rows: Sequence[tuple[str, asyncpg.Record]]
    ) -> list[Released | None]:
        """Return each row as it may leave, None where it may not; what leaves is recorded by then.

        A source's own resources always leave, if need be without the words in them. Raises FhirError 503
        where the record cannot be made.
        """
        decided = [_decided(source, permits, kind, row) for kind, row in rows]
        self._disclosures.withheld(each for _, each in decided if isinstance(each, Unread))
        await self._disclosures.record(each for _, each in decided if isinstance(each, Read))
        return [released for released, _ in decided]

    async def close(self) -> None:
        """Wait for what is being recorded."""
        await self._disclosures.close()


def needs_consent(kind: str, row: asyncpg.Record) -> bool:
    """Tell whether a row is the program's own word: its record, or words in a source's own resource."""
    if row["sender"] is None:
        return kind != "Patient"  # who the person is, is seen by whoever told us of them
    return has_words(kind, row["resource"].encode())


def _decided(
    source: str, permits: Permits, kind: str, row: asyncpg.Record
) -> tuple[Released | None, Read | Unread | None]:
    body = row["resource"].encode()
    if not needs_consent(kind, row):
        return Released(kind, row, body), None
    participant = row["participant"]
    decision = permits.of(participant, kind, row["protection"])
    if isinstance(decision, Allowed):
        read = Read(source, participant, kind, decision.under.consent)
        return Released(kind, row, with_notice(body)), read
    unread = Unread(source, participant, kind, decision.because)
    if row["sender"] is None:
        return None, unread
    return Released(kind, row, without_words(kind, body), is_reduced=True), unread
