"""Bootstrapped figures: rliable's own, by hand where a hand can, and the same every time."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from rliable import metrics

from benchmarks.bootstrap import (
    chances,
    difference,
    mean_ratio_percent,
    means,
    middle_means,
    ratio_percent,
    wins,
    won,
    worst_tenths,
)

small_ints = arrays(np.float64, (5, 3), elements=st.integers(0, 4).map(float))


def drawn(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def columns(values: np.ndarray) -> np.ndarray:
    """Return figures of one condition, ``[N, K, 1]``."""
    return values[..., None]


def stratum(values: np.ndarray) -> np.ndarray:
    """Return one figure of several conditions, ``[N, 1, C]``."""
    return values[:, None]


def test_the_middle_half_by_hand() -> None:
    values = np.array([[1.0, 0.0], [2.0, 0.0], [4.0, 0.0], [900.0, 8.0]])
    assert [estimate.value for estimate in middle_means(columns(values))] == [3.0, 0.0]  # of 2 and 4; of 0 and 0
    (found,) = middle_means(stratum(values))
    assert found.value == 1.5  # the mean of both


@settings(max_examples=10)
@given(small_ints)
def test_the_middle_half_is_rliables(values: np.ndarray) -> None:
    for figure, estimate in zip(values.T, middle_means(columns(values)), strict=True):
        assert estimate.value == pytest.approx(metrics.aggregate_iqm(figure[:, None]))


def test_an_interval_covers_what_it_says_as_often_as_it_says() -> None:
    samples = columns(drawn(0, 40, 400))  # from a normal distribution, whose middle mean is 0
    hits = sum(estimate.low <= 0.0 <= estimate.high for estimate in middle_means(samples))
    assert 0.90 <= hits / 400 <= 0.985


@settings(max_examples=25)
@given(small_ints, small_ints)
def test_chances_are_rliables(one: np.ndarray, other: np.ndarray) -> None:
    assert wins(one, other).mean() == pytest.approx(metrics.probability_of_improvement(one, other))
    assert wins(one, other) == pytest.approx(1.0 - wins(other, one))


def test_chances_have_intervals_between_nought_and_one() -> None:
    better, worse = drawn(1, 30, 2) + 1.0, drawn(2, 30, 2)
    for estimate in (*chances(columns(better), columns(worse)), *chances(stratum(better), stratum(worse))):
        assert 0.5 < estimate.low < estimate.value < estimate.high < 1.0
    assert chances(stratum(better), stratum(worse))[0].value == pytest.approx(wins(better, worse).mean())


def test_pairs_by_hand() -> None:
    found = ratio_percent(np.array([11.0, 22.0, 33.0]), np.array([10.0, 20.0, 30.0]))
    assert found == pytest.approx(
        (10.0, 10.0, 10.0)
    )  # every seed costs a tenth more, so that nothing is left to chance
    more = difference(np.array([3.0, 5.0, 4.0]), np.array([1.0, 3.0, 2.0]))
    assert more == pytest.approx((2.0, 2.0, 2.0))


def test_pairs_are_kept_together() -> None:
    reference = 100.0 * np.exp(drawn(3, 40))  # spreads over two orders of magnitude
    found = ratio_percent(1.2 * reference * np.exp(0.01 * drawn(4, 40)), reference)
    assert found.low < found.value < found.high
    assert found.high - found.low < 2.0
    assert found.value == pytest.approx(20.0, abs=1.0)


def test_a_ratio_over_conditions_is_the_mean_of_theirs() -> None:
    reference = 100.0 * np.exp(drawn(3, 40, 2))
    values = np.array([1.1, 1.3]) * reference * np.exp(0.01 * drawn(4, 40, 2))
    found = mean_ratio_percent(values, reference)
    each = [ratio_percent(values[:, c], reference[:, c]) for c in range(2)]
    assert found.value == pytest.approx(np.mean([ratio.value for ratio in each]))
    assert found.low < found.value < found.high
    widest = max(ratio.high - ratio.low for ratio in each)
    assert found.high - found.low < widest  # of two conditions more is known than of the one that is known least
    assert mean_ratio_percent(values[:, :1], reference[:, :1]) == pytest.approx(each[0])


def test_of_nothing_there_is_no_ratio() -> None:
    assert np.isnan(ratio_percent(np.ones(3), np.zeros(3))).all()


def test_the_worst_tenth_by_hand() -> None:
    values = np.stack([np.arange(30.0), -np.arange(30.0)], axis=1)
    found = worst_tenths(columns(values))
    assert [estimate.value for estimate in found] == [28.0, -1.0]  # of 27, 28, 29; of 0, -1, -2
    assert worst_tenths(stratum(values))[0].value == 13.5  # the mean of both
    assert worst_tenths(columns(values[:4]))[0].value == 3.0  # at least one


def test_pairs_are_won_lost_or_drawn() -> None:
    pairs = won(np.array([[1.0], [2.0], [2.0], [5.0]]), np.array([[2.0], [2.0], [1.0], [1.0]]))
    assert pairs[:, 0].tolist() == [0.0, 0.5, 1.0, 1.0]
    (estimate,) = means(columns(pairs))
    assert estimate.value == 0.625
    assert 0.0 < estimate.low < estimate.value < estimate.high <= 1.0


def test_one_seed_has_no_interval() -> None:
    one = columns(np.array([[2.0, 4.0]]))
    for estimate in (*middle_means(one), *chances(one, one), difference(one[0, :1, 0], one[0, :1, 0])):
        assert np.isfinite(estimate.value)
        assert np.isnan([estimate.low, estimate.high]).all()


def test_every_time_the_same_and_the_global_generator_untouched() -> None:
    values = columns(drawn(5, 20, 3))
    np.random.seed(7)  # noqa: NPY002
    expected = np.random.random(3).tolist()  # noqa: NPY002
    np.random.seed(7)  # noqa: NPY002
    once = middle_means(values)
    assert np.random.random(3).tolist() == expected  # noqa: NPY002
    assert middle_means(values) == once


def test_without_the_library_it_says_what_to_install() -> None:
    script = (
        "import sys\nsys.modules['rliable'] = None\nfrom metaverse_env.errors import MissingDependencyError\n"
        "from benchmarks.bootstrap import require\n"
        "try:\n    require()\nexcept MissingDependencyError as error:\n    print(error)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == (
        "a benchmark suite needs rliable, which is not installed. Run: pip install 'metaverse-env[benchmarks]'\n"
    )
