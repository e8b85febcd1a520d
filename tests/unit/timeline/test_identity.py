"""Which record is read as whose, and what a person has to look at."""

from datetime import date

from services.timeline.read_models.alias import Alias, alias
from services.timeline.read_models.participant import participant
from services.timeline.read_models.referral_status import referral_status
from services.timeline.read_models.timeline import timeline
from services.timeline.read_models.worklist import worklist
from shared.events.base import Identifier
from shared.events.encounter import AppointmentNotified
from shared.events.participant import (
    MatchCandidate,
    MatchResolved,
    MatchReviewQueued,
    ParticipantsMerged,
    ParticipantsUnmerged,
    PriorRecordLinked,
)
from shared.events.referral import ReferralStatusDelivered
from tests.unit.timeline.facts import REFERRAL, accepted, id_of, received, registered
from tests.unit.timeline.story import ROBIN, SITE, At, on, story

KIM = id_of(0xB1)
MERGED = ParticipantsMerged(survivor=KIM, prior=ROBIN, reason="same person")
UNMERGED = ParticipantsUnmerged(survivor=KIM, prior=ROBIN)
QUEUED = MatchReviewQueued(candidates=(MatchCandidate(KIM, 0.95),))


def test_a_merge_is_an_alias_from_when_it_was_recorded():
    (row,) = story(registered(), At(on(3), MERGED, happened="2026-02-01")).rows(alias())
    assert row == Alias(k=0, seq=2, participant=ROBIN, survivor=KIM, since=on(3), reason="same person")


def test_a_merge_that_was_taken_back_stays_with_its_end():
    told = story(At(on(3), MERGED), At(on(5), UNMERGED), At(on(6), MERGED))
    first, second = sorted(told.rows(alias()), key=lambda row: row.seq)
    assert (first.since, first.until) == (on(3), on(5))
    assert (second.since, second.until) == (on(6), None)


def test_a_merged_record_says_whose_it_is_until_the_merge_is_taken_back():
    told = story(registered(), MERGED)
    assert told.row(participant(SITE)).merged_into == KIM
    assert told.tell(UNMERGED).row(participant(SITE)).merged_into is None


def test_a_merge_leaves_the_rest_of_the_record_as_it_is():
    before = story(registered(), received(), accepted()).row(participant(SITE))
    after = story(registered(), received(), accepted(), MERGED, UNMERGED).row(participant(SITE))
    assert (after.status, after.referrals, after.family) == (before.status, before.referrals, before.family)


def test_somebody_has_two_business_days_to_look_whether_a_person_is_known():
    (task,) = story(At(on(6), QUEUED)).rows(worklist(SITE))
    assert (task.kind, task.due, task.about) == ("match-review", date(2026, 3, 10), (str(KIM),))
    assert "95%" in task.detail


def test_the_answer_closes_the_question():
    assert story(QUEUED, MatchResolved()).rows(worklist(SITE)) == []


def test_a_question_waits_while_the_record_is_merged():
    (held,) = story(QUEUED, MERGED).rows(worklist(SITE))
    assert held.held_for == "merged"
    (open_again,) = story(QUEUED, MERGED, UNMERGED).rows(worklist(SITE))
    assert open_again.held_for is None


def test_what_a_sender_was_told_stands_in_the_timeline_and_does_not_move_the_referral():
    told = ReferralStatusDelivered(
        referral=REFERRAL, because=id_of(1), status="accepted", to="general", way="mllp", answer="AA"
    )
    before = story(received(), accepted()).row(referral_status())
    after = story(received(), accepted(), At(on(9), told))
    assert after.row(referral_status()) == before
    last = max(after.rows(timeline(SITE)), key=lambda entry: entry.seq)
    assert (last.title, last.detail) == ("Sender told: accepted", "By HL7 message to general, answered AA.")


def test_an_appointment_elsewhere_is_told_with_its_time_and_what_became_of_it():
    missed = AppointmentNotified(
        appointment=Identifier("general", "A-1"), status="noshow", start="2026-03-09T10:00:00-04:00"
    )
    (entry,) = story(missed).rows(timeline(SITE))
    assert entry.title == "Appointment elsewhere missed"
    assert entry.detail.startswith("9 Mar 2026")
    assert entry.detail.endswith("10:00, number A-1 of general.")
    (cancelled,) = story(AppointmentNotified(appointment=missed.appointment, status="cancelled")).rows(
        timeline(SITE)
    )
    assert cancelled.corrects


def test_a_record_that_joined_is_named_in_the_survivors_timeline():
    (entry,) = story(PriorRecordLinked(prior=KIM)).rows(timeline(SITE))
    assert entry.title == "Another record joined"
    assert str(KIM) in entry.detail
