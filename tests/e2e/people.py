"""What is done with people's records in the tests, and what a coordinator sees of them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import msgspec

from services.timeline import queries
from shared.commands.aftercare import BookFollowUp
from shared.commands.base import Command
from shared.commands.care_plan import EndEpisodeEarly, RecordSessionAttended, ScheduleSession
from shared.commands.decision import Refused
from shared.commands.intake import Enrol, UnmergeParticipants
from shared.commands.reply import Appended
from shared.eventlog.parking import ReplayAnswer, ReplayRequest
from shared.eventlog.subjects import stream_of
from shared.events.episode import StepDownPending, StepDownReversed, SteppedDown
from shared.events.registry import REGISTRY
from shared.site import site_of
from tests.e2e.deployment import Deployment
from tests.e2e.hospital import NOW

_STEPS = (SteppedDown, StepDownPending, StepDownReversed)


async def enrol(deployment: Deployment, participant: UUID) -> None:
    await asked(deployment, enrolment(participant))


def enrolment(participant: UUID) -> Enrol:
    return Enrol(
        id=uuid4(),
        participant=participant,
        actor="coordinator:7",
        now=datetime.now(UTC),
        enrolment=uuid4(),
        program="IOP",
        level="2.1",
        edition="3",
        start=date(2026, 1, 5),
    )


async def booked(deployment: Deployment, participant: UUID) -> BookFollowUp:
    """Book an appointment for a follow-up of the record's own."""
    site, now = site_of(deployment.settings), datetime.now(UTC)
    async with deployment.database() as connection:
        owed = await queries.follow_ups(connection, site, now, participant)
    return BookFollowUp(
        id=uuid4(),
        participant=participant,
        actor="coordinator:7",
        now=now,
        follow_up=next(one.follow_up.follow_up for one in owed if one.follow_up.participant == participant),
        appointment=(now + timedelta(days=1)).isoformat(),
    )


async def part(deployment: Deployment, prior: UUID) -> None:
    command = UnmergeParticipants(
        id=uuid4(), participant=prior, actor="coordinator:7", now=datetime.now(UTC), reason="twins"
    )
    await asked(deployment, command)


async def come_to_a_session(deployment: Deployment, participant: UUID) -> None:
    """Schedule a session for tomorrow, and record as of then that the participant came."""
    start, session = datetime.now(UTC) + timedelta(days=1), uuid4()
    schedule = ScheduleSession(
        id=uuid4(),
        participant=participant,
        actor="coordinator:7",
        now=start,
        session=session,
        type="group",
        start=start,
        end=start + timedelta(hours=3),
        lead="clinician:3",
        credential="LCSW",
    )
    attend = RecordSessionAttended(
        id=uuid4(),
        participant=participant,
        actor="coordinator:7",
        now=start,
        at=schedule.end.isoformat(),
        session=session,
        minutes=180,
    )
    await asked(deployment, schedule)
    await asked(deployment, attend)


async def end(deployment: Deployment, participant: UUID) -> None:
    now = datetime.now(UTC)
    command = EndEpisodeEarly(
        id=uuid4(),
        participant=participant,
        actor="coordinator:7",
        now=now,
        on=site_of(deployment.settings).today(now),
        reason="moved",
    )
    await asked(deployment, command)


async def asked(deployment: Deployment, command: Command) -> None:
    assert isinstance(await deployment.ask(command), Appended)
    await deployment.caught_up()


async def seen_again(deployment: Deployment, *records: UUID) -> None:
    """Have the policies of care handle every event of some records once more, as after a crash."""
    told = [(at, event) for at, event in (await deployment.held()).events if event.subject in records]
    for at, event in told:
        category = REGISTRY.category_of(event.data).name
        for service in ("care_plan", "aftercare") if category == "participant" else ("aftercare",):
            consumer = f"{service}-{at.partition}"
            request = ReplayRequest(consumer, stream_of(at.partition), at.sequence)
            answer = await deployment.nats.request(
                f"replay.{service}", msgspec.json.encode(request), timeout=10
            )
            assert msgspec.json.decode(answer.data, type=ReplayAnswer) == ReplayAnswer(done=True)
    await deployment.caught_up()


async def refused_as_deceased(deployment: Deployment, command: Command) -> None:
    answer = await deployment.ask(command)
    assert isinstance(answer, Refused)
    assert answer.code == "participant-deceased"


async def sent(deployment: Deployment, *messages: bytes) -> None:
    """Send each when all that followed from the one before is done."""
    for message in messages:
        await deployment.hospital.send([message])
        await deployment.caught_up()


async def owed_after(deployment: Deployment, participant: UUID, *, left: int) -> int:
    """Return how many follow-ups are owed after the discharge of so many days ago."""
    site, now = site_of(deployment.settings), datetime.now(UTC)
    async with deployment.database() as connection:
        owed = await queries.follow_ups(connection, site, now, participant)
    day = site.today(NOW - timedelta(days=left))
    return sum(one.follow_up.is_owed and one.follow_up.index_discharge == day for one in owed)


async def steps(deployment: Deployment, participant: UUID) -> Sequence[type]:
    """Return what became of discharges in one record's care."""
    told = (await deployment.held()).about(participant)
    return [type(event.data) for event in told if isinstance(event.data, _STEPS)]


async def standing(deployment: Deployment, participant: UUID) -> tuple[str, int, list[str]]:
    """Return what a coordinator sees: the care's status, the follow-ups owed, and hospital tasks."""
    site, now = site_of(deployment.settings), datetime.now(UTC)
    async with deployment.database() as connection:
        state = await queries.care_state(connection, participant, site)
        owed = await queries.follow_ups(connection, site, now, participant)
        tasks = await queries.worklist(connection, site, now, participant=participant)
    assert state is not None
    kinds = [item.task.kind for item in tasks if item.task.kind in ("step-down", "two-episodes")]
    return state.status, sum(one.follow_up.is_owed for one in owed), kinds
