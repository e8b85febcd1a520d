"""Runs a command: load, decide, append; again where somebody else was first."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any, Final, TypeVar
from weakref import WeakValueDictionary
from zoneinfo import ZoneInfo

from shared import metrics
from shared.commands import reply
from shared.commands.base import Command
from shared.commands.decision import Decider, Fold, Refused, refused
from shared.eventlog.entities import Appended, Entities, Entity
from shared.eventlog.errors import ConflictError
from shared.eventlog.log import Log, Message
from shared.eventlog.subjects import EntityKey, key_of
from shared.events.base import EventData
from shared.events.envelope import Event, Position, time_of
from shared.events.moment import moment
from shared.events.registry import REGISTRY, encode, event_id, schema_uri, source_of
from shared.settings import Settings

TRIES: Final = 5
CONFLICT: Final = "conflict"  # code of the one refusal that asking again may change
_BACKOFF_SECONDS: Final = 0.002

State = TypeVar("State")
Outcome = reply.Appended | reply.Unchanged | Refused


class Executor:
    """Executes commands on entities of the log."""

    def __init__(self, log: Log, entities: Entities, settings: Settings) -> None:
        self._log = log
        self._entities = entities
        self._partitions = settings.partitions
        self._zone = ZoneInfo(settings.site_zone)
        self._sensitivity = settings.sensitivity
        self._locks: WeakValueDictionary[EntityKey, asyncio.Lock] = WeakValueDictionary()

    async def execute(
        self, decider: Decider[Any, Any], command: Command, *, expect_new: bool = False
    ) -> Outcome:
        """Run the command and answer what became of it.

        `expect_new` skips the first look-up, where the entity is most likely not there yet. Raises
        LogUnavailableError; then it is not known whether the events were stored, and the same command
        asked again answers it.
        """
        key = key_of(command, self._partitions)
        async with self._lock(key):
            return await self._execute(key, decider, command, expect_new=expect_new)

    async def entity(self, fold: Fold[State], key: EntityKey, *, fresh: bool = False) -> Entity[State]:
        """Load an entity to look at; from memory it may be behind the log, unless it is to be `fresh`.

        A process reads all entities of a category with one and the same fold.
        """
        async with self._lock(key):
            entity = await self._entities.load(key, fold)
            if fresh and entity.from_memory:
                await self._entities.refresh(key, fold, entity)
            return entity

    async def _execute(
        self, key: EntityKey, decider: Decider[Any, Any], command: Command, *, expect_new: bool
    ) -> Outcome:
        for attempt in range(TRIES):
            if expect_new and attempt == 0:
                entity = Entity(decider.initial)
            else:
                entity = await self._entities.load(key, decider)
            decision = await self._decide(
                key, decider, command, entity, trust_new=expect_new and attempt == 0
            )
            if isinstance(decision, Refused):
                return decision
            if not decision:
                return _unchanged(key, entity)
            try:
                return await self._append(key, decider, command, entity, decision)
            except ConflictError:
                await self._catch_up(key, decider, entity)
                await asyncio.sleep(random.uniform(0, _BACKOFF_SECONDS * 2**attempt))  # noqa: S311 -- a delay
        return refused(CONFLICT, "Others keep changing this record at the same time. Please try again.")

    async def _catch_up(self, key: EntityKey, decider: Decider[Any, Any], entity: Entity[Any]) -> None:
        """Fold in what somebody else appended first; where nothing was, the state itself is not trusted."""
        metrics.CONFLICTS.labels(key.category).inc()
        if entity.sequence == 0 or not await self._entities.refresh(key, decider, entity):
            self._entities.forget(key)

    async def _decide(
        self,
        key: EntityKey,
        decider: Decider[Any, Any],
        command: Command,
        entity: Entity[Any],
        *,
        trust_new: bool,
    ) -> Sequence[EventData] | Refused:
        """Decide; an answer that appends nothing is not given on a state that may be behind the log."""
        decision = _decision(decider, command, entity)
        if decision and not isinstance(decision, Refused):
            return decision
        if (entity.from_memory or trust_new) and await self._entities.refresh(key, decider, entity):
            return _decision(decider, command, entity)
        return decision

    async def _append(
        self,
        key: EntityKey,
        decider: Decider[Any, Any],
        command: Command,
        entity: Entity[Any],
        decision: Sequence[EventData],
    ) -> reply.Appended:
        events = [self._event(command, data, number) for number, data in enumerate(decision)]
        messages = [Message(event.id, encode(event)) for event in events]
        sequence = await self._log.append(key, messages, entity.sequence)
        for event in events:
            metrics.EVENTS_APPENDED.labels(event.type).inc()
        ids = tuple(event.id for event in events)
        self._entities.advance(key, decider, entity, Appended(tuple(decision), ids, sequence))
        return reply.Appended(
            position=Position(key.partition, sequence), events=tuple(event.type for event in events)
        )

    def _event(self, command: Command, data: EventData, number: int) -> Event:
        type_name = REGISTRY.type_of(data)
        time, precision = time_of(command.at or moment(command.now), self._zone)
        return Event(
            specversion="1.0",
            id=event_id(command.id, number),
            source=source_of(REGISTRY.category_of(data)),
            type=type_name,
            subject=command.participant,
            time=time,
            dataschema=schema_uri(type_name, data.version),
            datacontenttype="application/json",
            actor=command.actor,
            purpose=command.purpose,
            correlationid=command.correlation or command.id,
            sensitivity=self._sensitivity,
            data=data,
            causationid=command.causation,
            traceparent=command.traceparent,
            timeprecision=precision,
        )

    def _lock(self, key: EntityKey) -> asyncio.Lock:
        """One command at a time on an entity in this process: others would only conflict."""
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        return lock


def _decision(
    decider: Decider[Any, Any], command: Command, entity: Entity[Any]
) -> Sequence[EventData] | Refused:
    if entity.seen and event_id(command.id, 0) in entity.seen:
        return ()  # this very command was executed before
    return decider.decide(command, entity.state)


def _unchanged(key: EntityKey, entity: Entity[Any]) -> reply.Unchanged:
    position = Position(key.partition, entity.sequence) if entity.sequence else None
    return reply.Unchanged(position=position)
