"""Choosing among candidates by their errors."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from predictors.forecasting.choice import BLOCKS, LEAST_VALUES, block_of, choose

COUNTS = np.full((3, BLOCKS), 10.0)


def errors_of(seed: int, means: list[list[float]], noise: float) -> np.ndarray:
    """Return errors ``[C, N, BLOCKS]`` of mean ``means [C][N]``."""
    random = np.random.default_rng(seed)
    return np.array(means)[..., None] + noise * random.normal(size=(len(means), len(means[0]), BLOCKS))


@given(st.integers(0, 1000), st.integers(1, 6), st.integers(1, 4))
def test_shares_sum_to_one(seed: int, candidates: int, zones: int) -> None:
    random = np.random.default_rng(seed)
    counts = random.integers(0, 9, (zones, BLOCKS)) * random.integers(0, 2, (zones, BLOCKS)).astype(float)
    shares = choose(random.random((candidates, zones, BLOCKS)) * counts, counts)
    assert shares.shape == (zones + 1, candidates)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    assert (shares >= 0.0).all()


def test_the_clearly_best_is_chosen_alone() -> None:
    shares = choose(errors_of(0, [[3.0] * 3, [1.0] * 3, [2.0] * 3], noise=0.1), COUNTS)
    np.testing.assert_array_equal(shares, np.tile([0.0, 1.0, 0.0], (4, 1)))


def test_what_differs_by_chance_is_averaged() -> None:
    together = [choose(errors_of(seed, [[1.0] * 3, [1.0] * 3], noise=0.5), COUNTS)[-1, 0] == 0.5 for seed in range(50)]
    assert 0.2 < np.mean(together) < 0.6, "half a standard error either way is 38 % of a normal variate"


def test_a_zone_of_another_nature_chooses_for_itself() -> None:
    """And hardly ever a zone that is like the others."""
    means = [[1.0, 1.0, 1.5], [1.5, 1.5, 1.0]]
    shares = np.array([choose(errors_of(seed, means, noise=0.3), COUNTS) for seed in range(50)])
    assert (shares[:, 2] == [0.0, 1.0]).all(axis=1).mean() > 0.8
    assert (shares[:, :2] == [0.0, 1.0]).all(axis=2).mean() < 0.1
    same = [choose(errors_of(seed, [[1.0] * 3, [1.0] * 3], noise=0.3), COUNTS) for seed in range(100)]
    own = np.mean([(one[:-1] != one[-1]).any(axis=1) for one in same])
    assert own < 0.1, "two standard errors"


def test_a_zone_with_few_values_follows_the_others() -> None:
    errors = errors_of(0, [[1.0, 1.0, 9.0], [1.2, 1.2, 0.1]], noise=0.01)
    counts = COUNTS.copy()
    counts[2] = (LEAST_VALUES - 1) / BLOCKS
    errors[:, :2] *= 100.0  # so that the third zone does not decide for all
    np.testing.assert_array_equal(choose(errors, counts)[2], [1.0, 0.0])
    counts[2] = LEAST_VALUES / BLOCKS
    np.testing.assert_array_equal(choose(errors, counts)[2], [0.0, 1.0])


def test_of_nothing_known_the_first_is_chosen() -> None:
    np.testing.assert_array_equal(choose(np.zeros((3, 1, BLOCKS)), np.zeros((1, BLOCKS))), [[1.0, 0.0, 0.0]] * 2)


def test_one_block_decides_by_itself() -> None:
    counts = np.zeros((1, BLOCKS))
    counts[0, 3] = 30.0
    errors = np.zeros((2, 1, BLOCKS))
    errors[:, 0, 3] = [2.0, 1.0]
    np.testing.assert_array_equal(choose(errors, counts), [[0.0, 1.0]] * 2)


def test_blocks_are_of_equal_length() -> None:
    assert block_of(np.arange(100, 120), 100, 120).tolist() == [n // 2 for n in range(20)]
    assert block_of(np.array([0, 500]), 100, 120).tolist() == [0, BLOCKS - 1]


def test_the_usual_is_left_only_for_what_is_clearly_better() -> None:
    """A candidate that wins much in two blocks and loses a little in the others is chosen, but not instead of the usual."""
    errors = np.ones((2, 1, BLOCKS))
    errors[0, 0, [3, 7]], errors[1, 0] = 100.0, 3.0
    errors[1, 0, [3, 7]] = 50.0
    np.testing.assert_array_equal(choose(errors, COUNTS[:1])[-1], [0.0, 1.0])
    usual = np.array([1.0, 0.0])
    np.testing.assert_array_equal(choose(errors, COUNTS[:1], usual), [[1.0, 0.0]] * 2)
    errors[0], errors[1] = 1.0, 0.5
    np.testing.assert_array_equal(choose(errors, COUNTS[:1], usual), [[0.0, 1.0]] * 2)
