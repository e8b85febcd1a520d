"""Whatever is told of a participant and asked of them, in whichever order, the rules hold."""

from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec.structs import replace

from services.intake.deciders.encounter import Notice
from services.intake.deciders.participant import State
from shared.commands.decision import Refused
from shared.commands.intake import DeclineAssessment, ParticipantCommand
from shared.events.assessment import (
    AssessmentCompleted,
    AssessmentCorrected,
    Instrument,
    SuicideRiskFlagged,
    SuicideRiskResolved,
)
from shared.events.base import Demographics, EventData
from shared.events.encounter import (
    AppointmentStatus,
    DeathNotified,
    DischargeCancelled,
    DischargeNotified,
)
from shared.events.enrolment import Enrolled
from shared.events.participant import (
    IdentifierLinked,
    ParticipantRegistered,
    ParticipantsMerged,
    ParticipantsUnmerged,
)
from tests.unit.intake.participant_stories import (
    ASKED,
    BEN,
    DECIDER,
    KIM,
    MAR_3,
    MAR_4,
    MRN,
    SSN,
    admission,
    appointment,
    assess,
    candidate,
    correct,
    correct_answers,
    death,
    discharge,
    enrol,
    link_prior,
    merge,
    orient,
    recommend,
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

PEOPLE = st.sampled_from([ASKED["participant"], BEN, KIM])
NUMBERS = st.integers(1, 4)
VISITS = st.sampled_from(["V-1", "V-2", None])
SENT = st.sampled_from([None, "2026-03-03T09:00:00-05:00", "2026-03-03T10:00:00-05:00"])
TIMES = st.sampled_from([MAR_3, MAR_4, "2026-03-03"])
INSTRUMENTS: st.SearchStrategy[Instrument] = st.sampled_from(["PHQ-9", "GAD-7", "C-SSRS"])
ITEMS = st.dictionaries(st.sampled_from([*"1234567", "9", "6-recent"]), st.integers(0, 2), max_size=9)
TOTALS = st.none() | st.integers(0, 9)
FULL = st.lists(st.integers(0, 3), min_size=9, max_size=9).map(
    lambda each: {str(number): answer for number, answer in enumerate(each, start=1)}
)


class ParticipantMachine(RuleBasedStateMachine):
    """Tell and ask everything of one participant."""

    def __init__(self) -> None:
        super().__init__()
        self.state: State = DECIDER.initial
        self.history: list[EventData] = []

    def happens(self, command: ParticipantCommand) -> None:
        decision = DECIDER.decide(command, self.state)
        if isinstance(decision, Refused):
            is_sent_on = decision.code == "merged" and self.state.records.survivor is not None
            assert is_sent_on or not isinstance(command, Notice), "What a hospital tells is never refused."
            assert decision.sentence.endswith(".")
            return
        self.state = DECIDER.fold(self.state, decision)
        self.history += decision
        assert DECIDER.decide(command, self.state) == [], "A command repeated yields no event."

    @initialize(lot=st.integers(0, 9))
    def mostly_met_before(self, lot: int) -> None:
        if lot > 0:
            self.happens(register(MRN))

    @rule(identifiers=st.lists(st.sampled_from([MRN, SSN])))
    def registered(self, identifiers: list[object]) -> None:
        self.happens(register(*(one for one in (MRN, SSN) if one in identifiers)))

    @rule(phone=st.sampled_from([None, "1", "2"]), message=st.none() | NUMBERS.map(told_by))
    def demographics(self, phone: str | None, message: None) -> None:
        self.happens(correct(Demographics(phone=phone), message=message))

    @rule(
        number=NUMBERS, visit=VISITS, sent=SENT, discharged=TIMES, disposition=st.sampled_from([None, "01"])
    )
    def discharged(
        self, number: int, visit: str | None, sent: str | None, discharged: str, disposition: str | None
    ) -> None:
        self.happens(
            discharge(
                number,
                visit_number=visit,
                message=told_by(number, sent=sent),
                discharged=discharged,
                disposition=disposition,
            )
        )

    @rule(number=NUMBERS, visit=VISITS, sent=SENT)
    def discharge_cancelled(self, number: int, visit: str | None, sent: str | None) -> None:
        self.happens(undo_discharge(visit_number=visit, message=told_by(50 + number, sent=sent)))

    @rule(number=NUMBERS, admitted=st.none() | TIMES)
    def admitted(self, number: int, admitted: str | None) -> None:
        self.happens(admission(number, admitted=admitted))

    @rule(number=NUMBERS)
    def admission_cancelled(self, number: int) -> None:
        self.happens(undo_admission(60 + number))

    @rule(number=NUMBERS, location=st.sampled_from(["ICU", "4 West"]))
    def transferred(self, number: int, location: str) -> None:
        self.happens(transfer(location, number))

    @rule(instrument=INSTRUMENTS, items=ITEMS | FULL, total=TOTALS)
    def assessed(self, instrument: Instrument, items: dict[str, int], total: int | None) -> None:
        self.happens(assess(instrument, items, total=total))

    @rule(items=ITEMS | FULL)
    def assessment_corrected(self, items: dict[str, int]) -> None:
        self.happens(correct_answers(items))

    @rule(instrument=INSTRUMENTS)
    def declined(self, instrument: Instrument) -> None:
        self.happens(DeclineAssessment(**ASKED, instrument=instrument))

    @rule(action=st.sampled_from(["phoned", "seen"]))
    def risk_resolved(self, action: str) -> None:
        self.happens(resolve(action=action))

    @rule(severities=st.lists(st.integers(0, 5), min_size=5, max_size=7))
    def recommended(self, severities: list[int]) -> None:
        self.happens(recommend(*severities))

    @rule(enrolment=NUMBERS, program=st.sampled_from(["iop", "family"]), level=st.sampled_from(["2.1", "9"]))
    def enrolled(self, enrolment: int, program: str, level: str) -> None:
        self.happens(enrol(UUID(int=enrolment), program=program, level=level))

    @rule(enrolment=NUMBERS)
    def oriented(self, enrolment: int) -> None:
        self.happens(orient(UUID(int=enrolment)))

    @rule(status=st.sampled_from(["booked", "rescheduled", "noshow"]), number=NUMBERS)
    def appointment_elsewhere(self, status: AppointmentStatus, number: int) -> None:
        self.happens(appointment(status, 90 + number))

    @rule(candidates=st.lists(st.sampled_from([BEN, KIM]), unique=True))
    def perhaps_known(self, candidates: list[UUID]) -> None:
        self.happens(review(*map(candidate, candidates)))

    @rule(same_as=st.sampled_from([None, BEN, KIM]))
    def match_resolved(self, same_as: UUID | None) -> None:
        self.happens(resolve_match(same_as))

    @rule(survivor=PEOPLE, further=st.lists(PEOPLE, max_size=2))
    def merged(self, survivor: UUID, further: list[UUID]) -> None:
        self.happens(merge(survivor, survivor, *further))

    @rule()
    def unmerged(self) -> None:
        self.happens(unmerge())

    @rule(prior=st.sampled_from([BEN, KIM]), is_theirs=st.booleans())
    def prior_noted(self, prior: UUID, is_theirs: bool) -> None:  # noqa: FBT001 (drawn by name)
        self.happens(link_prior(prior) if is_theirs else unlink_prior(prior))

    @rule(lot=st.integers(0, 9))
    def dies(self, lot: int) -> None:
        if lot == 0:  # seldom, or nothing else would happen
            self.happens(death())

    def told(self, *kinds: type[EventData]) -> list[EventData]:
        return [event for event in self.history if isinstance(event, kinds)]

    @invariant()
    def registered_at_most_once(self) -> None:
        assert len(self.told(ParticipantRegistered)) <= 1

    @invariant()
    def one_enrolment_a_program(self) -> None:
        programs = [event.program for event in self.history if isinstance(event, Enrolled)]
        assert len(programs) == len(set(programs))

    @invariant()
    def a_total_is_the_sum_of_all_items(self) -> None:
        for event in self.history:
            if isinstance(event, AssessmentCompleted | AssessmentCorrected):
                expected = event.complete and event.instrument != "C-SSRS"
                assert event.total == (sum(event.items.values()) if expected else None)
                assert (event.severity is not None) == event.complete

    @invariant()
    def every_risk_in_the_answers_was_flagged(self) -> None:
        for event in self.history:
            if isinstance(event, AssessmentCompleted | AssessmentCorrected) and event.flags:
                assert event.assessment in self.state.assessments.flags
        assert len(self.told(SuicideRiskResolved)) <= len(self.told(SuicideRiskFlagged)) <= 2

    @invariant()
    def a_discharge_is_cancelled_at_most_once_and_only_if_it_was_told(self) -> None:
        told = {event.discharge for event in self.history if isinstance(event, DischargeNotified)}
        cancelled = [event.discharge for event in self.history if isinstance(event, DischargeCancelled)]
        assert len(cancelled) == len(set(cancelled))
        assert set(cancelled) <= told
        assert set(self.state.stays.discharges.open) == told - set(cancelled)

    @invariant()
    def nobody_is_enrolled_after_death(self) -> None:
        if deaths := self.told(DeathNotified):
            after = self.history[self.history.index(deaths[0]) :]
            assert not [event for event in after if isinstance(event, Enrolled | AssessmentCompleted)]
            assert len(deaths) == 1

    @invariant()
    def a_record_is_merged_into_one_at_a_time_and_never_into_itself(self) -> None:
        merged: UUID | None = None
        for event in self.history:
            match event:
                case ParticipantsMerged(survivor=survivor, prior=prior):
                    assert merged is None
                    assert survivor != prior
                    merged = survivor
                case ParticipantsUnmerged(survivor=survivor):
                    assert merged == survivor
                    merged = None
                case _:
                    assert merged is None or not isinstance(event, Enrolled | IdentifierLinked)
        assert self.state.records.survivor == merged

    @invariant()
    def without_its_merges_the_record_is_what_it_would_be(self) -> None:
        told = [e for e in self.history if not isinstance(e, ParticipantsMerged | ParticipantsUnmerged)]
        alone = DECIDER.fold(DECIDER.initial, told)
        assert replace(alone, records=self.state.records) == self.state

    @invariant()
    def replay_comes_to_the_same(self) -> None:
        assert DECIDER.fold(DECIDER.initial, self.history) == self.state


ParticipantMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestParticipantMachine = ParticipantMachine.TestCase
