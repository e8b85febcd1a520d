"""Where one journey plays: a made-up person, times around today, and what was promised about them."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from services.console.asking import Common, new_id
from services.console.demo import hl7
from services.console.demo.front_door import FrontDoor
from services.console.faults import Failed
from services.console.waiting import until
from shared.commands.aftercare import AftercareCommand
from shared.commands.care_plan import (
    CareCommand,
    RecordSessionAttended,
    RecordSessionMissed,
    ScheduleSession,
)
from shared.commands.intake import AcceptReferral, Enrol, RecordAssessment
from shared.events.assessment import AsamEdition, Instrument
from shared.events.base import Identifier
from shared.events.moment import moment
from shared.site import site_of

COORDINATOR: Final = "coordinator:demo"
PROMISE_SECONDS: Final = 30.0
_PARTICIPANT: Final = "select participant from read.participant where $1 = any (identifiers)"
_REFERRAL: Final = "select referral from read.referral_status where participant = $1 limit 1"
_LEAD: Final = "clinician:demo"


class Stage:
    """One journey's person, hospital and coordinator."""

    def __init__(self, door: FrontDoor, patient: hl7.Patient) -> None:
        self.door = door
        self.patient = patient
        self.site = site_of(door.settings)
        self._messages = 0

    @property
    def identifier(self) -> Identifier:
        """The hospital's number of the person."""
        return Identifier(hl7.FACILITY, self.patient.number)

    @property
    def placer(self) -> str:
        """The hospital's number of the referral."""
        return f"R-{self.patient.number}"

    def day(self, days: int) -> date:
        """Return the day so many days from today, at the site."""
        return self.site.today(datetime.now(UTC)) + timedelta(days=days)

    def at(self, days: int, hour: int = 10) -> datetime:
        """Return an hour of that day at the site; never in the future where the day is not."""
        wanted = datetime.combine(self.day(days), time(hour), self.site.tz)
        return wanted if days > 0 else min(wanted, datetime.now(self.site.tz).replace(microsecond=0))

    # The hospital

    async def refers(self, days: int, priority: str = "R") -> None:
        """Send a referral as of that day, again and again the same one in another message."""
        await self.door.send(
            hl7.referral(
                self.patient,
                control_id=self._control_id(),
                placer=self.placer,
                sent=self.at(days),
                priority=priority,
            )
        )

    def stay(self, admitted: int, discharged: int | None = None) -> hl7.Stay:
        """An inpatient stay between those days."""
        return hl7.Stay(
            visit_number=f"V-{self.patient.number}",
            admitted=self.at(admitted, 9),
            discharged=None if discharged is None else self.at(discharged, 9),
        )

    async def admits(self, stay: hl7.Stay) -> None:
        """Tell of the admission."""
        await self.door.send(hl7.admission(self.patient, stay, control_id=self._control_id()))

    async def discharges(self, stay: hl7.Stay) -> None:
        """Tell of the discharge."""
        await self.door.send(hl7.discharge(self.patient, stay, control_id=self._control_id()))

    async def cancels_discharge(self, stay: hl7.Stay) -> None:
        """Tell that the discharge did not happen."""
        message = hl7.cancelled_discharge(self.patient, stay, control_id=self._control_id(), sent=self.at(0))
        await self.door.send(message)

    # The coordinator

    async def participant(self) -> UUID:
        """Return who the person is here, once that is known."""
        named = f"{self.identifier.assigner}|{self.identifier.value}"
        await self.expect("the person is known", f"select exists ({_PARTICIPANT})", named)
        return await self.door.one(_PARTICIPANT, named)

    async def referral(self) -> UUID:
        """Return the person's referral, once it is seen."""
        participant = await self.participant()
        await self.expect("the referral is received", f"select exists ({_REFERRAL})", participant)
        return await self.door.one(_REFERRAL, participant)

    async def accepts(self, days: int) -> UUID:
        """Accept the referral as of that day; returns its id."""
        referral = await self.referral()
        await self.door.ask(
            AcceptReferral(
                **await self.common(),
                at=moment(self.at(days, 15)),
                referral=referral,
                owner=COORDINATOR,
                expected_by=self.day(days + 7),
            )
        )
        return referral

    async def enrols(self, start: int) -> None:
        """Enrol in the program from that day on, and wait until care has begun."""
        settings = self.door.settings
        edition: AsamEdition = "4" if settings.asam_edition == "4" else "3"
        await self.door.ask(
            Enrol(
                **await self.common(),
                at=moment(self.day(start)),
                enrolment=new_id(),
                program=settings.program,
                level=settings.program_level,
                edition=edition,
                start=self.day(start),
                referral=await self.referral(),
            )
        )
        await self.expect(
            "an episode is open", _SAYS + "episode_status = 'active')", await self.participant()
        )

    async def assesses(self, instrument: Instrument, *answers: int, days: int = 0) -> None:
        """Record an instrument's answers."""
        when = moment(self.at(days, 11))
        await self.door.ask(
            RecordAssessment(
                **await self.common(),
                at=when,
                assessment=new_id(),
                instrument=instrument,
                items={str(number): answer for number, answer in enumerate(answers, 1)},
                administered_at=when,
            )
        )

    async def schedules(self, days: int, *, group: str = "skills") -> UUID:
        """Schedule a group session on that day; returns its id."""
        session, start = new_id(), self.at(days, 9)
        await self.door.ask(
            ScheduleSession(
                **await self.common(),
                at=moment(min(start, self.at(0))),
                session=session,
                type="group",
                start=start,
                end=start + timedelta(hours=3),
                lead=_LEAD,
                credential="LCSW",
                modality="DBT",
                group=group,
            )
        )
        return session

    async def session(self, days: int, *, attended: bool) -> None:
        """Schedule a session in the past, and record whether the person came."""
        session, when = await self.schedules(days), moment(self.at(days, 12))
        common = await self.common()
        outcome: CareCommand = (
            RecordSessionAttended(**common, at=when, session=session, minutes=180)
            if attended
            else RecordSessionMissed(**common, at=when, session=session)
        )
        await self.door.ask(outcome)

    async def follow_up(self, kind: str) -> UUID:
        """Return the person's follow-up of that kind, once it is owed."""
        query = "select follow_up from read.follow_up where participant = $1 and kind = $2"
        participant = await self.participant()
        await self.expect(f"a {kind} is owed", f"select exists ({query})", participant, kind)
        return await self.door.one(query, participant, kind)

    async def records(self, command: AftercareCommand) -> None:
        """Record something about a follow-up."""
        await self.door.ask(command)

    async def common(self) -> Common:
        """Return the common fields of a command about the person."""
        return Common(
            id=new_id(), participant=await self.participant(), actor=COORDINATOR, now=datetime.now(UTC)
        )

    # The promises

    async def expect(self, what: str, query: str, *arguments: object) -> None:
        """Wait until the read models say so; raises Failed naming what they do not say."""
        if not await until(lambda: self.door.holds(query, *arguments), PROMISE_SECONDS):
            raise self.broken(what)

    def broken(self, what: str) -> Failed:
        """The promise is not kept."""
        return Failed(f"this did not come true within {PROMISE_SECONDS:g} s: {what}.")

    async def is_held(self) -> bool:
        """Wait until a notice about the person is held; False where it is not in time."""
        return await until(lambda: self.door.is_held(self.identifier), PROMISE_SECONDS)

    async def expect_care(self, what: str, condition: str) -> None:
        """Expect something of the participant's current care state."""
        await self.expect(what, f"{_SAYS}{condition})", await self.participant())

    async def expect_referral(self, status: str) -> None:
        """Expect the referral in a status of the harmonised table."""
        query = "select exists (select from read.referral_status where participant = $1 and status = $2)"
        await self.expect(f"the referral is {status}", query, await self.participant(), status)

    async def expect_follow_up(self, kind: str, status: str) -> None:
        """Expect the follow-up of a kind in a status."""
        query = (
            "select exists (select from read.follow_up where participant = $1 and kind = $2 and status = $3)"
        )
        await self.expect(f"the {kind} is {status}", query, await self.participant(), kind, status)

    async def expect_task(self, kind: str) -> None:
        """Expect a task of a kind on the worklist."""
        query = (
            "select exists (select from read.worklist"
            " where participant = $1 and kind = $2 and held_for is null)"
        )
        await self.expect(f"a task {kind} is on the worklist", query, await self.participant(), kind)

    def _control_id(self) -> str:
        self._messages += 1
        return f"{self.patient.number}-{self._messages}"


_SAYS: Final = "select exists (select from read.participant where participant = $1 and "
