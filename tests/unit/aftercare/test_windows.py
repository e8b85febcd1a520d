"""The days between which a follow-up is owed."""

from datetime import date

import pytest

from services.aftercare.deciders import windows
from services.aftercare.deciders.aftercare import DECIDER
from services.aftercare.deciders.windows import Window
from shared.commands.decision import derived
from shared.events.aftercare import AftercareScheduled, FollowUpKind
from tests.unit.aftercare.aftercare_stories import MAR_3, ORIGIN, discharged, follow_ups, program_ended
from tests.unit.scenario import given


def test_the_day_of_discharge_does_not_count():
    assert windows.after_discharge(MAR_3, 7) == Window(date(2026, 3, 4), date(2026, 3, 10))
    assert windows.after_discharge(MAR_3, 30) == Window(date(2026, 3, 4), date(2026, 4, 2))


def test_the_day_of_an_emergency_visit_counts():
    assert windows.after_emergency(MAR_3, 7) == Window(date(2026, 3, 3), date(2026, 3, 10))
    assert windows.after_emergency(MAR_3, 30) == Window(date(2026, 3, 3), date(2026, 4, 2))


@pytest.mark.parametrize(
    ("ended", "months", "due"),
    [
        (date(2026, 3, 3), 1, date(2026, 4, 3)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2026, 6, 30), 6, date(2026, 12, 30)),
        (date(2026, 12, 31), 12, date(2027, 12, 31)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
    ],
)
def test_a_check_in_is_due_calendar_months_later_or_at_the_months_end(ended: date, months: int, due: date):
    assert windows.check_in(ended, months).due == due


def test_a_check_in_may_be_done_in_the_week_before_it_is_due():
    assert windows.check_in(MAR_3, 1).opens == date(2026, 3, 27)


def test_a_discharge_owes_a_follow_up_within_7_and_one_within_30_days():
    seven, thirty = follow_ups()
    assert (seven.window_opens, seven.due) == (date(2026, 3, 4), date(2026, 3, 10))
    given(DECIDER).when(discharged()).then(seven, thirty)


def test_an_emergency_visit_owes_them_from_its_own_day_on():
    given(DECIDER).when(discharged(emergency=True)).then(*follow_ups(emergency=True))


def test_the_same_discharge_again_owes_nothing_more():
    given(DECIDER, *follow_ups()).when(discharged()).then_nothing()


def test_the_end_of_the_program_owes_follow_ups_and_check_ins_for_a_year():
    def owed(kind: FollowUpKind, opens: date, due: date, *, name: str | None = None) -> AftercareScheduled:
        return AftercareScheduled(
            follow_up=derived(ORIGIN, name or kind),
            kind=kind,
            provider_type="program",
            index_discharge=MAR_3,
            window_opens=opens,
            due=due,
        )

    given(DECIDER).when(program_ended()).then(
        owed("follow-up-7-day", date(2026, 3, 4), date(2026, 3, 10)),
        owed("follow-up-30-day", date(2026, 3, 4), date(2026, 4, 2)),
        owed("check-in", date(2026, 3, 27), date(2026, 4, 3), name="check-in-1"),
        owed("check-in", date(2026, 5, 27), date(2026, 6, 3), name="check-in-3"),
        owed("check-in", date(2026, 8, 27), date(2026, 9, 3), name="check-in-6"),
        owed("check-in", date(2027, 2, 24), date(2027, 3, 3), name="check-in-12"),
    )
