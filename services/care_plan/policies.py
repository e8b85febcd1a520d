"""When intake tells of an enrolment, a discharge or a death, the participant's care follows."""

from datetime import datetime
from typing import Final, TypedDict
from uuid import UUID

from services.care_plan.one_person import OnePerson
from shared.commands.care_plan import (
    CareCommand,
    CloseCareOnDeath,
    OpenEpisode,
    ReverseStepDown,
    StepDownAfterDischarge,
)
from shared.commands.decision import derived
from shared.diagnoses import concerns_the_program, principal
from shared.eventlog.clock import Clock
from shared.eventlog.execute import Executor
from shared.eventlog.policies import Delivery
from shared.events.base import MessageReference
from shared.events.encounter import DeathNotified, DischargeCancelled, DischargeNotified, EncounterClass
from shared.events.enrolment import Enrolled
from shared.events.envelope import Event
from shared.events.moment import Moment
from shared.events.participant import ParticipantsUnmerged
from shared.events.registry import REGISTRY
from shared.records import Records
from shared.site import Site

_ACTOR: Final = "policy:care_plan"
_CAUSES: Final = frozenset({"A03", "A11", "A13", "A38"})
_NOT_A_STAY: Final[frozenset[EncounterClass]] = frozenset({"AMB", "HH"})


class _Context(TypedDict):
    id: UUID
    participant: UUID
    actor: str
    now: datetime
    at: Moment
    correlation: UUID
    causation: UUID


class CarePolicy:
    """Handles every event of a participant's record."""

    def __init__(self, executor: Executor, records: Records, site: Site, clock: Clock) -> None:
        self._one_person = OnePerson(executor, records)
        self._site = site
        self._clock = clock

    async def __call__(self, delivery: Delivery) -> None:
        """Carry out what the event calls for, if anything."""
        event = REGISTRY.decode(delivery.payload)
        match event.data:
            case ParticipantsUnmerged(prior=prior, survivor=survivor):
                await self._one_person.part(event, prior, survivor, self._given_back)
            case _:
                command = self._command(event)
                if command is not None:
                    await self._one_person.carry_out(event, command)

    def _given_back(self, event: Event, discharge: DischargeNotified) -> StepDownAfterDischarge | None:
        """Tell a discharge anew, after the records of two people were parted."""
        return _step_down(discharge, self._context(event, f"given-back:{discharge.discharge}"))

    def _context(self, event: Event, name: str) -> _Context:
        return _Context(
            id=derived(event.id, name),
            participant=event.subject,
            actor=_ACTOR,
            now=self._clock(),
            at=event.happened,
            correlation=event.correlationid,
            causation=event.id,
        )

    def _command(self, event: Event) -> CareCommand | None:
        common = self._context(event, "care_plan")
        match event.data:
            case Enrolled() as enrolled:
                return _open(enrolled, common)
            case DischargeNotified() as discharge:
                return _step_down(discharge, common)
            case DischargeCancelled(discharge=discharge, message=message):
                return ReverseStepDown(discharge=discharge, cause=_cause(message), **common)
            case DeathNotified(died=died):
                on = self._site.day_of(died or event.happened)
                return CloseCareOnDeath(on=on, died=died, **common)
            case _:
                return None


def _cause(message: MessageReference | None) -> str:
    """Return the trigger that took the discharge back: A13, of its admission A11, of its time another A03."""
    trigger = "" if message is None else message.trigger.rpartition("^")[2]
    return trigger if trigger in _CAUSES else "A13"


def _open(enrolled: Enrolled, common: _Context) -> OpenEpisode:
    return OpenEpisode(
        episode=derived(enrolled.enrolment, "episode"),
        program=enrolled.program,
        level=enrolled.level,
        edition=enrolled.edition,
        start=enrolled.start,
        track=enrolled.track,
        **common,
    )


def _step_down(discharge: DischargeNotified, common: _Context) -> StepDownAfterDischarge | None:
    if discharge.encounter_class in _NOT_A_STAY or not concerns_the_program(discharge.diagnoses):
        return None
    return StepDownAfterDischarge(
        discharge=discharge.discharge,
        discharged=discharge.discharged,
        from_organisation=discharge.facility,
        visit_number=discharge.visit_number,
        disposition=discharge.disposition,
        principal_diagnosis=principal(discharge.diagnoses),
        emergency=discharge.encounter_class == "EMER",
        **common,
    )
