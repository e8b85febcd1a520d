"""What is known of a person's stays counts for what is owed, in whichever order and record it was told.

A readmission may be known before the discharge that it follows is told; and of two records that are merged,
one may hold a discharge or an admission that the other's follow-ups know nothing of (ADR 7).
"""

from collections.abc import AsyncIterator, Iterator
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

from services.aftercare.deciders import aftercare
from services.aftercare.deciders.follow_up import is_after_emergency
from shared.eventlog.execute import Executor
from shared.events.encounter import EncounterClass
from shared.records import Record, Records
from shared.site import Site

INPATIENT: Final[frozenset[EncounterClass]] = frozenset({"IMP", "OBSENC", "UNK"})


class Readmission(NamedTuple):
    """What one record's follow-ups are told of a later stay: by its admission, or by its discharge."""

    record: UUID
    stay: UUID
    on: date
    same_day: bool = False


class KnownStays:
    """Reads a person's records and what is owed in them."""

    def __init__(self, executor: Executor, records: Records, site: Site) -> None:
        self._executor = executor
        self._records = records
        self._site = site

    async def readmissions(self, record: UUID) -> AsyncIterator[Readmission]:
        """Yield every stay that follows a discharge, for each of the person's records to look at."""
        known = await self._records.all_of_person(record)
        records = list(known)
        stays = {one: [*self._admissions(said)] for one, said in known.items()}
        ends = {one: await self._discharges(one) for one in records} if len(records) > 1 else {}
        for target in records:
            for place, other in enumerate(records):
                for stay, on in stays[other]:
                    yield Readmission(target, stay, on)
                if other != target:
                    is_first = place < records.index(target)  # of two on one day, one has to be owed
                    for stay, on in ends[other]:
                        yield Readmission(target, stay, on, same_day=is_first)

    async def parted(self, prior: UUID, survivor: UUID) -> AsyncIterator[Readmission]:
        """Yield what the records of two people were told of each other while they were one's.

        Nothing, where they are one's again by now.
        """
        if survivor in await self._records.of_person(prior):
            return
        for own, other in ((prior, survivor), (survivor, prior)):
            told = (await self._records.all_of_person(other)).values()
            theirs = {stay for record in told for stay in (*record.admissions, *record.discharges)}
            for record in await self._records.of_person(own):
                for it in (await self._owed(record)).follow_ups.values():
                    stay = it.superseded.admission if it.superseded is not None else None
                    if it.can_be_reinstated and stay is not None and stay in theirs:
                        yield Readmission(record, stay, it.owed.index_discharge)

    def _admissions(self, record: Record) -> Iterator[tuple[UUID, date]]:
        for told in record.admissions.values():
            if told.encounter_class in INPATIENT and told.admitted is not None:
                yield told.admission, self._site.day_of(told.admitted)

    async def _discharges(self, record: UUID) -> set[tuple[UUID, date]]:
        """Return the discharges that follow-ups were owed after, and are not cancelled."""
        return {
            (it.owed.discharge, it.owed.index_discharge)
            for it in (await self._owed(record)).follow_ups.values()
            if it.owed.discharge is not None and not it.is_void and not is_after_emergency(it.owed)
        }

    async def _owed(self, record: UUID) -> aftercare.State:
        key = self._records.key(record, "aftercare")
        return (await self._executor.entity(aftercare.DECIDER, key, fresh=True)).state
