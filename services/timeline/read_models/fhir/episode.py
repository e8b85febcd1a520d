"""EpisodeOfCare: the episode with its level of care as a second type."""

from collections.abc import Iterable
from datetime import date
from typing import Final, cast
from uuid import UUID

from msgspec.structs import replace

from services.timeline.read_models.fhir.drawing import Drawn, Held, Topic
from services.timeline.read_models.fhir.elements import (
    CodeableConcept,
    Period,
    Reference,
    Resource,
    local,
    patient,
)
from shared.events.envelope import Recorded
from shared.events.episode import (
    CareClosedOnDeath,
    EpisodeCompleted,
    EpisodeEndedEarly,
    EpisodeOpened,
    EpisodePaused,
    EpisodeResumed,
    LevelOfCareStarted,
    StepDownReversed,
    SteppedDown,
    SteppedUp,
)
from shared.events.moment import before

_STEP: Final = 4  # parts of a remembered step: level, edition, moment, discharge

_OfEpisode = (
    EpisodeOpened
    | LevelOfCareStarted
    | SteppedUp
    | SteppedDown
    | EpisodePaused
    | EpisodeResumed
    | EpisodeCompleted
    | EpisodeEndedEarly
)


class EpisodeOfCare(Resource, frozen=True, kw_only=True, tag="EpisodeOfCare"):
    """http://hl7.org/fhir/R4/episodeofcare.html"""

    status: str
    patient: Reference
    type: tuple[CodeableConcept, ...] = ()
    period: Period | None = None


def _draw(held: Held, at: Recorded) -> Iterable[Drawn]:
    match at.event.data:
        case StepDownReversed(discharge=discharge):
            for episode in held.all(EpisodeOfCare):
                yield _reversed(episode, held.memo(EpisodeOfCare, episode.id), discharge)
        case CareClosedOnDeath():
            for episode in held.all(EpisodeOfCare):
                ended = episode.status in {"finished", "cancelled"}
                closed = episode if ended else replace(episode, status="finished")
                yield Drawn(closed, memo=held.memo(EpisodeOfCare, episode.id))
        case EpisodeOpened() as event:
            yield Drawn(_opened(at, event))
        case _:
            yield from _evolved(held, cast("_OfEpisode", at.event.data))


def _evolved(held: Held, event: _OfEpisode) -> Iterable[Drawn]:
    had, steps = held.get(EpisodeOfCare, event.episode), held.memo(EpisodeOfCare, event.episode)
    if had is None:
        return
    match event:
        case LevelOfCareStarted(level=level, edition=edition, at=at):
            yield _at_level(had, (_step(level, edition, at),))
        case SteppedUp(to_level=level, edition=edition, at=at):
            yield _stepped(had, steps, _step(level, edition, at))
        case SteppedDown(to_level=level, edition=edition, at=at, discharge=discharge):
            yield _stepped(had, steps, _step(level, edition, at, discharge))
        case EpisodePaused():
            yield Drawn(replace(had, status="onhold"), memo=steps)
        case EpisodeResumed():
            yield Drawn(replace(had, status="active"), memo=steps)
        case EpisodeCompleted(on=on):
            yield Drawn(_ended(had, "finished", on), memo=steps)
        case EpisodeEndedEarly(on=on):
            yield Drawn(_ended(had, "cancelled", on), memo=steps)
        case _:
            return


def _opened(at: Recorded, event: EpisodeOpened) -> EpisodeOfCare:
    program = CodeableConcept(text=f"{event.program}, {event.track}" if event.track else event.program)
    return EpisodeOfCare(
        id=event.episode,
        status="active",
        patient=patient(at.event.subject),
        type=(program,),
        period=Period(start=event.start.isoformat()),
    )


def _ended(had: EpisodeOfCare, status: str, on: date) -> EpisodeOfCare:
    start = had.period and had.period.start
    end = None if start and on.isoformat() < start else on.isoformat()
    return replace(had, status=status, period=Period(start=start, end=end))


def _step(level: str, edition: str, at: str, discharge: UUID | None = None) -> str:
    return f"{level} {edition} {at} {discharge or '-'}"


def _stepped(had: EpisodeOfCare, steps: tuple[str, ...], step: str) -> Drawn:
    """A step told after a later one moves no level."""
    if steps and before(_parts(step)[2], _parts(steps[-1])[2]):
        return Drawn(had, memo=steps)
    return _at_level(had, (*steps, step))


def _reversed(had: EpisodeOfCare, steps: tuple[str, ...], discharge: UUID) -> Drawn:
    kept = tuple(step for step in steps if _parts(step)[3] != str(discharge))
    return _at_level(had, kept)


def _at_level(had: EpisodeOfCare, steps: tuple[str, ...]) -> Drawn:
    level = ()
    if steps:
        code, edition, *_ = _parts(steps[-1])
        level = (local(f"asam-{edition}", code),)
    return Drawn(replace(had, type=(*had.type[:1], *level)), memo=steps)


def _parts(step: str) -> list[str]:
    return step.rsplit(" ", _STEP - 1)


TOPIC = Topic(
    handles=(
        EpisodeOpened,
        LevelOfCareStarted,
        SteppedUp,
        SteppedDown,
        StepDownReversed,
        EpisodePaused,
        EpisodeResumed,
        EpisodeCompleted,
        EpisodeEndedEarly,
        CareClosedOnDeath,
    ),
    draw=_draw,
)
