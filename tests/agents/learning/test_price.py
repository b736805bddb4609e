"""The price of violations: rises where there are too many, and settles where they are as many as allowed."""

import pytest

from agents.learning.price import WARM_UP, Price


def test_it_waits_for_the_first_looks() -> None:
    price = Price(0.1, allowed_percent=0.5)
    for _ in range(WARM_UP):
        price.follow(9.0)
    assert price.eur_per_user_h == 0.1
    price.follow(9.0)
    assert price.eur_per_user_h > 0.1


@pytest.mark.parametrize("start", [0.01, 1.0])
def test_it_settles_where_violations_are_as_many_as_allowed(start: float) -> None:
    price = Price(start, allowed_percent=0.4)
    for _ in range(1500):
        price.follow(0.04 / price.eur_per_user_h)  # a learner who violates the less, the more it costs
    assert price.eur_per_user_h == pytest.approx(0.1, rel=0.01)


def test_no_burst_moves_it_far() -> None:
    price = Price(0.1, allowed_percent=0.4, average_percent=0.4, looks=WARM_UP)
    price.follow(1000.0)
    assert price.eur_per_user_h < 0.109
