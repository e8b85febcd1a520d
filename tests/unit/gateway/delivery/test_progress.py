from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.gateway.delivery.pace import Pace
from services.gateway.delivery.progress import Progress, Waiting

NOW = datetime(2026, 3, 3, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
A, B = UUID(int=1), UUID(int=2)


def test_of_each_referral_only_the_first_that_waits_is_due():
    waiting = (
        Waiting(sequence=1, referral=A, next_attempt=LATER),
        Waiting(sequence=2, referral=A),
        Waiting(sequence=3, referral=B),
    )
    due = Progress(cursor=3, waiting=waiting).due(NOW)
    assert due is not None
    assert due.sequence == 3


def test_what_waits_keeps_its_place_when_it_is_refused_again():
    progress = Progress().put_back(Waiting(sequence=1, referral=A)).put_back(Waiting(sequence=2, referral=A))
    again = progress.put_back(Waiting(sequence=1, referral=A, attempts=5))
    assert [(each.sequence, each.attempts) for each in again.waiting] == [(1, 5), (2, 0)]
    assert again.cursor == 2


def test_a_resend_adds_what_was_delivered_and_nothing_that_will_be():
    progress = Progress(cursor=5, next_attempt=LATER, attempts=3)
    again = progress.again({4: A, 9: A})
    assert [each.sequence for each in again.waiting] == [4]
    assert again.next_attempt is None
    assert again.again({4: A}) == again
    assert again.passed(4).waiting == ()
    assert again.passed(4).cursor == 5


def test_what_is_told_again_stands_before_the_newer_that_waits():
    progress = Progress(cursor=5, waiting=(Waiting(sequence=5, referral=A, attempts=2),))
    again = progress.again({2: A, 3: A, 5: A})
    assert [(each.sequence, each.attempts) for each in again.waiting] == [(2, 0), (3, 0), (5, 2)]


def test_who_leads_goes_back_to_where_all_was_asked_for_also_when_it_was_asked_twice():
    progress = Progress(cursor=9, waiting=(Waiting(sequence=2, referral=A), Waiting(sequence=7, referral=A)))
    asked = progress.again_after(4).again_after(6)
    assert asked.passed(10).cursor == 10, "what is in hand is settled first"
    back = asked.passed(10).gone_back()
    assert (back.cursor, [each.sequence for each in back.waiting], back.back_to) == (4, [2], None)


def test_pauses_double_up_to_the_longest():
    pace = Pace(first=5, longest=7_200)
    seconds = [pace.pause(attempts).total_seconds() for attempts in (1, 2, 3, 30, 100_000)]
    for told, meant in zip(seconds, (5, 10, 20, 7_200, 7_200), strict=True):
        assert 0.8 * meant <= told <= 1.2 * meant
