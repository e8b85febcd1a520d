"""The current care state of each participant: every event moves it, if only its position."""

from collections.abc import Callable

from msgspec.structs import replace

from services.timeline.read_models.care import assessments, encounters, episode, people, plan, referrals
from services.timeline.read_models.care.state import CareState, status_of
from services.timeline.read_models.ddl import ddl_beside
from shared.events.base import EventData
from shared.events.envelope import Recorded
from shared.events.identity import IdentifierClaimed
from shared.events.registry import REGISTRY
from shared.projections.projection import Projection, Rows
from shared.site import Site

_Topic = Callable[[CareState, EventData], CareState]

_TOPICS: dict[type[EventData], _Topic] = {
    event: topic.evolve
    for topic in (people, encounters, assessments, referrals, episode)
    for event in topic.HANDLES
}
_DATED_TOPICS: dict[type[EventData], Callable[[CareState, Recorded, Site], CareState]] = dict.fromkeys(
    plan.HANDLES, plan.evolve
)


def participant(site: Site) -> Projection[CareState]:
    """Return the projection; days are the site's."""

    def apply(rows: Rows[CareState], at: Recorded) -> None:
        event = at.event
        state = rows.get(event.subject) or CareState(participant=event.subject)
        kind = type(event.data)
        if topic := _TOPICS.get(kind):
            state = topic(state, event.data)
        elif dated := _DATED_TOPICS.get(kind):
            state = dated(state, at, site)
        where = at.position
        rows.put(replace(state, status=status_of(state), k=where.partition, seq=where.sequence))

    return Projection(
        name="participant",
        version=4,
        row=CareState,
        key=("participant",),
        ddl=ddl_beside(__file__),
        handles=frozenset(REGISTRY.types.values()) - {IdentifierClaimed},  # a claim is of another partition
        apply=apply,
    )
