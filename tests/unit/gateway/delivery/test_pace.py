import pytest

from services.gateway.delivery.pace import Pace

PACE = Pace(first=5.0, longest=7_200.0)


def seconds(attempts: int, asked: float = 0.0) -> float:
    return PACE.pause(attempts, asked).total_seconds()


def test_pauses_double_up_to_hours_and_stay_there_for_ever():
    for attempts in range(1, 11):
        assert seconds(attempts) == pytest.approx(5 * 2 ** (attempts - 1), rel=0.2)
    for attempts in (12, 100, 100_000):
        assert seconds(attempts) == pytest.approx(7_200, rel=0.2)


def test_what_a_receiver_asks_for_is_kept_to_but_not_for_longer_than_the_longest_pause():
    assert seconds(1, asked=60) == 60
    assert seconds(1, asked=365 * 86_400) == 7_200
    assert seconds(20, asked=1) == pytest.approx(7_200, rel=0.2)
