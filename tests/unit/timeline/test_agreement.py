"""The read models say what the deciders hold: whatever was asked, in whatever order.

The deciders' own state machines run again, and after each step the rows are folded from the events so far.
"""

from hypothesis import settings
from hypothesis.stateful import invariant

from services.timeline.read_models.care.state import CareState
from services.timeline.read_models.follow_up import follow_up
from services.timeline.read_models.participant import participant
from services.timeline.read_models.referral_status import referral_status
from services.timeline.read_models.tasks.desk import Task
from services.timeline.read_models.worklist import worklist
from tests.unit.aftercare.test_aftercare_machine import Aftercare
from tests.unit.care_plan.test_care_machine import Care
from tests.unit.intake.test_participant_machine import ParticipantMachine
from tests.unit.intake.test_referral_machine import ReferralMachine
from tests.unit.timeline.story import SITE, story

CARE = participant(SITE)
WORK = worklist(SITE)
FOLLOW_UPS = follow_up()
REFERRALS = referral_status()

_SETTINGS = settings(max_examples=20, stateful_step_count=30, deadline=None)


class CareIsRead(Care):
    def row(self) -> CareState | None:
        return next(iter(story(*self.events).rows(CARE)), None)

    @invariant()
    def the_row_has_the_episode_and_its_level(self) -> None:
        row, latest, current = self.row(), self.state.episodes.latest, self.state.episodes.current
        if row is None or latest is None:
            return
        assert (row.episode, row.episode_status) == (latest.id, latest.status)
        assert row.level == (current.history.level if current else None)

    @invariant()
    def the_row_counts_sessions_and_goals(self) -> None:
        row = self.row()
        if row is None:
            return
        goals = self.state.plan.goals.values()
        assert row.goals_open == len([goal for goal in goals if goal.closed is None])
        outcomes = [type(it.outcome).__name__ for it in self.state.sessions.sessions.values()]
        counted = (outcomes.count("SessionAttended"), outcomes.count("SessionMissed"))
        assert (row.sessions_attended, row.sessions_missed) == counted
        assert (row.relapse_plan_agreed is not None) == (self.state.plan.relapse_plan is not None)

    @invariant()
    def a_pending_step_down_and_no_other_is_a_task(self) -> None:
        if not self.state.episodes.deceased:
            shown = {row.about for row in story(*self.events).rows(WORK) if row.kind == "step-down"}
            assert shown == {(str(notice.discharge),) for notice in self.state.episodes.pending}

    @invariant()
    def the_dead_have_no_task(self) -> None:
        if self.state.episodes.deceased:
            assert all(row.held_for for row in story(*self.events).rows(WORK))


class AftercareIsRead(Aftercare):
    @invariant()
    def a_row_is_owed_as_long_as_its_follow_up_is(self) -> None:
        rows = {row.follow_up: row for row in story(*self.events).rows(FOLLOW_UPS)}
        assert set(rows) == set(self.state.follow_ups)
        for id, held in self.state.follow_ups.items():
            assert rows[id].is_owed == held.is_open
            assert rows[id].attempts == len(held.attempts)

    @invariant()
    def what_is_owed_has_one_task_and_what_is_not_has_none(self) -> None:
        rows: list[Task] = story(*self.events).rows(WORK)
        shown = sorted(row.about[0] for row in rows if row.held_for is None)
        assert shown == sorted(str(id) for id, held in self.state.follow_ups.items() if held.is_open)


class ReferralIsRead(ReferralMachine):
    @invariant()
    def the_row_has_the_status_of_the_referral(self) -> None:
        rows = story(*self.history).rows(REFERRALS)
        assert [row.status for row in rows] == ([] if self.state.asked is None else [self.state.status])

    @invariant()
    def a_closed_referral_has_no_task_and_an_open_one_at_most_one(self) -> None:
        shown = [row for row in story(*self.history).rows(WORK) if row.held_for is None]
        closed = self.state.status in {"rejected", "cancelled", "completed"}
        assert len(shown) <= (0 if closed else 1)
        waits = {"received", "awaiting-information", "cancel-requested", "accepted", "waitlisted"}
        assert len(shown) == 1 or self.state.status not in waits


class ParticipantIsRead(ParticipantMachine):
    @invariant()
    def the_row_has_the_open_flags_and_the_last_discharge(self) -> None:
        row = next(iter(story(*self.history).rows(CARE)), None)
        if row is None:
            return
        flags = self.state.assessments.flags.items()
        open_ones = {} if row.deceased else {str(id): it.level for id, it in flags if it.resolved is None}
        assert row.risks == open_ones
        assert row.deceased == self.state.stays.died
        assert (row.last_discharge is not None) == bool(self.state.stays.discharges.open)

    @invariant()
    def an_open_flag_and_no_other_is_a_task(self) -> None:
        rows = story(*self.history).rows(WORK)
        shown = {row.about[0] for row in rows if row.kind == "suicide-risk"}
        flags = self.state.assessments.flags.items()
        open_ones = {str(id) for id, it in flags if it.resolved is None}
        assert shown == (set() if self.state.stays.died else open_ones)


for machine in (CareIsRead, AftercareIsRead, ReferralIsRead, ParticipantIsRead):
    machine.TestCase.settings = _SETTINGS

TestCareIsRead = CareIsRead.TestCase
TestAftercareIsRead = AftercareIsRead.TestCase
TestReferralIsRead = ReferralIsRead.TestCase
TestParticipantIsRead = ParticipantIsRead.TestCase
