"""Episodes: opened, on hold, ended."""

from datetime import date

import pytest

from services.care_plan.deciders.care import DECIDER
from shared.commands.care_plan import CloseCareOnDeath, EndEpisodeEarly, PauseEpisode, ResumeEpisode
from shared.events.episode import (
    CareClosedOnDeath,
    EpisodeCompleted,
    EpisodeEndedEarly,
    EpisodeOpened,
    EpisodePaused,
    EpisodeResumed,
    LevelOfCareStarted,
)
from tests.unit.care_plan.care_stories import (
    ASKED,
    EPISODE,
    MAR_2,
    MAR_5,
    MAR_9,
    MAR_12,
    OTHER,
    complete,
    discharged_into,
    open_episode,
    opened,
    pending,
    relapse_plan,
    reversed_,
    stepped_up,
)
from tests.unit.scenario import given

COMPLETED = EpisodeCompleted(episode=EPISODE, on=MAR_12)
LEFT = EpisodeEndedEarly(episode=EPISODE, on=MAR_12, reason="moved")
PAUSED = EpisodePaused(episode=EPISODE, reason="surgery")
DIED = CloseCareOnDeath(**ASKED, on=MAR_12, died="2026-03-12T04:00:00-05:00")


def test_opening_an_episode_starts_its_first_level_of_care():
    given(DECIDER).when(open_episode()).then(
        EpisodeOpened(episode=EPISODE, program="iop", start=MAR_2),
        LevelOfCareStarted(episode=EPISODE, level="2.1", edition="4", at="2026-03-02"),
    )


def test_opening_an_episode_takes_up_the_step_down_that_waited_for_it():
    given(DECIDER, pending(on="2026-02-27")).when(open_episode()).then(
        *opened(), discharged_into("2.1", on="2026-02-27")
    )


def test_a_step_down_taken_up_leads_to_the_level_that_the_coordinator_chose():
    given(DECIDER, pending(on="2026-03-02T10:00:00-05:00")).when(open_episode(level="2.5")).then(
        *opened(level="2.5"), discharged_into("2.5", on="2026-03-02T10:00:00-05:00")
    )


def test_opening_an_episode_leaves_a_reversed_step_down_alone():
    given(DECIDER, pending(), reversed_()).when(open_episode()).then(*opened())


def test_a_step_down_is_taken_up_once():
    story = (
        given(DECIDER, pending(on="2026-02-27"))
        .when(open_episode())
        .then(*opened(), discharged_into("2.1", on="2026-02-27"))
    )
    ended = story.after([EpisodeEndedEarly(episode=EPISODE, on=MAR_12, reason="moved")])
    again = ended.when(open_episode(episode=OTHER, start=MAR_12)).events
    assert [type(event) for event in again] == [EpisodeOpened, LevelOfCareStarted]


def test_opening_a_second_episode_while_one_is_open_is_refused():
    given(DECIDER, *opened()).when(open_episode(episode=OTHER)).then_refused("episode-already-open")


def test_opening_the_same_episode_again_changes_nothing_even_after_it_ended():
    given(DECIDER, *opened(), LEFT).when(open_episode()).then_nothing()


def test_a_new_episode_may_follow_one_that_ended():
    given(DECIDER, *opened(), LEFT).when(open_episode(episode=OTHER, start=MAR_12)).then(
        EpisodeOpened(episode=OTHER, program="iop", start=MAR_12),
        LevelOfCareStarted(episode=OTHER, level="2.1", edition="4", at="2026-03-12"),
    )


def test_a_new_episode_starting_before_the_earlier_one_ended_is_refused():
    given(DECIDER, *opened(), LEFT).when(open_episode(episode=OTHER, start=MAR_9)).then_refused(
        "overlaps-earlier-episode", field="start"
    )


@pytest.mark.parametrize(("level", "edition"), [("1", "4"), ("1.5", "3"), ("2.2", "3"), ("IOP", "4")])
def test_a_level_that_its_edition_does_not_have_is_refused(level: str, edition: str):
    given(DECIDER).when(open_episode(level=level, edition=edition)).then_refused(
        "unknown-level", field="level"
    )


def test_an_edition_that_asam_has_not_published_is_refused():
    given(DECIDER).when(open_episode(edition="5")).then_refused("unknown-edition", field="edition")


def test_an_episode_is_put_on_hold_and_resumed():
    story = given(DECIDER, *opened()).when(PauseEpisode(**ASKED, reason="surgery")).then(PAUSED)
    assert story.state.episodes.episodes[0].status == "onhold"
    active = story.when(ResumeEpisode(**ASKED)).then(EpisodeResumed(episode=EPISODE))
    assert active.state.episodes.episodes[0].status == "active"


def test_resuming_an_active_episode_changes_nothing():
    given(DECIDER, *opened()).when(ResumeEpisode(**ASKED)).then_nothing()


def test_without_an_open_episode_nothing_is_put_on_hold_resumed_or_ended():
    for command in (
        PauseEpisode(**ASKED, reason="surgery"),
        ResumeEpisode(**ASKED),
        complete(),
        EndEpisodeEarly(**ASKED, on=MAR_12, reason="moved"),
    ):
        given(DECIDER).when(command).then_refused("no-open-episode")


def test_completing_needs_a_relapse_prevention_plan():
    given(DECIDER, *opened()).when(complete()).then_refused("no-relapse-prevention-plan")


def test_an_episode_with_a_relapse_prevention_plan_is_completed():
    story = given(DECIDER, *opened(), relapse_plan()).when(complete()).then(COMPLETED)
    assert story.state.episodes.episodes[0].status == "finished"


def test_an_episode_that_ended_otherwise_is_not_completed():
    given(DECIDER, *opened(), relapse_plan(), LEFT).when(complete()).then_refused("no-open-episode")


def test_an_episode_ends_early_for_a_reason():
    command = EndEpisodeEarly(**ASKED, on=MAR_12, reason="moved")
    story = given(DECIDER, *opened()).when(command).then(LEFT)
    assert story.state.episodes.episodes[0].status == "cancelled"


@pytest.mark.parametrize("on", [MAR_5, date(2026, 3, 1)])
def test_an_episode_cannot_end_before_its_last_step(on: date):
    given(DECIDER, *opened(), stepped_up("2.1", "2.5", "2026-03-09"), relapse_plan()).when(
        complete(on)
    ).then_refused("ended-before-last-step", field="on")


def test_ending_an_episode_because_the_participant_died_closes_their_care():
    given(DECIDER, *opened()).when(EndEpisodeEarly(**ASKED, on=MAR_12, reason="died")).then(
        EpisodeEndedEarly(episode=EPISODE, on=MAR_12, reason="died"), CareClosedOnDeath(died="2026-03-12")
    )


def test_death_ends_the_open_episode_and_closes_care():
    given(DECIDER, *opened()).when(DIED).then(
        EpisodeEndedEarly(episode=EPISODE, on=MAR_12, reason="died"),
        CareClosedOnDeath(died="2026-03-12T04:00:00-05:00"),
    )


def test_death_closes_care_without_an_open_episode():
    given(DECIDER).when(DIED).then(CareClosedOnDeath(died="2026-03-12T04:00:00-05:00"))


def test_a_death_told_late_leaves_no_interval_after_it():
    late = CloseCareOnDeath(**ASKED, on=MAR_5)
    story = (
        given(DECIDER, *opened(), stepped_up("2.1", "2.5", "2026-03-09"))
        .when(late)
        .then(EpisodeEndedEarly(episode=EPISODE, on=MAR_5, reason="died"), CareClosedOnDeath())
    )
    (interval,) = story.state.episodes.episodes[0].intervals
    assert (interval.level, interval.start, interval.end) == ("2.1", "2026-03-02", "2026-03-05")
