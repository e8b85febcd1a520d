"""The coordinators' open tasks. Death takes everything away and lets nothing in again."""

from collections.abc import Callable

from services.timeline.read_models.ddl import ddl_beside
from services.timeline.read_models.tasks import care, follow_ups, hospital, identity, referrals
from services.timeline.read_models.tasks.desk import DECEASED, Desk, Task
from shared.events.aftercare import AftercareClosed
from shared.events.base import EventData
from shared.events.encounter import DeathNotified
from shared.events.envelope import Recorded
from shared.events.episode import CareClosedOnDeath, EpisodeEndedEarly
from shared.projections.projection import Projection, Rows
from shared.site import Site

_Topic = Callable[[Desk, EventData], None]


def _topics() -> dict[type[EventData], tuple[_Topic, ...]]:
    """An event may close a task of one topic and open one of another."""
    topics: dict[type[EventData], tuple[_Topic, ...]] = {}
    for topic in (identity, referrals, care, hospital, follow_ups):
        for event in topic.HANDLES:
            topics[event] = (*topics.get(event, ()), topic.apply)
    return topics


_TOPICS = _topics()


def worklist(site: Site) -> Projection[Task]:
    """Return the projection; due days are the site's."""

    def apply(rows: Rows[Task], at: Recorded) -> None:
        desk = Desk(rows, at, site)
        if desk.remembers(DECEASED):
            return
        data = at.event.data
        if _tells_of_death(data):
            desk.clear()
            desk.remember(DECEASED)
            return
        for topic in _TOPICS[type(data)]:
            topic(desk, data)

    return Projection(
        name="worklist",
        version=2,
        row=Task,
        key=("participant", "task"),
        ddl=ddl_beside(__file__),
        handles=frozenset({*_TOPICS, DeathNotified, CareClosedOnDeath}),
        apply=apply,
    )


def _tells_of_death(event: EventData) -> bool:
    match event:
        case DeathNotified() | CareClosedOnDeath():
            return True
        case EpisodeEndedEarly(reason="died") | AftercareClosed(reason="died"):
            return True
        case _:
            return False
