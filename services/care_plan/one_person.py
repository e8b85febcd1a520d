"""A person with several records has one care: what a hospital tells of one is done where care is open.

Records that are merged and parted again (ADR 7) leave a step-down behind in the record that was in care at
the time. It is taken back there, and made where its discharge stands.
"""

from collections.abc import Callable
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from services.care_plan.deciders import care, episode
from shared.commands.care_plan import CareCommand, OpenEpisode, ReverseStepDown, StepDownAfterDischarge
from shared.commands.decision import derived
from shared.eventlog.execute import Executor
from shared.eventlog.policies import carry_out
from shared.events.encounter import (
    AdmissionCancelled,
    DischargeCancelled,
    DischargeNotified,
    InpatientAdmissionNotified,
)
from shared.events.envelope import Event
from shared.records import Records

_AFTER_DEATH: Final = frozenset({"participant-deceased"})
_Stay = InpatientAdmissionNotified | DischargeNotified | AdmissionCancelled | DischargeCancelled
StepDownOf = Callable[[Event, DischargeNotified], StepDownAfterDischarge | None]


class OnePerson:
    """Chooses the record that a command is about, of all that are the person's."""

    def __init__(self, executor: Executor, records: Records) -> None:
        self._executor = executor
        self._records = records

    async def carry_out(self, event: Event, command: CareCommand) -> None:
        """Have the command decided where it belongs: nowhere where a death was told of any record."""
        where = await self._where(event, command)
        if where is not None:
            await self._ask(replace(command, participant=where))

    async def _where(self, event: Event, command: CareCommand) -> UUID | None:
        """Return the record; the event's own where the person has no other, or none that is in care."""
        if isinstance(event.data, _Stay) and not event.data.also:
            return event.subject
        if not isinstance(command, StepDownAfterDischarge | ReverseStepDown | OpenEpisode):
            return event.subject
        records = await self._records.of_person(event.subject)
        cares = {record: await self._episodes(record) for record in records}
        if isinstance(command, StepDownAfterDischarge | ReverseStepDown):
            for record, episodes in cares.items():
                if command.discharge in episodes.discharges:
                    return record
        if any(episodes.deceased for episodes in cares.values()):
            return None
        in_care = [record for record, episodes in cares.items() if episodes.current is not None]
        return event.subject if event.subject in in_care or not in_care else in_care[0]

    async def part(self, event: Event, prior: UUID, survivor: UUID, step_down: StepDownOf) -> None:
        """Give back what each of two people was told while their records were one; not if they are again."""
        if survivor in await self._records.of_person(prior):
            return
        for own, other in ((prior, survivor), (survivor, prior)):
            others = await self._records.of_person(other)
            for record, said in (await self._records.all_of_person(own)).items():
                for discharge in said.discharges.values():
                    await self._give_back(event, discharge, record, others, step_down)

    async def _give_back(
        self, event: Event, discharge: DischargeNotified, own: UUID, others: list[UUID], step_down: StepDownOf
    ) -> None:
        for record in others:
            episodes = await self._episodes(record)
            if discharge.discharge not in episodes.discharges or discharge.discharge in episodes.reversed:
                continue
            made = step_down(event, discharge)
            if made is None:
                continue
            undo = ReverseStepDown(
                id=derived(made.id, f"undo:{record}"),
                participant=record,
                actor=made.actor,
                now=made.now,
                at=made.at,
                correlation=made.correlation,
                causation=made.causation,
                discharge=discharge.discharge,
                cause="parted",
            )
            await self._ask(undo)
            await self.carry_out_in(own, made)

    async def carry_out_in(self, record: UUID, command: StepDownAfterDischarge) -> None:
        """Have a discharge decided in the record that is in care among those of the record's person."""
        records = await self._records.of_person(record)
        in_care = [one for one in records if (await self._episodes(one)).current is not None]
        await self._ask(replace(command, participant=in_care[0] if in_care else record))

    async def _ask(self, command: CareCommand) -> None:
        await carry_out(self._executor, care.DECIDER, command, unless=_AFTER_DEATH)

    async def _episodes(self, record: UUID) -> episode.State:
        key = self._records.key(record, "episode")
        return (await self._executor.entity(care.DECIDER, key, fresh=True)).state.episodes
