"""When care ends or a discharge is told, follow-ups are owed; when it turns out otherwise, they are not."""

from collections.abc import AsyncIterator, Container
from datetime import datetime
from typing import Final, TypedDict
from uuid import UUID

from msgspec.structs import replace

from services.aftercare.deciders import aftercare
from services.aftercare.known_stays import INPATIENT, KnownStays, Readmission
from services.aftercare.sessions import SESSIONS
from services.aftercare.timers import WindowTimers
from shared.commands.aftercare import (
    AftercareCommand,
    CancelReadmission,
    CloseAftercare,
    CreditSession,
    NoteReadmission,
    ScheduleCheckIns,
    ScheduleFollowUps,
    SupersedeFollowUps,
)
from shared.commands.decision import derived
from shared.diagnoses import is_substance_use
from shared.eventlog.clock import Clock
from shared.eventlog.execute import Executor
from shared.eventlog.log import Log
from shared.eventlog.policies import Delivery, carry_out
from shared.eventlog.subjects import parse_subject
from shared.events.aftercare import AftercareScheduled, FollowUpReinstated
from shared.events.base import EventData
from shared.events.encounter import AdmissionCancelled, InpatientAdmissionNotified, TransferNotified
from shared.events.envelope import Event
from shared.events.episode import (
    CareClosedOnDeath,
    EpisodeCompleted,
    StepDownPending,
    StepDownReversed,
    SteppedDown,
)
from shared.events.moment import Moment
from shared.events.participant import ParticipantsUnmerged, PriorRecordLinked
from shared.events.registry import REGISTRY
from shared.events.session import SessionAttended
from shared.records import Records
from shared.site import Site

_ACTOR: Final = "policy:aftercare"
_BELOW_IOP: Final = frozenset({"0.5", "1", "1.0", "1.5", "1.7"})  # ASAM, third and fourth edition
_DISCHARGES: Final = (SteppedDown, StepDownPending)
_REVERSALS: Final = (StepDownReversed, AdmissionCancelled)
_AFTER_DEATH: Final = frozenset({"participant-deceased"})


class _Context(TypedDict):
    participant: UUID
    actor: str
    now: datetime
    at: Moment
    correlation: UUID
    causation: UUID


class AftercarePolicy:
    """Handles every event of a participant's record, care and aftercare."""

    def __init__(
        self,
        executor: Executor,
        records: Records,
        log: Log,
        windows: WindowTimers,
        site: Site,
        clock: Clock,
    ) -> None:
        self._executor = executor
        self._records = records
        self._log = log
        self._stays = KnownStays(executor, records, site)
        self._windows = windows
        self._site = site
        self._clock = clock

    async def __call__(self, delivery: Delivery) -> None:
        """Carry out what the event calls for, if anything."""
        event = REGISTRY.decode(delivery.payload)
        match event.data:
            case AftercareScheduled(follow_up=follow_up, due=due):
                await self._windows.set(event, follow_up, due)
            case FollowUpReinstated(follow_up=follow_up):
                await self._windows.set_again(event, follow_up, parse_subject(delivery.subject))
            case SessionAttended(session=session):
                await self._credit(event, delivery, [session])
            case TransferNotified(encounter_class="UNK" | "AMB"):
                pass
            case PriorRecordLinked() | TransferNotified():  # an emergency may have become a stay (A06)
                async for stay in self._stays.readmissions(event.subject):
                    await self._carry_out(self._readmitted(event, stay))
            case ParticipantsUnmerged(prior=prior, survivor=survivor):
                async for stay in self._stays.parted(prior, survivor):
                    await self._carry_out(self._not_readmitted(event, stay))
            case _:
                await self._everywhere(event, self._command(event))
                await self._everywhere(event, await self._undoing(event, delivery))
                if isinstance(event.data, _DISCHARGES):
                    await self._credit(event, delivery)
                    await self._overtaken(event, event.data)

    async def _carry_out(self, command: AftercareCommand | None) -> None:
        if command is not None:
            await carry_out(self._executor, aftercare.DECIDER, command, unless=_AFTER_DEATH)

    async def _everywhere(self, event: Event, command: AftercareCommand | None) -> None:
        """Carry it out; what is about a readmission, in every record of a person that may owe follow-ups."""
        await self._carry_out(command)
        if isinstance(event.data, InpatientAdmissionNotified | AdmissionCancelled) and event.data.also:
            for record in await self._others(event.subject):
                await self._carry_out(command and _in_record(command, record))

    async def _others(self, record: UUID) -> list[UUID]:
        return [other for other in await self._records.of_person(record) if other != record]

    async def _credit(self, event: Event, delivery: Delivery, only: Container[UUID] | None = None) -> None:
        """Count attended sessions as follow-ups; after a discharge told late, those before it, too.

        A session counts for a person: also in records of theirs that it is not in.
        """
        key = parse_subject(delivery.subject)
        sessions = (await self._executor.entity(SESSIONS, key, fresh=True)).state
        others = await self._others(event.subject) if only else []
        for session, start in sessions.attended():
            if only is None or session in only:
                command = CreditSession(
                    id=derived(event.id, f"credit:{session}"),
                    session=session,
                    on=self._site.today(start),
                    **self._context(event),
                )
                await self._carry_out(command)
                for other in others:
                    await self._carry_out(_in_record(command, other))

    async def _overtaken(self, event: Event, discharge: SteppedDown | StepDownPending) -> None:
        """Note readmissions that were known before the discharge was told, and tell other records of it."""
        if discharge.discharge is None or discharge.discharged is None:
            return
        index = self._site.day_of(discharge.discharged)
        async for stay in self._stays.readmissions(event.subject):
            is_later = stay.record == event.subject and stay.on >= index
            if is_later or stay.stay == discharge.discharge:
                await self._carry_out(self._readmitted(event, stay))

    def _readmitted(self, event: Event, stay: Readmission) -> NoteReadmission:
        context = self._context(event)
        context["participant"] = stay.record
        id_ = derived(event.id, f"readmission:{stay.stay}:{stay.record}")
        return NoteReadmission(
            id=id_, admission=stay.stay, admitted_on=stay.on, same_day=stay.same_day, **context
        )

    def _not_readmitted(self, event: Event, stay: Readmission) -> CancelReadmission:
        context = self._context(event)
        context["participant"] = stay.record
        id_ = derived(event.id, f"parted:{stay.stay}:{stay.record}")
        return CancelReadmission(id=id_, admission=stay.stay, **context)

    async def _undoing(self, event: Event, delivery: Delivery) -> AftercareCommand | None:
        """Return what undoes the event where the log says already that it was undone.

        After a retry a reversal may have been handled before what it reverses, with nothing to undo.
        """
        what = None if isinstance(event.data, _REVERSALS) else _reversible(event.data)
        if what is None:
            return None
        async for later in self._later(delivery):
            if isinstance(later.data, _REVERSALS) and _reversible(later.data) == what:
                return self._command(later)
        return None

    async def _later(self, delivery: Delivery) -> AsyncIterator[Event]:
        async for message in self._log.tail(delivery.stream, delivery.subject, delivery.sequence):
            yield REGISTRY.decode(message.payload)

    def _command(self, event: Event) -> AftercareCommand | None:
        id_ = derived(event.id, "aftercare")
        common = self._context(event)
        match event.data:
            case StepDownReversed(discharge=discharge):
                return SupersedeFollowUps(id=id_, discharge=discharge, **common)
            case CareClosedOnDeath():
                return CloseAftercare(id=id_, reason="died", **common)
            case InpatientAdmissionNotified() | AdmissionCancelled():
                return self._after_admission(event, event.data, id_, common)
            case SteppedDown(discharge=UUID()) | StepDownPending():
                return self._after_discharge(event.data, id_, common)
            case _:
                return self._after_program(event, id_, common)

    def _after_admission(
        self,
        event: Event,
        notice: InpatientAdmissionNotified | AdmissionCancelled,
        id_: UUID,
        common: _Context,
    ) -> AftercareCommand | None:
        if isinstance(notice, AdmissionCancelled):
            return CancelReadmission(id=id_, admission=notice.admission, **common)
        if notice.encounter_class not in INPATIENT:
            return None
        admitted = self._site.day_of(notice.admitted or event.happened)
        return NoteReadmission(id=id_, admission=notice.admission, admitted_on=admitted, **common)

    def _after_program(self, event: Event, id_: UUID, common: _Context) -> ScheduleCheckIns | None:
        match event.data:
            case SteppedDown(to_level=level, at=at) if level in _BELOW_IOP:
                return ScheduleCheckIns(id=id_, origin=event.id, ended_on=self._site.day_of(at), **common)
            case EpisodeCompleted(on=on):
                return ScheduleCheckIns(id=id_, origin=event.id, ended_on=on, **common)
            case _:
                return None

    def _after_discharge(
        self, step_down: SteppedDown | StepDownPending, id_: UUID, common: _Context
    ) -> ScheduleFollowUps | None:
        if step_down.discharge is None or step_down.discharged is None:
            return None
        return ScheduleFollowUps(
            id=id_,
            discharge=step_down.discharge,
            index_discharge=self._site.day_of(step_down.discharged),
            provider_type="substance-use"
            if is_substance_use(step_down.principal_diagnosis)
            else "mental-health",
            visit_number=step_down.visit_number,
            emergency=step_down.emergency,
            **common,
        )

    def _context(self, event: Event) -> _Context:
        return _Context(
            participant=event.subject,
            actor=_ACTOR,
            now=self._clock(),
            at=event.happened,
            correlation=event.correlationid,
            causation=event.id,
        )


def _in_record(command: AftercareCommand, record: UUID) -> AftercareCommand:
    return replace(command, id=derived(command.id, str(record)), participant=record)


def _reversible(event: EventData) -> UUID | None:
    """Return which stay's end or beginning the event tells, or takes back."""
    match event:
        case SteppedDown(discharge=stay) | StepDownPending(discharge=stay) | StepDownReversed(discharge=stay):
            return stay
        case InpatientAdmissionNotified(admission=stay) | AdmissionCancelled(admission=stay):
            return stay
        case _:
            return None
