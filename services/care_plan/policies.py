"""When intake tells of an enrolment, a discharge or a death, the participant's care follows."""

from datetime import datetime
from typing import Final, TypedDict
from uuid import UUID

from services.care_plan.deciders import care
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
from shared.eventlog.policies import Delivery, carry_out
from shared.events.encounter import DeathNotified, DischargeCancelled, DischargeNotified, EncounterClass
from shared.events.enrolment import Enrolled
from shared.events.envelope import Event
from shared.events.moment import Moment
from shared.events.registry import REGISTRY
from shared.site import Site

_ACTOR: Final = "policy:care_plan"
_NOT_A_STAY: Final[frozenset[EncounterClass]] = frozenset({"AMB", "HH"})
_AFTER_DEATH: Final = frozenset({"participant-deceased"})


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

    def __init__(self, executor: Executor, site: Site, clock: Clock) -> None:
        self._executor = executor
        self._site = site
        self._clock = clock

    async def __call__(self, delivery: Delivery) -> None:
        """Carry out what the event calls for, if anything."""
        event = REGISTRY.decode(delivery.payload)
        command = self._command(event)
        if command is not None:
            await carry_out(self._executor, care.DECIDER, command, unless=_AFTER_DEATH)

    def _command(self, event: Event) -> CareCommand | None:
        common = _Context(
            id=derived(event.id, "care_plan"),
            participant=event.subject,
            actor=_ACTOR,
            now=self._clock(),
            at=event.happened,
            correlation=event.correlationid,
            causation=event.id,
        )
        match event.data:
            case Enrolled() as enrolled:
                return _open(enrolled, common)
            case DischargeNotified() as discharge:
                return _step_down(discharge, common)
            case DischargeCancelled(discharge=discharge):
                return ReverseStepDown(discharge=discharge, cause="A13", **common)
            case DeathNotified(died=died):
                on = self._site.day_of(died or event.happened)
                return CloseCareOnDeath(on=on, died=died, **common)
            case _:
                return None


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
