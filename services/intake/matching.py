"""When somebody is registered, whoever may be the same is looked for; and merges reach both records."""

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg
import msgspec

from services.intake.aliases import Aliases
from services.intake.deciders import participant
from services.intake.likeness import THRESHOLD, digits_of, likeness
from shared.commands.decision import derived
from shared.commands.intake import (
    LinkPriorRecord,
    ParticipantCommand,
    QueueMatchReview,
    UnlinkPriorRecord,
    UnmergeParticipants,
)
from shared.eventlog.clock import Clock
from shared.eventlog.execute import Executor
from shared.eventlog.policies import Delivery, carry_out
from shared.eventlog.subjects import parse_subject
from shared.events.base import Demographics
from shared.events.envelope import Event, Position
from shared.events.participant import (
    MatchCandidate,
    ParticipantRegistered,
    ParticipantsMerged,
    ParticipantsUnmerged,
)
from shared.events.registry import REGISTRY
from shared.projections.postgres import Pool
from shared.projections.visible import NotVisibleError, Visible
from shared.sql import statements

_ACTOR: Final = "policy:intake"
_SQL: Final = statements(Path(__file__).with_name("candidates.sql"))
_SHOWN: Final = 5
_PATIENCE_SECONDS: Final = 3.0
_AWAY = (asyncpg.PostgresError, asyncpg.InterfaceError, NotVisibleError, asyncio.TimeoutError)


class ReadSideAwayError(ConnectionError):
    """Postgres is not there, or behind: the search is made when it is back, however late."""


class Lookalikes:
    """Finds in the read model who may be the same person."""

    def __init__(self, pool: Pool, visible: Visible) -> None:
        self._pool = pool
        self._visible = visible

    async def of(self, who: UUID, told: Demographics, since: Position) -> list[MatchCandidate]:
        """Return the likeliest, the best first; everybody registered before `since` was looked at.

        Of two people in different partitions at least the one who is seen later finds the other. Raises
        ReadSideAwayError.
        """
        if told.birth_date is None or not told.family:
            return []
        try:
            await self._visible.wait_for(since, _PATIENCE_SECONDS)
            rows = await self._pool.fetch(
                _SQL["candidates"], who, told.birth_date, told.family, digits_of(told.phone)
            )
        except _AWAY as error:
            raise ReadSideAwayError(type(error).__name__) from error
        likely = [one for one in _scored(told, rows) if one.score >= THRESHOLD]
        return sorted(likely, key=lambda one: (-one.score, one.participant))[:_SHOWN]


class PeoplePolicy:
    """Handles every event of a participant's record."""

    def __init__(self, executor: Executor, aliases: Aliases, lookalikes: Lookalikes, clock: Clock) -> None:
        self._executor = executor
        self._aliases = aliases
        self._lookalikes = lookalikes
        self._clock = clock

    async def __call__(self, delivery: Delivery) -> None:
        """Carry out what the event calls for, if anything."""
        event = REGISTRY.decode(delivery.payload)
        match event.data:
            case ParticipantRegistered(demographics=told):
                position = Position(parse_subject(delivery.subject).partition, delivery.sequence)
                await self._search(event, told, position)
            case ParticipantsMerged(prior=prior, survivor=survivor):
                await self._break_circle(event, prior)
                await self._link(event, prior, survivor)
            case ParticipantsUnmerged(prior=prior, survivor=survivor):
                await self._link(event, prior, survivor)
            case _:
                pass

    async def _search(self, event: Event, told: Demographics, position: Position) -> None:
        found = await self._lookalikes.of(event.subject, told, position)
        candidates = await self._standing(event.subject, found)
        if candidates:
            command = QueueMatchReview(
                id=derived(event.id, "match-review"),
                participant=event.subject,
                actor=_ACTOR,
                now=self._clock(),
                correlation=event.correlationid,
                causation=event.id,
                candidates=tuple(candidates),
            )
            await self._carry_out(command)

    async def _standing(self, who: UUID, found: list[MatchCandidate]) -> list[MatchCandidate]:
        """Return those found as the records that stand for them, but those who are asked about this one."""
        standing: dict[UUID, MatchCandidate] = {}
        for one in found:
            survivor = await self._aliases.survivor(one.participant)
            records = (await self._aliases.state(survivor)).records
            if survivor != who and who not in {other.participant for other in records.candidates}:
                standing.setdefault(survivor, MatchCandidate(survivor, one.score))
        return list(standing.values())

    async def _link(self, event: Event, prior: UUID, survivor: UUID) -> None:
        """Make the survivor's record say what the prior's says now, whichever event this was."""
        now_into = (await self._aliases.state(prior, fresh=True)).records.survivor
        note = LinkPriorRecord if now_into == survivor else UnlinkPriorRecord
        await self._carry_out(
            note(
                id=derived(event.id, f"note-{survivor}"),
                participant=survivor,
                actor=_ACTOR,
                now=self._clock(),
                correlation=event.correlationid,
                causation=event.id,
                prior=prior,
            )
        )

    async def _break_circle(self, event: Event, prior: UUID) -> None:
        """Take back a merge that closed a circle: two opposite ones, asked at the same moment, may do so."""
        last = (await self._aliases.line(prior, fresh=True))[-1]
        if (await self._aliases.state(last)).records.survivor is not None:
            await self._carry_out(
                UnmergeParticipants(
                    id=derived(event.id, "break-circle"),
                    participant=prior,
                    actor=_ACTOR,
                    now=self._clock(),
                    correlation=event.correlationid,
                    causation=event.id,
                    reason="It was merged into a record that is merged into this one.",
                )
            )

    async def _carry_out(self, command: ParticipantCommand) -> None:
        await carry_out(
            self._executor,
            participant.DECIDER,
            command,
            unless={"merged", "participant-deceased"},
            not_yet={"participant-unknown"},
        )


def _scored(told: Demographics, rows: Iterable[asyncpg.Record]) -> Iterator[MatchCandidate]:
    """Yield every record with its score; records that tell the same are compared once."""
    scores: dict[Demographics, float] = {}
    for row in rows:
        other = _demographics(row)
        if other not in scores:
            scores[other] = likeness(told, other)
        yield MatchCandidate(row["participant"], scores[other])


def _demographics(row: asyncpg.Record) -> Demographics:
    return msgspec.convert({key: value for key, value in row.items() if key != "participant"}, Demographics)
