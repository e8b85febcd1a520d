"""Whatever is asked of a participant's care, in whatever order, its invariants hold."""

from datetime import UTC, date, datetime, timedelta
from itertools import combinations, pairwise
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.care_plan.deciders.care import DECIDER, Command
from services.care_plan.deciders.credentials import may_lead
from services.care_plan.deciders.history import Step
from shared.commands.care_plan import (
    AbandonGoal,
    AchieveGoal,
    AgreeRelapsePreventionPlan,
    CancelSession,
    CloseCareOnDeath,
    CompleteEpisode,
    EndEpisodeEarly,
    InvolveFamilyMember,
    OpenEpisode,
    PauseEpisode,
    RecordGoalProgress,
    RecordSessionAttended,
    RecordSessionMissed,
    ResumeEpisode,
    ReverseStepDown,
    ScheduleSession,
    SetGoal,
    StepDown,
    StepDownAfterDischarge,
    StepUp,
)
from shared.commands.decision import Refused
from shared.events.base import EventData
from shared.events.episode import CareClosedOnDeath, EarlyEnd, EpisodeCompleted, SteppedDown, SteppedUp
from shared.events.moment import Moment, before, moment
from shared.events.plan import RelapsePreventionPlanAgreed
from shared.events.session import (
    SessionAttended,
    SessionCancelled,
    SessionMissed,
    SessionScheduled,
    SessionType,
)
from tests.unit.care_plan.care_stories import ASKED, HOUR

FIRST = date(2026, 3, 1)
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)

ids = st.integers(1, 4).map(lambda number: UUID(int=number))
sessions = st.integers(1, 2).map(lambda number: UUID(int=number))
days = st.integers(0, 20).map(lambda number: FIRST + timedelta(days=number))
instants = st.integers(0, 20 * 24).map(lambda hour: BEGIN + hour * HOUR)
moments = st.one_of(days.map(moment), instants.map(moment))
whens = st.one_of(st.none(), moments)  # none is the story's own clock
levels = st.sampled_from(["1.5", "2.1", "2.5", "4", "3.3"])  # the last is no level of the fourth edition
types: st.SearchStrategy[SessionType] = st.sampled_from(["group", "family", "medication", "social"])
reasons: st.SearchStrategy[EarlyEnd] = st.sampled_from(["moved", "medical"])


class Care(RuleBasedStateMachine):
    """One participant, asked everything at random."""

    def __init__(self) -> None:
        super().__init__()
        self.state = DECIDER.initial
        self.events: list[EventData] = []

    def ask(self, command: Command) -> None:
        decision = DECIDER.decide(command, self.state)
        if isinstance(decision, Refused):
            assert decision.sentence
            return
        assert decision == [] or not self.state.episodes.deceased or isinstance(command, CancelSession)
        self.events += decision
        self.state = DECIDER.fold(self.state, decision)
        assert DECIDER.decide(command, self.state) == [], "A command repeated yields no event."

    def when(self, at: Moment | None) -> Moment:
        return moment(BEGIN + len(self.events) * 12 * HOUR) if at is None else at

    @initialize(level=st.sampled_from(["1.5", "2.1", "2.5"]))
    def begin(self, level: str) -> None:
        self.open(UUID(int=1), level, FIRST)

    @rule(id=ids, level=levels, start=days)
    def open(self, id: UUID, level: str, start: date) -> None:
        self.ask(OpenEpisode(**ASKED, episode=id, program="iop", level=level, edition="4", start=start))

    @rule(level=levels, at=whens)
    def step_up(self, level: str, at: Moment | None) -> None:
        self.ask(StepUp(**ASKED, to_level=level, at=self.when(at)))

    @rule(level=levels, at=whens)
    def step_down(self, level: str, at: Moment | None) -> None:
        self.ask(StepDown(**ASKED, to_level=level, at=self.when(at)))

    @rule(id=ids, at=whens, emergency=st.booleans())
    def discharge(self, id: UUID, at: Moment | None, emergency: bool) -> None:  # noqa: FBT001 (Hypothesis passes by name)
        self.ask(StepDownAfterDischarge(**ASKED, discharge=id, discharged=self.when(at), emergency=emergency))

    @rule(id=ids)
    def reverse(self, id: UUID) -> None:
        self.ask(ReverseStepDown(**ASKED, discharge=id))

    @rule(pause=st.booleans())
    def hold(self, pause: bool) -> None:  # noqa: FBT001 (as above)
        self.ask(PauseEpisode(**ASKED, reason="surgery") if pause else ResumeEpisode(**ASKED))

    @rule(on=days)
    def complete(self, on: date) -> None:
        self.ask(CompleteEpisode(**ASKED, on=on))

    @rule(on=days, reason=reasons)
    def end_early(self, on: date, reason: EarlyEnd) -> None:
        self.ask(EndEpisodeEarly(**ASKED, on=on, reason=reason))

    @precondition(lambda self: len(self.events) > 12)  # nothing is left to try afterwards
    @rule(on=days, reason=st.sampled_from(["died", "told"]))
    def die(self, on: date, reason: str) -> None:
        told = reason == "told"
        self.ask(CloseCareOnDeath(**ASKED, on=on) if told else EndEpisodeEarly(**ASKED, on=on, reason="died"))

    @rule(
        id=sessions,
        start=instants,
        hours=st.integers(0, 5),
        type=types,
        credential=st.sampled_from(["MD", "MD", "peer"]),
    )
    def schedule(self, id: UUID, start: datetime, hours: int, type: SessionType, credential: str) -> None:
        end = start + timedelta(hours=hours)
        self.ask(
            ScheduleSession(
                **ASKED,
                session=id,
                type=type,
                start=start,
                end=end,
                lead="clinician:3",
                credential=credential,
            )
        )

    @rule(id=sessions, at=whens, minutes=st.integers(0, 5))
    def attend(self, id: UUID, at: Moment | None, minutes: int) -> None:
        self.ask(RecordSessionAttended(**ASKED, session=id, minutes=minutes, at=self.when(at)))

    @rule(id=sessions, at=whens)
    def miss(self, id: UUID, at: Moment | None) -> None:
        self.ask(RecordSessionMissed(**ASKED, session=id, at=self.when(at)))

    @rule(id=sessions)
    def cancel(self, id: UUID) -> None:
        self.ask(CancelSession(**ASKED, session=id))

    @rule(id=sessions, consent=st.sampled_from([None, "consent:1"]))
    def involve(self, id: UUID, consent: str | None) -> None:
        self.ask(InvolveFamilyMember(**ASKED, session=id, relationship="mother", consent=consent))

    @rule(id=ids, what=st.sampled_from(["set", "progress", "achieve", "abandon"]))
    def goal(self, id: UUID, what: str) -> None:
        match what:
            case "set":
                self.ask(SetGoal(**ASKED, goal=id, description="Sleep"))
            case "progress":
                self.ask(RecordGoalProgress(**ASKED, goal=id, achievement="improving"))
            case "achieve":
                self.ask(AchieveGoal(**ASKED, goal=id))
            case _:
                self.ask(AbandonGoal(**ASKED, goal=id, reason="Other goals come first"))

    @rule()
    def agree(self) -> None:
        self.ask(AgreeRelapsePreventionPlan(**ASKED, warning_signs=("sleepless",), action_steps=("call",)))

    @invariant()
    def at_most_one_episode_is_open_and_it_is_the_last(self) -> None:
        assert all(episode.ended is not None for episode in self.state.episodes.episodes[:-1])

    @invariant()
    def at_most_one_interval_is_open_and_only_in_the_open_episode(self) -> None:
        for episode in self.state.episodes.episodes:
            open_ones = [interval for interval in episode.intervals if interval.end is None]
            assert len(open_ones) == (1 if episode.ended is None else 0)
            assert open_ones == list(episode.intervals[-1:]) or episode.ended is not None

    @invariant()
    def intervals_leave_no_gap_and_do_not_overlap(self) -> None:
        for episode in self.state.episodes.episodes:
            assert all(one.end == following.start for one, following in pairwise(episode.intervals))
            assert all(one.level != following.level for one, following in pairwise(episode.intervals))
            starts = [interval.start for interval in episode.intervals]
            assert not any(before(later, earlier) for earlier, later in combinations(starts, 2))
            assert all(one.end is None or not before(one.end, one.start) for one in episode.intervals)

    @invariant()
    def intervals_reach_from_admission_to_the_end(self) -> None:
        for episode in self.state.episodes.episodes:
            if episode.intervals:
                assert episode.intervals[0].start == moment(episode.opened.start)
                end = None if episode.ended is None else moment(episode.ended.on)
                assert episode.intervals[-1].end == end

    @invariant()
    def no_reversed_discharge_has_left_a_step(self) -> None:
        episodes = self.state.episodes
        steps: list[Step] = [step for episode in episodes.episodes for step in episode.history.steps]
        assert not episodes.reversed & {step.discharge for step in steps if step.discharge is not None}
        assert not episodes.reversed & {notice.discharge for notice in episodes.pending}

    @invariant()
    def every_discharge_led_to_one_step_down_at_most(self) -> None:
        led = [event.discharge for event in self.events if isinstance(event, SteppedDown) and event.discharge]
        assert len(led) == len(set(led))

    @invariant()
    def a_coordinators_step_always_changes_the_level(self) -> None:
        for event in self.events:
            if isinstance(event, SteppedUp) or (isinstance(event, SteppedDown) and event.discharge is None):
                assert event.from_level != event.to_level

    @invariant()
    def no_session_ended_in_two_ways(self) -> None:
        outcomes = [
            e.session
            for e in self.events
            if isinstance(e, SessionAttended | SessionMissed | SessionCancelled)
        ]
        assert len(outcomes) == len(set(outcomes))

    @invariant()
    def every_session_is_led_by_somebody_who_may(self) -> None:
        scheduled = [event for event in self.events if isinstance(event, SessionScheduled)]
        assert all(may_lead(event.type, event.credential) and event.start < event.end for event in scheduled)

    @invariant()
    def no_episode_was_completed_without_a_relapse_prevention_plan(self) -> None:
        kinds = [type(event) for event in self.events]
        if EpisodeCompleted in kinds:
            assert RelapsePreventionPlanAgreed in kinds[: kinds.index(EpisodeCompleted)]

    @invariant()
    def nothing_follows_death_but_cancelled_sessions(self) -> None:
        kinds = [type(event) for event in self.events]
        if CareClosedOnDeath in kinds:
            assert set(kinds[kinds.index(CareClosedOnDeath) + 1 :]) <= {SessionCancelled}

    @invariant()
    def the_state_is_what_its_events_say(self) -> None:
        assert DECIDER.fold(DECIDER.initial, self.events) == self.state


Care.TestCase.settings = settings(max_examples=100, stateful_step_count=60, deadline=None)
TestCare = Care.TestCase
