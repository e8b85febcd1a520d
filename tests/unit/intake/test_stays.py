"""What hospitals tell of stays, in whichever order and however often they tell it."""

from uuid import UUID

from msgspec.structs import replace

from shared.commands.intake import NotifyDischarge
from shared.events.base import MessageReference
from shared.events.encounter import (
    AdmissionCancelled,
    DeathNotified,
    DischargeCancelled,
    DischargeNotified,
    InpatientAdmissionNotified,
    ReversalUnmatched,
    TransferNotified,
)
from shared.events.moment import Moment
from tests.unit.intake.participant_stories import (
    DECIDER,
    DEPRESSION,
    GENERAL,
    MAR_3,
    MAR_4,
    VISIT,
    admission,
    death,
    discharge,
    discharge_id,
    met,
    told_by,
    transfer,
    undo_admission,
    undo_discharge,
)
from tests.unit.scenario import given

NINE, TEN, ELEVEN, NOON, ONE = (f"2026-03-03T{hour:02}:00:00-05:00" for hour in range(9, 14))


def notified(command: NotifyDischarge, *, id: UUID | None = None) -> DischargeNotified:
    return DischargeNotified(
        discharge=id or command.discharge,
        facility=command.facility,
        discharged=command.discharged,
        visit_number=command.visit_number,
        disposition=command.disposition,
        diagnoses=command.diagnoses,
        message=command.message,
    )


def undone(number: int, *, by: int = 50, sent: Moment | None = None) -> DischargeCancelled:
    return DischargeCancelled(
        discharge=discharge_id(number),
        facility=GENERAL,
        visit_number=VISIT,
        message=told_by(by, sent=sent),
    )


def unmatched(*, visit: str | None = VISIT, message: MessageReference | None = None) -> ReversalUnmatched:
    return ReversalUnmatched(
        of="discharge", facility=GENERAL, visit_number=visit, message=message or told_by(50)
    )


def test_a_discharge_is_recorded_as_told():
    met().when(discharge(diagnoses=(DEPRESSION,))).then(notified(discharge(diagnoses=(DEPRESSION,))))


def test_a_discharge_of_somebody_not_registered_yet_is_a_fact_all_the_same():
    given(DECIDER).when(discharge()).then(notified(discharge()))


def test_a_discharge_told_again_in_another_message_is_no_news():
    met(notified(discharge(1))).when(discharge(2)).then_nothing()


def test_a_discharge_told_again_with_its_time_in_another_offset_is_no_news():
    met(notified(discharge(1))).when(discharge(2, discharged="2026-03-03T15:00:00Z")).then_nothing()


def test_a_discharge_told_again_to_the_day_only_is_no_news():
    met(notified(discharge(1))).when(discharge(2, discharged="2026-03-03")).then_nothing()


def test_a_discharge_told_again_with_another_time_takes_the_place_of_the_first():
    later = discharge(2, discharged=MAR_4)
    met(notified(discharge(1))).when(later).then(undone(1, by=2), notified(later))


def test_a_disposition_told_later_is_added_and_what_is_absent_stays():
    first = discharge(1, diagnoses=(DEPRESSION,))
    whole = discharge(2, diagnoses=(DEPRESSION,), disposition="01")
    met(notified(first)).when(discharge(2, disposition="01")).then(notified(whole, id=discharge_id(1)))


def test_an_older_message_that_arrives_late_does_not_overwrite_a_newer_one():
    newer = discharge(1, discharged=MAR_4, message=told_by(1, sent=TEN))
    older = discharge(2, discharged=MAR_3, message=told_by(2, sent=NINE))
    met(notified(newer)).when(older).then_nothing()


def test_the_same_visit_number_of_another_hospital_is_another_visit():
    elsewhere = discharge(2, message=told_by(2, source="mercy"))
    met(notified(discharge(1))).when(elsewhere).then(notified(elsewhere))


def test_a_discharge_cancelled_by_the_hospital_is_found_by_its_visit_number():
    met(notified(discharge(1))).when(undo_discharge()).then(undone(1))


def test_a_discharge_at_another_time_is_the_one_that_is_cancelled():
    first, later = notified(discharge(1)), discharge(2, discharged=MAR_4)
    met(first, undone(1, by=2), notified(later)).when(undo_discharge()).then(undone(2))


def test_a_discharge_told_again_with_more_to_it_is_cancelled_under_its_first_id():
    more = notified(discharge(2, disposition="01"), id=discharge_id(1))
    met(notified(discharge(1)), more).when(undo_discharge()).then(undone(1))


def test_a_cancellation_told_twice_cancels_once():
    met(notified(discharge(1)), undone(1)).when(undo_discharge(51)).then_nothing()


def test_a_discharge_after_a_cancelled_one_is_a_new_discharge():
    met(notified(discharge(1)), undone(1)).when(discharge(2)).then(notified(discharge(2))).when(
        undo_discharge(51)
    ).then(undone(2, by=51))


def test_the_cancelled_discharge_message_again_does_not_discharge_again():
    met(notified(discharge(1)), undone(1)).when(discharge(1)).then_nothing()


def test_a_cancellation_delivered_again_does_not_cancel_the_next_discharge():
    met(notified(discharge(1)), undone(1), notified(discharge(2))).when(undo_discharge(50)).then_nothing()


def test_a_cancellation_without_its_discharge_is_kept_for_a_person_to_see():
    met().when(undo_discharge()).then(unmatched())


def test_a_cancellation_without_its_discharge_is_kept_once():
    met(unmatched()).when(undo_discharge(51)).then_nothing()


def test_a_discharge_that_arrives_after_its_cancellation_is_cancelled_at_once():
    met(unmatched()).when(discharge(1)).then(notified(discharge(1)), undone(1))


def test_a_discharge_sent_after_the_waiting_cancellation_stands():
    waiting = unmatched(message=told_by(50, sent=TEN))
    second = discharge(2, message=told_by(2, sent=ELEVEN))
    first = discharge(1, message=told_by(1, sent=NINE))
    met(waiting).when(second).then(notified(second)).when(first).then(
        notified(first), undone(1, sent=TEN)
    ).when(undo_discharge(51)).then(undone(2, by=51))


def test_a_discharge_sent_before_the_cancellation_that_is_known_stands_no_more():
    first, late = discharge(1, message=told_by(1, sent=NINE)), discharge(2, message=told_by(2, sent=NINE))
    met(notified(first), undone(1, sent=TEN)).when(late).then(notified(late), undone(2, sent=TEN))


def test_a_cancellation_sent_before_the_discharge_is_not_about_it():
    second = discharge(2, message=told_by(2, sent=ELEVEN))
    late = undo_discharge(message=told_by(50, sent=TEN))
    met(notified(second)).when(late).then(unmatched(message=told_by(50, sent=TEN)))


def test_a_second_cancellation_that_overtook_its_discharge_waits_for_it():
    first = notified(discharge(1, message=told_by(1, sent=NINE)))
    second, again = discharge(2, message=told_by(2, sent=ELEVEN)), told_by(51, sent=NOON)
    met(first, undone(1, sent=TEN)).when(undo_discharge(message=again)).then(unmatched(message=again)).when(
        undo_discharge(message=told_by(52, sent=ONE))
    ).then_nothing().when(second).then(notified(second), undone(2, by=51, sent=NOON))


def test_a_cancellation_without_a_visit_number_is_never_matched():
    met(notified(discharge(1, visit_number=None))).when(undo_discharge(visit_number=None)).then(
        unmatched(visit=None)
    ).when(undo_discharge(51, visit_number=None)).then(unmatched(visit=None, message=told_by(51)))


def test_discharges_without_a_visit_number_are_told_apart_by_their_time():
    unnumbered = discharge(1, visit_number=None)
    another = discharge(3, visit_number=None, discharged=MAR_4)
    met(notified(unnumbered)).when(discharge(2, visit_number=None)).then_nothing().when(another).then(
        notified(another)
    )


def test_without_a_message_the_facility_stands_for_the_sender():
    met(notified(discharge(1, message=None))).when(undo_discharge(message=None)).then(
        DischargeCancelled(discharge=discharge_id(1), facility=GENERAL, visit_number=VISIT)
    )


ADMITTED = InpatientAdmissionNotified(
    admission=UUID(int=201), facility=GENERAL, visit_number=VISIT, admitted=MAR_3, message=told_by(1)
)
NOT_ADMITTED = AdmissionCancelled(
    admission=UUID(int=201), facility=GENERAL, visit_number=VISIT, message=told_by(60)
)
NO_ADMISSION = ReversalUnmatched(of="admission", facility=GENERAL, visit_number=VISIT, message=told_by(60))


def test_an_admission_is_recorded_and_cancelled_by_its_visit_number():
    met().when(admission(1)).then(ADMITTED).when(undo_admission()).then(NOT_ADMITTED)


def test_an_admission_told_again_is_no_news():
    met(ADMITTED).when(admission(2)).then_nothing()
    met(ADMITTED).when(admission(2, admitted=None)).then_nothing()


def test_an_admission_told_again_with_another_time_keeps_its_id():
    met(ADMITTED).when(admission(2, admitted=MAR_4)).then(
        InpatientAdmissionNotified(
            admission=UUID(int=201), facility=GENERAL, visit_number=VISIT, admitted=MAR_4, message=told_by(2)
        )
    )


def test_an_admission_that_arrives_after_its_cancellation_is_cancelled_at_once():
    met().when(undo_admission()).then(NO_ADMISSION).when(admission(1)).then(ADMITTED, NOT_ADMITTED)


def test_a_cancelled_admission_takes_the_discharge_of_the_same_visit_back_with_it():
    no_discharge = undone(1, by=60)
    met(ADMITTED, notified(discharge(1))).when(undo_admission()).then(no_discharge, NOT_ADMITTED).when(
        undo_discharge()
    ).then_nothing()


def test_a_cancelled_admission_that_waited_takes_back_a_discharge_that_came_before_the_admission():
    met(NO_ADMISSION, notified(discharge(2))).when(admission(1)).then(
        ADMITTED, undone(2, by=60), NOT_ADMITTED
    )


def test_a_cancelled_admission_leaves_the_discharge_of_another_visit_and_one_sent_after_it():
    elsewhere = notified(discharge(2, visit_number="V-2"))
    met(ADMITTED, elsewhere).when(undo_admission()).then(NOT_ADMITTED)
    later = notified(discharge(2, message=told_by(2, sent=ELEVEN)))
    at_ten = told_by(60, sent=TEN)
    met(ADMITTED, later).when(replace(undo_admission(), message=at_ten)).then(
        replace(NOT_ADMITTED, message=at_ten)
    )


def moved(location: str, number: int) -> TransferNotified:
    return TransferNotified(facility=GENERAL, visit_number=VISIT, location=location, message=told_by(number))


def test_a_transfer_to_where_the_person_is_already_is_no_news():
    met().when(transfer("4 West", 70)).then(moved("4 West", 70)).when(transfer("4 West", 71)).then_nothing()


def test_a_transfer_back_is_news():
    met(moved("4 West", 70), moved("ICU", 71)).when(transfer("4 West", 72)).then(moved("4 West", 72))


def test_a_person_dies_once():
    died = DeathNotified(facility=GENERAL, died=MAR_4, message=told_by(80))
    met().when(death(80)).then(died).when(death(81)).then_nothing()
