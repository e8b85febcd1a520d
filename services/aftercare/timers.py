"""The end of a follow-up's window: a timer set when it is owed, a command when it fires."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID

import msgspec

from services.aftercare.deciders import aftercare
from shared.commands.aftercare import CloseFollowUpWindow
from shared.commands.decision import derived
from shared.eventlog.clock import Clock
from shared.eventlog.execute import Executor
from shared.eventlog.policies import Delivery, carry_out
from shared.eventlog.subjects import EntityKey
from shared.eventlog.timers import Timers
from shared.events.envelope import Event
from shared.records import Records
from shared.site import Site

_ACTOR: Final = "timer:aftercare"
_AFTER_DEATH: Final = frozenset({"participant-deceased"})
_DECODER: Final = msgspec.json.Decoder(CloseFollowUpWindow)


class WindowTimers:
    """Sets the timers, and handles those that fired."""

    def __init__(
        self, executor: Executor, records: Records, timers: Timers, site: Site, clock: Clock
    ) -> None:
        self._executor = executor
        self._records = records
        self._timers = timers
        self._site = site
        self._clock = clock

    async def set(self, event: Event, follow_up: UUID, due: date) -> None:
        """Have the window looked at when its last day is over at the site."""
        closes = datetime.combine(due + timedelta(days=1), time(), self._site.tz).astimezone(UTC)
        command = CloseFollowUpWindow(
            id=derived(event.id, "window-closed"),
            participant=event.subject,
            actor=_ACTOR,
            now=closes,
            follow_up=follow_up,
            today=due + timedelta(days=1),
            correlation=event.correlationid,
            causation=event.id,
        )
        await self._timers.set(str(follow_up), closes, command)

    async def set_again(self, event: Event, follow_up: UUID, key: EntityKey) -> None:
        """Set the timer of a follow-up that is owed again: the first may have fired in between."""
        state = (await self._executor.entity(aftercare.DECIDER, key)).state
        if (known := state.follow_ups.get(follow_up)) is not None:
            await self.set(event, follow_up, known.owed.due)

    async def fired(self, delivery: Delivery) -> None:
        """Close the window: by the clock of now, whatever time the timer was set for; not of the dead."""
        command = _DECODER.decode(delivery.payload)
        if await self._records.died_elsewhere(command.participant):
            return
        now = self._clock()
        command = msgspec.structs.replace(command, now=now, today=self._site.today(now))
        await carry_out(self._executor, aftercare.DECIDER, command, unless=_AFTER_DEATH)
