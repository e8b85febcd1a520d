"""Entities folded from their events: from memory, else the journal and the log's tail behind it."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from uuid import UUID

from shared.commands.decision import Fold
from shared.eventlog.journal import Journal
from shared.eventlog.log import Log
from shared.eventlog.subjects import EntityKey
from shared.events.base import EventData
from shared.events.registry import REGISTRY, Registry

State = TypeVar("State")


@dataclass
class Entity(Generic[State]):
    """An entity as of its last event: `sequence` is 0 for one that has none."""

    state: State
    sequence: int = 0
    seen: set[UUID] = field(default_factory=set[UUID])  # ids of its events
    from_memory: bool = False


class Entities:
    """Loads entities, and keeps the most recently used in memory.

    What comes from memory may be behind the log: an append that expects its sequence finds out, and a
    decision that appends nothing asks the log first (`refresh`).
    """

    def __init__(self, log: Log, journal: Journal, *, keep: int, registry: Registry = REGISTRY) -> None:
        self._log = log
        self._journal = journal
        self._keep = keep
        self._registry = registry
        self._memory: OrderedDict[EntityKey, Entity[Any]] = OrderedDict()

    async def load(self, key: EntityKey, fold: Fold[State]) -> Entity[State]:
        """Return the entity, from memory where it is there."""
        if entity := self._memory.get(key):
            self._memory.move_to_end(key)
            entity.from_memory = True
            return entity
        return await self.read(key, fold)

    async def read(self, key: EntityKey, fold: Fold[State]) -> Entity[State]:
        """Return the entity as the log holds it now."""
        journal = await self._journal.entity(key)
        entity = Entity(fold.initial)
        for sequence, message in journal.messages:
            self._apply(fold, entity, sequence, message)
        await self._read_tail(key, fold, entity, behind=max(journal.checkpoint, entity.sequence))
        self._remember(key, entity)
        return entity

    async def refresh(self, key: EntityKey, fold: Fold[State], entity: Entity[State]) -> bool:
        """Fold in what was appended since; tells whether anything was."""
        before = entity.sequence
        await self._read_tail(key, fold, entity, behind=before)
        return entity.sequence != before

    def advance(self, key: EntityKey, fold: Fold[State], entity: Entity[State], appended: "Appended") -> None:
        """Move the entity by events that were just appended to it."""
        entity.state = fold.fold(entity.state, appended.events)
        entity.sequence = appended.sequence
        entity.seen.update(appended.ids)
        self._remember(key, entity)

    def forget(self, key: EntityKey) -> None:
        """Drop it from memory."""
        self._memory.pop(key, None)

    async def _read_tail(
        self, key: EntityKey, fold: Fold[State], entity: Entity[State], *, behind: int
    ) -> None:
        async for message in self._log.tail(key.stream, key.subject, behind):
            self._apply(fold, entity, message.sequence, message.payload)

    def _apply(self, fold: Fold[State], entity: Entity[State], sequence: int, message: bytes) -> None:
        event = self._registry.decode(message)
        entity.state = fold.evolve(entity.state, event.data)
        entity.sequence = sequence
        entity.seen.add(event.id)

    def _remember(self, key: EntityKey, entity: Entity[Any]) -> None:
        if entity.sequence == 0:
            return  # an entity that is not there yet is cheap to look up, and may appear from elsewhere
        self._memory[key] = entity
        self._memory.move_to_end(key)
        while len(self._memory) > self._keep:
            self._memory.popitem(last=False)


@dataclass(frozen=True)
class Appended:
    """What an append stored."""

    events: tuple[EventData, ...]
    ids: tuple[UUID, ...]
    sequence: int
