"""Whatever is asked of a participant's aftercare, in whatever order, its invariants hold."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.aftercare.deciders.aftercare import DECIDER, Command
from services.aftercare.deciders.follow_up import FollowUp, Status
from shared.commands.aftercare import (
    AttemptOutreach,
    BookFollowUp,
    CancelFollowUp,
    CancelReadmission,
    CloseAftercare,
    CloseFollowUpWindow,
    CreditSession,
    NoteReadmission,
    PlanAftercare,
    RecordFollowUpAttended,
    RecordFollowUpMissed,
    ScheduleCheckIns,
    ScheduleFollowUps,
    SupersedeFollowUps,
)
from shared.commands.decision import Refused
from shared.events.aftercare import (
    AftercareAttended,
    AftercareCancelled,
    AftercareClosed,
    AftercareScheduled,
    Channel,
    FollowUpReinstated,
    FollowUpSuperseded,
    OutreachAttempted,
    OutreachResult,
)
from shared.events.base import EventData
from shared.events.moment import moment
from tests.unit.aftercare.aftercare_stories import ASKED, DAY

FIRST = date(2026, 3, 1)
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)

discharges = st.integers(1, 3).map(lambda number: UUID(int=number))
admissions = st.integers(11, 12).map(lambda number: UUID(int=number))
origins = st.integers(21, 22).map(lambda number: UUID(int=number))
picks = st.integers(0, 6)
days = st.integers(0, 45).map(lambda number: FIRST + timedelta(days=number))
appointments = st.one_of(
    days.map(moment), st.integers(0, 45 * 24).map(lambda hour: moment(BEGIN + timedelta(hours=hour)))
)
channels: st.SearchStrategy[Channel] = st.sampled_from(["phone", "text", "email", "visit"])
results: st.SearchStrategy[OutreachResult] = st.sampled_from(
    ["no-answer", "declined", "no-answer", "reached"]
)


class Aftercare(RuleBasedStateMachine):
    """One participant, asked everything at random."""

    def __init__(self) -> None:
        super().__init__()
        self.state = DECIDER.initial
        self.events: list[EventData] = []

    def ask(self, command: Command) -> None:
        before = self.state
        decision = DECIDER.decide(command, before)
        if isinstance(decision, Refused):
            assert decision.sentence
            return
        self.events += decision
        self.state = DECIDER.fold(before, decision)
        assert DECIDER.decide(command, self.state) == [], "A command repeated yields no event."
        assert decision == [] or not before.is_deceased, "Nothing follows death."
        reinstated = {event.follow_up for event in decision if isinstance(event, FollowUpReinstated)}
        self.only_these_are_owed_again(reinstated, before.follow_ups)

    def only_these_are_owed_again(self, reinstated: set[UUID], before: Mapping[UUID, FollowUp]) -> None:
        for id, it in before.items():
            if not it.is_open and self.state.follow_ups[id].is_open:
                assert it.status is Status.SUPERSEDED
                assert id in reinstated

    def picked(self, pick: int) -> UUID:
        """Mostly a follow-up that outreach or somebody else still owes; at times any, or none that exists."""
        missed = [it for it in self.state.open if it.status is Status.MISSED]
        among = (missed, self.state.open, tuple(self.state.follow_ups.values()))[pick % 3] or self.state.open
        return among[pick % len(among)].owed.follow_up if among else UUID(int=0)

    @initialize(emergency=st.booleans())
    def begin(self, emergency: bool) -> None:  # noqa: FBT001 (Hypothesis passes by name)
        self.discharge(UUID(int=1), FIRST, emergency)

    @rule(id=discharges, on=days, emergency=st.booleans())
    def discharge(self, id: UUID, on: date, emergency: bool) -> None:  # noqa: FBT001 (as above)
        self.ask(ScheduleFollowUps(**ASKED, discharge=id, index_discharge=on, emergency=emergency))

    @rule(origin=origins, on=days)
    def program_ends(self, origin: UUID, on: date) -> None:
        self.ask(ScheduleCheckIns(**ASKED, origin=origin, ended_on=on))

    @rule(pick=picks, appointment=appointments)
    def book(self, pick: int, appointment: str) -> None:
        self.ask(BookFollowUp(**ASKED, follow_up=self.picked(pick), appointment=appointment))

    @rule(pick=picks, on=days)
    def attend(self, pick: int, on: date) -> None:
        self.ask(RecordFollowUpAttended(**ASKED, follow_up=self.picked(pick), on=on))

    @rule(pick=picks)
    def miss(self, pick: int) -> None:
        self.ask(RecordFollowUpMissed(**ASKED, follow_up=self.picked(pick)))

    @rule(pick=picks, late=st.integers(0, 2))
    def close_window(self, pick: int, late: int) -> None:
        id = self.picked(pick)
        due = self.state.follow_ups[id].owed.due if id in self.state.follow_ups else FIRST
        self.ask(CloseFollowUpWindow(**ASKED, follow_up=id, today=due + late * DAY))

    @rule(pick=picks, tries=st.lists(st.tuples(channels, days, results), min_size=1, max_size=4))
    def reach_out(self, pick: int, tries: list[tuple[Channel, date, OutreachResult]]) -> None:
        id = self.picked(pick)
        for channel, on, result in tries:
            self.ask(AttemptOutreach(**ASKED, follow_up=id, channel=channel, on=on, result=result))

    @rule(on=days)
    def credit(self, on: date) -> None:
        self.ask(CreditSession(**ASKED, session=UUID(int=31), on=on))

    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        self.ask(CancelFollowUp(**ASKED, follow_up=self.picked(pick), reason="Has moved to another program"))

    @rule(id=discharges)
    def cancel_discharge(self, id: UUID) -> None:
        self.ask(SupersedeFollowUps(**ASKED, discharge=id))

    @rule(id=admissions, on=days)
    def readmit(self, id: UUID, on: date) -> None:
        self.ask(NoteReadmission(**ASKED, admission=id, admitted_on=on))

    @rule(id=admissions)
    def cancel_readmission(self, id: UUID) -> None:
        self.ask(CancelReadmission(**ASKED, admission=id))

    @rule(need=st.sampled_from(["", "therapy", "housing"]))
    def plan(self, need: str) -> None:
        self.ask(PlanAftercare(**ASKED, needs=(need,)))

    @precondition(lambda self: len(self.events) > 15)  # little is left to try afterwards
    @rule(died=st.booleans())
    def close(self, died: bool) -> None:  # noqa: FBT001 (as above)
        self.ask(CloseAftercare(**ASKED, reason="died" if died else "completed"))

    @invariant()
    def no_window_is_inverted(self) -> None:
        for it in self.state.follow_ups.values():
            assert it.owed.index_discharge <= it.owed.window_opens <= it.owed.due

    @invariant()
    def no_follow_up_ended_in_two_ways(self) -> None:
        for id in self.state.follow_ups:
            ended = [event for event in self.events if _ends(event, id)]
            assert len(ended) <= 1

    @invariant()
    def outreach_is_tried_three_times_at_most_each_on_another_day_and_channel(self) -> None:
        for it in self.state.follow_ups.values():
            assert [each.attempt for each in it.attempts] == list(range(1, len(it.attempts) + 1))
            assert len(it.attempts) <= 3
            assert len({each.on for each in it.attempts}) == len(it.attempts)
            assert len({each.channel for each in it.attempts}) == len(it.attempts)

    @invariant()
    def nobody_attended_before_the_window_opened(self) -> None:
        for event in self.events:
            if isinstance(event, AftercareAttended):
                owed = self.state.follow_ups[event.follow_up].owed
                assert owed.window_opens <= event.on
                assert event.within_window == (event.on <= owed.due)

    @invariant()
    def a_follow_up_is_owed_once(self) -> None:
        owed = [event.follow_up for event in self.events if isinstance(event, AftercareScheduled)]
        assert len(owed) == len(set(owed))

    @invariant()
    def what_a_cancelled_discharge_owed_stays_void(self) -> None:
        void = {
            event.follow_up
            for event in self.events
            if isinstance(event, FollowUpSuperseded) and event.cause == "discharge-cancelled"
        }
        assert not any(self.state.follow_ups[id].is_open for id in void)

    @invariant()
    def nothing_is_open_once_aftercare_is_closed(self) -> None:
        assert self.state.closed is None or self.state.open == ()

    @invariant()
    def nothing_follows_death(self) -> None:
        died = AftercareClosed(reason="died")
        assert died not in self.events[:-1]

    @invariant()
    def the_state_is_what_its_events_say(self) -> None:
        assert DECIDER.fold(DECIDER.initial, self.events) == self.state


def _ends(event: EventData, follow_up: UUID) -> bool:
    """Tell whether an event ends the follow-up for good; what is superseded may be owed again."""
    match event:
        case AftercareAttended(follow_up=id) | AftercareCancelled(follow_up=id):
            return id == follow_up
        case OutreachAttempted(follow_up=id, result="reached"):
            return id == follow_up
        case FollowUpSuperseded(follow_up=id, cause="discharge-cancelled" | "later-discharge"):
            return id == follow_up
        case _:
            return False


Aftercare.TestCase.settings = settings(max_examples=100, stateful_step_count=60, deadline=None)
TestAftercare = Aftercare.TestCase
