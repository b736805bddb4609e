"""The price of violations: rises where there are too many, and settles where they are as many as allowed."""

import math

import pytest

from agents.learning.price import HIGHEST_EUR_PER_USER_H, RATE, WARM_UP, Price


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
    assert price.eur_per_user_h < 0.1 * math.exp(RATE) * 1.001


def test_it_stays_bounded_where_no_price_would_do() -> None:
    price = Price(0.1, allowed_percent=0.4)
    for _ in range(100):
        price.follow(2.0)
    assert price.eur_per_user_h == HIGHEST_EUR_PER_USER_H


def test_half_of_what_is_allowed_moves_it_as_far_as_twice_as_much() -> None:
    moved = []
    for violated in (0.2, 0.8, 0.0):
        price = Price(0.1, allowed_percent=0.4, average_percent=violated, looks=WARM_UP)
        price.follow(violated)
        moved.append(math.log(price.eur_per_user_h / 0.1))
    assert moved == pytest.approx([-RATE, RATE, -RATE])
