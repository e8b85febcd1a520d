from services.intake.deciders import participant
from shared.commands.intake import MergeParticipants
from shared.events.encounter import AdmissionCancelled, DischargeCancelled, DischargeNotified
from shared.events.participant import (
    IdentifierLinked,
    MatchResolved,
    MatchReviewQueued,
    ParticipantsMerged,
    ParticipantsUnmerged,
    PriorRecordLinked,
    PriorRecordUnlinked,
)
from tests.unit.intake.participant_stories import (
    ADA,
    ASKED,
    BEN,
    DECIDER,
    GENERAL,
    KIM,
    MRN,
    VISIT,
    admission,
    answers,
    appointment,
    assess,
    candidate,
    correct,
    death,
    discharge,
    discharge_id,
    enrol,
    link_prior,
    merge,
    met,
    orient,
    register,
    resolve,
    resolve_match,
    review,
    told_by,
    transfer,
    undo_admission,
    undo_discharge,
    unlink_prior,
    unmerge,
)
from tests.unit.scenario import Given, given

SELF = ASKED["participant"]
QUEUED = MatchReviewQueued(candidates=(candidate(BEN),))
MERGED = ParticipantsMerged(survivor=BEN, prior=SELF)
UNMERGED = ParticipantsUnmerged(survivor=BEN, prior=SELF)


# Match reviews


def test_whoever_may_be_known_already_is_put_before_a_person():
    met().when(review(candidate(BEN))).then(QUEUED)


def test_the_likeliest_candidate_stands_first():
    both = MatchReviewQueued(candidates=(candidate(KIM, 0.95), candidate(BEN, 0.85)))
    met().when(review(candidate(BEN, 0.85), candidate(KIM, 0.95))).then(both)


def test_a_candidate_found_later_joins_the_open_question():
    met(QUEUED).when(review(candidate(KIM, 0.8))).then(
        MatchReviewQueued(candidates=(candidate(BEN), candidate(KIM, 0.8)))
    )


def test_nobody_is_asked_twice_about_the_same_candidate():
    met(QUEUED).when(review(candidate(BEN))).then_nothing()
    met(QUEUED, MatchResolved()).when(review(candidate(BEN))).then_nothing()
    met(MERGED, UNMERGED).when(review(candidate(BEN))).then_nothing()
    met(PriorRecordLinked(prior=BEN)).when(review(candidate(BEN))).then_nothing()


def test_a_record_is_no_candidate_for_itself():
    met().when(review(candidate(SELF))).then_nothing()


def test_a_candidate_who_is_the_same_person_takes_the_record():
    met(QUEUED).when(resolve_match(BEN, reason="same address")).then(
        MatchResolved(same_as=BEN, reason="same address"),
        ParticipantsMerged(survivor=BEN, prior=SELF, reason="same address"),
    )


def test_a_match_with_none_of_the_candidates_merges_nothing():
    met(QUEUED).when(resolve_match(None)).then(MatchResolved())


def test_without_a_question_there_is_nothing_to_answer():
    met().when(resolve_match(None)).then_nothing()
    met().when(resolve_match(BEN)).then_refused("not-a-candidate", field="same_as")


def test_only_a_candidate_can_be_the_answer():
    met(QUEUED).when(resolve_match(KIM)).then_refused("not-a-candidate")


def test_an_answer_that_closes_a_circle_is_refused():
    met(QUEUED).when(resolve_match(BEN, BEN, SELF)).then_refused("merge-cycle")


# Merges


def test_a_merge_stands_in_the_priors_own_record():
    met().when(merge(BEN)).then(MERGED)


def test_a_merge_keeps_which_message_told_it():
    met().when(merge(BEN, message=told_by(1))).then(
        ParticipantsMerged(survivor=BEN, prior=SELF, message=told_by(1))
    )


def test_merging_twice_changes_nothing():
    met(MERGED).when(merge(BEN)).then_nothing()


def test_a_merged_record_is_not_merged_into_another_one():
    refusal = met(MERGED).when(merge(KIM)).then_refused("merged")
    assert str(BEN) in refusal.sentence


def test_a_record_is_not_merged_into_itself():
    met().when(merge(SELF)).then_refused("same-record", field="survivor")


def test_a_survivor_has_to_be_registered():
    met().when(MergeParticipants(**ASKED, survivor=BEN)).then_refused("survivor-unknown", field="survivor")


def test_nobody_who_is_not_registered_is_merged():
    given(DECIDER).when(merge(BEN)).then_refused("participant-unknown")


def test_merges_do_not_go_round_in_a_circle():
    met().when(merge(BEN, BEN, KIM, SELF)).then_refused("merge-cycle")
    met(PriorRecordLinked(prior=BEN)).when(merge(BEN)).then_refused("merge-cycle")


def test_merges_may_follow_one_another():
    met(PriorRecordLinked(prior=KIM)).when(merge(BEN)).then(MERGED)


def test_the_dead_are_merged_too():
    died = met().when(death()).events
    met(*died).when(merge(BEN)).then(MERGED)


def test_the_survivors_record_notes_its_priors():
    met().when(link_prior(BEN)).then(PriorRecordLinked(prior=BEN)).when(unlink_prior(BEN)).then(
        PriorRecordUnlinked(prior=BEN)
    )
    met().when(unlink_prior(BEN)).then_nothing()


# What a merged record is still asked


def test_what_coordinators_ask_of_a_merged_record_is_refused_and_names_the_survivor():
    for command in (
        enrol(),
        orient(),
        assess("PHQ-9", answers(*[0] * 9)),
        register(MRN),
        correct(ADA),
        review(candidate(KIM)),
    ):
        refusal = met(MERGED).when(command).then_refused("merged")
        assert str(BEN) in refusal.sentence


def test_a_notice_told_to_a_merged_record_is_sent_on_to_the_survivor():
    for notice in (discharge(), admission(), transfer("ICU"), appointment("booked"), death()):
        met(MERGED).when(notice).then_refused("merged")


def test_a_discharge_told_before_the_merge_is_cancelled_where_it_stands():
    told = met().when(discharge()).events
    met(*told, MERGED).when(undo_discharge()).then(
        DischargeCancelled(
            discharge=discharge_id(1), facility=GENERAL, visit_number=VISIT, message=told_by(50), also=(BEN,)
        )
    )


def test_a_discharge_told_before_the_merge_is_told_again_where_it_stands():
    told = met().when(discharge()).events
    again = met(*told, MERGED).when(discharge(2, disposition="01")).events
    assert [event.discharge for event in again if isinstance(event, DischargeNotified)] == [discharge_id(1)]


def test_an_admission_told_before_the_merge_is_cancelled_where_it_stands():
    told = met().when(admission()).events
    (cancelled,) = met(*told, MERGED).when(undo_admission()).events
    assert isinstance(cancelled, AdmissionCancelled)


def test_what_is_told_of_a_stay_names_the_records_that_are_the_persons_by_then():
    survivor = met(PriorRecordLinked(prior=BEN), PriorRecordLinked(prior=KIM))
    (told,) = survivor.when(discharge()).events
    assert isinstance(told, DischargeNotified)
    assert told.also == (BEN, KIM)
    (alone,) = met().when(discharge()).events
    assert isinstance(alone, DischargeNotified)
    assert alone.also == ()


def test_a_discharge_told_again_after_a_merge_is_no_news():
    told = met().when(discharge()).events
    met(*told, PriorRecordLinked(prior=BEN)).when(discharge(2)).then_nothing()
    told = met(PriorRecordLinked(prior=BEN)).when(discharge()).events
    met(PriorRecordLinked(prior=BEN), *told).when(discharge(2)).then_nothing()


def test_a_cancellation_without_its_original_is_the_survivors():
    met(MERGED).when(undo_discharge()).then_refused("merged")


def test_a_message_that_was_told_before_the_merge_changes_nothing_when_it_comes_again():
    story = met(*met().when(appointment("booked")).events, MERGED)
    story.when(appointment("booked")).then_nothing()


def test_a_suicide_risk_flagged_before_the_merge_is_still_resolved():
    flagged = met().when(assess("PHQ-9", answers(*[0] * 8, 2))).events
    assert len(met(*flagged, MERGED).when(resolve()).events) == 1


# Reversals


def test_a_merge_is_taken_back():
    met(MERGED).when(unmerge("father and son")).then(
        ParticipantsUnmerged(survivor=BEN, prior=SELF, reason="father and son")
    )


def test_what_was_not_merged_is_not_taken_back():
    met().when(unmerge()).then_nothing()


def test_a_merge_taken_back_may_be_made_again():
    met(MERGED, UNMERGED).when(merge(BEN)).then(MERGED)


def test_a_merge_taken_back_leaves_the_record_as_if_it_had_not_been():
    happened = (
        IdentifierLinked(identifier=MRN),
        QUEUED,
        *met().when(discharge()).events,
        *met().when(enrol()).events,
    )
    before, after = met(*happened).state, met(*happened, MERGED, UNMERGED).state
    assert (after.person, after.stays, after.assessments, after.enrolments) == (
        before.person,
        before.stays,
        before.assessments,
        before.enrolments,
    )
    assert after.records.survivor is None
    assert after.records.candidates == before.records.candidates
    _is_asked_as_before(met(*happened, MERGED, UNMERGED))


def _is_asked_as_before(story: Given[participant.State, participant.ParticipantCommand]) -> None:
    assert story.when(orient()).events
    assert story.when(undo_discharge()).events
