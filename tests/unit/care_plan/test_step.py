"""Steps between levels of care, by a coordinator or after a hospital's discharge."""

from datetime import date
from uuid import UUID

from services.care_plan.deciders.care import DECIDER, State
from services.care_plan.deciders.history import Interval
from shared.events.episode import EpisodeEndedEarly, SteppedDown, SteppedUp
from tests.unit.care_plan.care_stories import (
    EPISODE,
    OTHER,
    discharge,
    discharged_into,
    open_episode,
    opened,
    pending,
    reverse,
    reversed_,
    step_down,
    step_up,
    stepped_down,
    stepped_up,
)
from tests.unit.scenario import given

IN_HOSPITAL = (*opened(), stepped_up("2.1", "4", "2026-03-05"))


def intervals(state: State) -> list[Interval]:
    return list(state.episodes.episodes[-1].intervals)


def test_stepping_up_closes_one_interval_and_opens_the_next():
    story = (
        given(DECIDER, *opened())
        .when(step_up("2.5", at="2026-03-05"))
        .then(stepped_up("2.1", "2.5", "2026-03-05"))
    )
    assert intervals(story.state) == [
        Interval("2.1", "2026-03-02", "2026-03-05"),
        Interval("2.5", "2026-03-05"),
    ]


def test_a_step_without_a_time_of_its_own_is_taken_now():
    given(DECIDER, *opened()).when(step_up("2.5")).then(stepped_up("2.1", "2.5", "2026-03-20T12:00:00+00:00"))


def test_stepping_down_closes_one_interval_and_opens_the_next():
    given(DECIDER, *opened()).when(step_down("1.5", at="2026-03-05")).then(
        stepped_down("2.1", "1.5", "2026-03-05")
    )


def test_stepping_to_the_same_level_is_refused():
    given(DECIDER, *opened()).when(step_up("2.1")).then_refused("same-level", field="to_level")
    given(DECIDER, *opened()).when(step_down("2.1")).then_refused("same-level", field="to_level")


def test_stepping_up_to_a_less_intensive_level_is_refused():
    given(DECIDER, *opened()).when(step_up("1.7")).then_refused("not-a-higher-level", field="to_level")


def test_stepping_down_to_a_more_intensive_level_is_refused():
    given(DECIDER, *opened()).when(step_down("2.5")).then_refused("nothing-to-step-down-from")


def test_levels_are_ordered_as_the_episodes_edition_orders_them():
    up = SteppedUp(episode=EPISODE, from_level="3.1", to_level="3.3", edition="3", at="2026-03-05")
    given(DECIDER, *opened(level="3.1", edition="3")).when(step_up("3.3", at="2026-03-05")).then(up)
    given(DECIDER, *opened(level="3.1")).when(step_up("3.3")).then_refused("unknown-level", field="to_level")


def test_a_step_before_the_open_interval_started_is_refused():
    given(DECIDER, *opened()).when(step_up("2.5", at="2026-03-01")).then_refused(
        "before-open-interval", field="at"
    )


def test_stepping_up_needs_an_open_episode():
    given(DECIDER).when(step_up("2.5")).then_refused("no-open-episode")


def test_a_step_down_from_nothing_is_refused():
    given(DECIDER).when(step_down("1.5")).then_refused("nothing-to-step-down-from")


def test_a_step_down_while_a_discharge_waits_asks_for_an_episode_first():
    given(DECIDER, pending()).when(step_down("2.1")).then_refused("no-open-episode")


def test_a_discharge_steps_a_hospitalised_participant_down_to_the_level_they_came_from():
    story = (
        given(DECIDER, *opened(level="1.5"), stepped_up("1.5", "4", "2026-03-05"))
        .when(discharge())
        .then(discharged_into("1.5"))
    )
    assert intervals(story.state) == [
        Interval("1.5", "2026-03-02", "2026-03-05"),
        Interval("4", "2026-03-05", "2026-03-09"),
        Interval("1.5", "2026-03-09"),
    ]


def test_a_discharge_steps_down_to_the_programs_level_where_the_episode_had_no_lower_one():
    given(DECIDER, *opened(level="3.7")).when(discharge()).then(discharged_into("2.1"))


def test_a_discharge_at_the_programs_level_is_recorded_and_the_interval_goes_on():
    story = given(DECIDER, *opened()).when(discharge()).then(discharged_into("2.1"))
    assert intervals(story.state) == [Interval("2.1", "2026-03-02")]


def test_a_discharge_told_after_a_later_step_moves_nothing():
    story = (
        given(DECIDER, *opened(), stepped_up("2.1", "2.5", "2026-03-12"))
        .when(discharge())
        .then(discharged_into("2.5"))
    )
    assert intervals(story.state) == [
        Interval("2.1", "2026-03-02", "2026-03-12"),
        Interval("2.5", "2026-03-12"),
    ]


def test_an_emergency_visit_is_recorded_and_the_level_stays():
    given(DECIDER, *opened(level="2.5")).when(discharge(emergency=True)).then(
        discharged_into("2.5", emergency=True)
    )


def test_a_discharge_without_an_open_episode_waits_for_one():
    given(DECIDER).when(discharge()).then(pending())


def test_a_discharge_after_the_episode_ended_waits_for_the_next():
    ended = EpisodeEndedEarly(episode=EPISODE, on=date(2026, 3, 7), reason="moved")
    given(DECIDER, *opened(), ended).when(discharge()).then(pending())


def test_a_discharge_told_again_changes_nothing():
    given(DECIDER, *opened(), discharged_into("2.1")).when(discharge()).then_nothing()
    given(DECIDER, pending()).when(discharge()).then_nothing()


def test_reversing_a_step_down_leaves_the_intervals_as_if_it_had_not_happened():
    before = given(DECIDER, *IN_HOSPITAL)
    story = before.when(discharge()).then(discharged_into("2.1")).when(reverse()).then(reversed_())
    assert intervals(story.state) == intervals(before.state)


def test_reversing_a_step_down_keeps_the_steps_taken_since():
    story = given(DECIDER, *IN_HOSPITAL, discharged_into("2.1"), stepped_up("2.1", "2.5", "2026-03-12"))
    assert intervals(story.when(reverse()).then(reversed_()).state) == [
        Interval("2.1", "2026-03-02", "2026-03-05"),
        Interval("4", "2026-03-05", "2026-03-12"),
        Interval("2.5", "2026-03-12"),
    ]


def test_reversing_one_discharge_leaves_the_other_standing():
    later = discharged_into("2.1", on="2026-03-12", id=OTHER)
    story = given(DECIDER, *IN_HOSPITAL, discharged_into("2.1"), later).when(reverse()).then(reversed_())
    assert intervals(story.state)[1:] == [
        Interval("4", "2026-03-05", "2026-03-12"),
        Interval("2.1", "2026-03-12"),
    ]


def test_a_discharge_told_too_late_moves_nothing_even_where_the_later_one_is_reversed():
    late = discharged_into("2.1", on="2026-03-03", id=OTHER)
    story = (
        given(DECIDER, *IN_HOSPITAL, discharged_into("2.1"))
        .when(discharge(on="2026-03-03", id=OTHER))
        .then(late)
    )
    assert intervals(story.when(reverse()).then(reversed_()).state) == [
        Interval("2.1", "2026-03-02", "2026-03-05"),
        Interval("4", "2026-03-05"),
    ]


def test_reversing_a_waiting_step_down_ends_the_wait():
    story = given(DECIDER, pending()).when(reverse()).then(reversed_())
    story.when(open_episode()).then(*opened())


def test_a_reversal_told_again_changes_nothing():
    given(DECIDER, pending(), reversed_()).when(reverse()).then_nothing()


def test_a_reversal_that_overtakes_its_step_down_is_not_lost():
    overtaken = given(DECIDER, *opened()).when(reverse()).then(reversed_(visit_number=None))
    overtaken.when(discharge()).then_nothing()


def test_another_discharge_after_a_reversal_steps_down_again():
    given(DECIDER, *IN_HOSPITAL, discharged_into("2.1"), reversed_()).when(
        discharge(on="2026-03-12", id=OTHER)
    ).then(discharged_into("2.1", on="2026-03-12", id=OTHER))


def test_a_step_of_another_episode_is_ignored():
    stray = SteppedDown(episode=UUID(int=77), from_level="4", to_level="2.1", edition="4", at="2026-03-06")
    assert intervals(given(DECIDER, *opened(), stray).state) == [Interval("2.1", "2026-03-02")]
