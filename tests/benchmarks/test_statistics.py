"""Intervals and dominance, held against values from tables and by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.statistics import mean_interval, paired_difference, pareto, student_t_975
from metaverse_env.errors import ConfigurationError


def t_mass_below(t: float, degrees: int) -> float:
    """Integrate the density of Student's t numerically: an oracle without tables."""
    x = np.linspace(0.0, t, 20001)
    scale = math.exp(math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2)) / math.sqrt(degrees * math.pi)
    density = scale * (1.0 + x**2 / degrees) ** (-(degrees + 1) / 2)
    return 0.5 + float(np.trapezoid(density, x))


@pytest.mark.parametrize("degrees", [*range(1, 40), 60, 100, 1000])
def test_quantiles_of_t_leave_one_in_forty_above(degrees: int) -> None:
    assert t_mass_below(student_t_975(degrees), degrees) == pytest.approx(0.975, abs=2e-5)


def test_interval_by_hand() -> None:
    # Mean 4, squared deviations 9 + 1 + 1 + 9 = 20, variance 20/3, standard error sqrt(5/3), t of 3 degrees 3.1824.
    interval = mean_interval([1.0, 3.0, 5.0, 7.0])
    half = 3.1824 * math.sqrt(5.0 / 3.0)
    assert interval == pytest.approx((4.0, 4.0 - half, 4.0 + half))
    assert interval.half_width == pytest.approx(half)


def test_one_value_says_nothing_of_the_spread() -> None:
    assert mean_interval([3.0]) == (3.0, -math.inf, math.inf)


def test_no_value_has_no_mean() -> None:
    with pytest.raises(ConfigurationError, match="at least one seed"):
        mean_interval([])


def test_pairs_cancel_what_both_met() -> None:
    # Differences 1, 2, 3: mean 2, standard error 1/sqrt(3), t of 2 degrees 4.3027.
    users = np.array([0.0, 100.0, 10_000.0])
    interval = paired_difference(np.array([1.0, 2.0, 3.0]) + users, users)
    assert interval == pytest.approx((2.0, 2.0 - 4.3027 / math.sqrt(3.0), 2.0 + 4.3027 / math.sqrt(3.0)))


def test_interval_covers_the_truth_as_often_as_it_says() -> None:
    samples = np.random.default_rng(0).normal(5.0, 2.0, size=(4000, 6))
    covered = [low <= 5.0 <= high for _, low, high in map(mean_interval, samples)]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.012)


def test_front_by_hand() -> None:
    points = [(1.0, 9.0), (2.0, 3.0), (2.0, 4.0), (5.0, 3.0), (6.0, 0.0), (7.0, 0.0)]
    assert pareto(points).tolist() == [True, True, False, False, True, False]


def test_equals_do_not_beat_each_other() -> None:
    assert pareto([(1.0, 1.0), (1.0, 1.0)]).tolist() == [True, True]


numbers = st.floats(0.0, 100.0)


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=12))
def test_somebody_is_on_the_front_and_everybody_else_is_beaten_by_them(points: list[tuple[float, float]]) -> None:
    front = [point for point, best in zip(points, pareto(points), strict=True) if best]
    assert front
    assert all(any(a <= x and b <= y for a, b in front) for x, y in points)
