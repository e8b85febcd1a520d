"""A made-up cohort: twenty events of each participant, as they lie on the log, many participants at once."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid5

from shared.events.base import Demographics, EventData, Identifier
from shared.events.enrolment import Enrolled
from shared.events.envelope import Event
from shared.events.episode import EpisodeOpened, LevelOfCareStarted
from shared.events.participant import ParticipantRegistered
from shared.events.referral import ReferralAccepted, ReferralReceived, Referrer
from shared.events.registry import REGISTRY, encode, schema_uri, source_of
from shared.events.session import SessionAttended, SessionScheduled

SPACE = UUID("6d1f8a52-3f5c-4a0e-9c39-1f7d25a6c0de")
START = datetime(2026, 3, 3, 9, tzinfo=UTC)
EVENTS_EACH = 20
AT_ONCE = 250


class Told(NamedTuple):
    subject: str
    id: UUID
    message: bytes


def participant(number: int) -> UUID:
    return uuid5(SPACE, f"participant-{number}")


def envelope(who: UUID, data: EventData, *, key: str, minute: int = 0, actor: str = "dana") -> Event:
    name = REGISTRY.type_of(data)
    return Event(
        specversion="1.0",
        id=uuid5(SPACE, f"{who}-{key}"),
        source=source_of(REGISTRY.category_of(data)),
        type=name,
        subject=who,
        time=START + timedelta(minutes=minute),
        dataschema=schema_uri(name, data.version),
        datacontenttype="application/json",
        actor=actor,
        purpose="treatment",
        correlationid=uuid5(SPACE, f"{who}"),
        sensitivity="MH",
        data=data,
    )


def told(who: UUID, data: EventData, *, key: str, minute: int = 0, k: int = 0, actor: str = "dana") -> Told:
    event = envelope(who, data, key=key, minute=minute, actor=actor)
    return Told(f"care.{k}.{REGISTRY.category_of(data).name}.{who}", event.id, encode(event))


def journey(number: int, k: int = 0) -> Iterator[Told]:
    """One participant: registered, referred, enrolled, and seven sessions."""
    who = participant(number)
    referral, episode = uuid5(who, "referral"), uuid5(who, "episode")
    first = (
        ParticipantRegistered(
            demographics=Demographics(
                family=f"Family{number}", given=("Ada", "M."), birth_date=date(1990, 1, 1), sex="female"
            )
        ),
        ReferralReceived(
            referral=referral,
            placer=Identifier("GENHOSP", f"R{number}", "PLAC"),
            source="hospital",
            priority="urgent",
            referrer=Referrer(name="Dr. Reed", organisation="General Hospital", phone="555-0100"),
        ),
        ReferralAccepted(referral=referral, owner="dana"),
        Enrolled(
            enrolment=uuid5(who, "enrolment"), program="iop", level="2.1", edition="3", start=START.date()
        ),
        EpisodeOpened(episode=episode, program="iop", start=START.date()),
        LevelOfCareStarted(episode=episode, level="2.1", edition="3", at="2026-03-03"),
    )
    events: list[EventData] = [*first]
    for at in range(7):
        session = uuid5(who, f"session-{at}")
        start = START + timedelta(days=at)
        events.append(
            SessionScheduled(
                session=session,
                type="group",
                start=start,
                end=start + timedelta(hours=3),
                lead="lee",
                credential="LCSW",
                modality="DBT",
            )
        )
        events.append(SessionAttended(session=session, minutes=180, lead="lee"))
    for at, data in enumerate(events):
        yield told(who, data, key=str(at), minute=at, k=k)


def cohort(participants: int, k: int = 0) -> Iterator[Told]:
    """Journeys that run beside each other, some hundred at once."""
    for first in range(0, participants, AT_ONCE):
        journeys = [list(journey(number, k)) for number in range(first, min(first + AT_ONCE, participants))]
        for together in zip(*journeys, strict=True):
            yield from together
