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
    middle_means,
    pooled_chance,
    pooled_middle_mean,
    ratio_percent,
    wins,
)

small_ints = arrays(np.float64, (5, 3), elements=st.integers(0, 4).map(float))


def drawn(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def test_the_middle_half_by_hand() -> None:
    columns = np.array([[1.0, 0.0], [2.0, 0.0], [4.0, 0.0], [900.0, 8.0]])
    found = middle_means(columns)
    assert [estimate.value for estimate in found] == [3.0, 0.0]  # of 2 and 4; of 0 and 0
    assert pooled_middle_mean(columns).value == 1.75  # of 8 values, the middle four: 0, 1, 2, 4


def test_an_interval_covers_what_it_says_as_often_as_it_says() -> None:
    hits = 0
    for batch in range(4):  # 400 samples of 40 from a normal distribution, whose middle mean is 0
        hits += sum(estimate.low <= 0.0 <= estimate.high for estimate in middle_means(drawn(batch, 40, 100)))
    assert 0.90 <= hits / 400 <= 0.985


@settings(max_examples=25)
@given(small_ints, small_ints)
def test_chances_are_rliables(one: np.ndarray, other: np.ndarray) -> None:
    assert wins(one, other).mean() == pytest.approx(metrics.probability_of_improvement(one, other))
    assert wins(one, other) == pytest.approx(1.0 - wins(other, one))


def test_chances_have_intervals_between_nought_and_one() -> None:
    better, worse = drawn(1, 30, 2) + 1.0, drawn(2, 30, 2)
    for estimate in (*chances(better, worse), pooled_chance(better, worse)):
        assert 0.5 < estimate.low < estimate.value < estimate.high < 1.0
    assert pooled_chance(better, worse).value == pytest.approx(wins(better, worse).mean())


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


def test_of_nothing_there_is_no_ratio() -> None:
    assert np.isnan(ratio_percent(np.ones(3), np.zeros(3))).all()


def test_one_seed_has_no_interval() -> None:
    one = np.array([[2.0, 4.0]])
    for estimate in (*middle_means(one), *chances(one, one), difference(one[0, :1], one[0, :1])):
        assert np.isfinite(estimate.value)
        assert np.isnan([estimate.low, estimate.high]).all()


def test_every_time_the_same_and_the_global_generator_untouched() -> None:
    columns = drawn(5, 20, 3)
    np.random.seed(7)  # noqa: NPY002
    expected = np.random.default_rng(0), np.random.random(3)  # noqa: NPY002
    np.random.seed(7)  # noqa: NPY002
    once = middle_means(columns)
    assert np.random.random(3).tolist() == expected[1].tolist()  # noqa: NPY002
    assert middle_means(columns) == once


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
