"""Counts by chance: every sampler against its own distribution, and the short cuts against what they shorten.

All keys are fixed, so these statistics never fail by chance; the limits are those of one failure in 30,000.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from metaverse_env.compiling import compiled
from metaverse_env.simulator import counts, rng

Follows = Callable[[np.ndarray, Callable[[int], float]], None]

DRAWS = 200_000
LIMIT = 4.0
"""Standard deviations that a statistic may lie from what is expected."""
KEY = np.uint64(20_240_131)


@compiled
def many_poisson(key: int, mean: float, out: Any) -> None:
    for index in range(len(out)):
        out[index] = counts.poisson(rng.draw(rng.tick_key(key, index), 1), mean)


@compiled
def many_binomial(key: int, trials: int, probability: float, out: Any) -> None:
    for index in range(len(out)):
        out[index] = counts.binomial(rng.draw(rng.tick_key(key, index), 1), trials, probability)


@compiled
def many_happening(key: int, trials: int, hazard: float, out: Any) -> None:
    for index in range(len(out)):
        out[index] = counts.happening(rng.draw(rng.tick_key(key, index), 1), trials, hazard)


@compiled
def many_few_poisson(key: int, mean: float, out: Any) -> None:
    for index in range(len(out)):
        out[index] = counts.few_poisson(rng.draw(rng.tick_key(key, index), 1), mean)


@compiled
def many_few_happening(key: int, trials: int, hazard: float, out: Any) -> None:
    for index in range(len(out)):
        out[index] = counts.few_happening(rng.draw(rng.tick_key(key, index), 1), trials, hazard)


def sample(fill: Callable[..., None], *arguments: Any) -> np.ndarray:
    out = np.empty(DRAWS, dtype=np.int64)
    fill(KEY, *arguments, out)
    return out


@pytest.fixture
def assert_follows(deviations: Callable[..., float], pooled: Callable[..., tuple[np.ndarray, np.ndarray]]) -> Follows:
    """Return a chi-square test of counts against a probability mass function; none may be impossible."""

    def check(values: np.ndarray, log_probability: Callable[[int], float]) -> None:
        most = int(values.max()) + 1
        probability = np.array([math.exp(log_probability(k)) for k in range(most)])
        expected = np.append(probability, max(1.0 - probability.sum(), 0.0)) * len(values)
        found, expected = pooled(np.append(np.bincount(values, minlength=most), 0), expected)
        assert deviations(found, expected) < LIMIT

    return check


def log_poisson(k: int, mean: float) -> float:
    return k * math.log(mean) - mean - math.lgamma(k + 1)


def log_binomial(k: int, n: int, p: float) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * math.log(p) + (n - k) * math.log1p(-p)


@pytest.mark.parametrize("mean", [0.003, 0.05, 0.7, 3.0, 9.99, 10.0, 14.5, 40.0, 300.0, 1e4])
def test_poisson(mean: float, assert_follows: Follows) -> None:
    assert_follows(sample(many_poisson, mean), lambda k: log_poisson(k, mean))


@pytest.mark.parametrize(
    ("trials", "probability"),
    [
        (1, 0.3),
        (6, 0.5),
        (6, 0.97),
        (7, 0.01),
        (7, 0.5),
        (50, 0.02),
        (50, 0.19),
        (50, 0.2),
        (50, 0.93),
        (200, 0.002),
        (200, 0.5),
        (999, 0.03),
        (1000, 0.97),
        (20_000, 0.4),
        (100_000, 1e-5),
    ],
)
def test_binomial(trials: int, probability: float, assert_follows: Follows) -> None:
    values = sample(many_binomial, trials, probability)
    assert values.max() <= trials
    assert_follows(values, lambda k: log_binomial(k, trials, probability))


def test_nothing_happens_without_a_mean_trials_or_probability() -> None:
    assert sample(many_poisson, 0.0).max() == 0
    for trials, probability in ((0, 0.5), (-3, 0.5), (10, 0.0)):
        assert sample(many_binomial, trials, probability).max() == 0


@pytest.mark.parametrize("trials", [1, 6, 7, 5000])
def test_everything_happens_with_certainty(trials: int) -> None:
    assert sample(many_binomial, trials, 1.0).min() == trials


HAZARDS = [
    (0, 0.3),
    (1, 0.02),
    (2, 0.02),
    (3, 0.3),
    (30, 0.0277),
    (90, 0.004),
    (200, 0.049),
    (500, 0.1),
    (7, 0.6),
    (9, 40.0),
]


@pytest.mark.parametrize(("trials", "hazard"), HAZARDS[1:])
def test_happening(trials: int, hazard: float, assert_follows: Follows) -> None:
    values = sample(many_happening, trials, hazard)
    assert values.max() <= trials
    if hazard < 40.0:
        assert_follows(values, lambda k: log_binomial(k, trials, -math.expm1(-hazard)))
    else:
        assert values.min() == trials


def assert_shortens(few: np.ndarray, exact: np.ndarray) -> None:
    assert np.array_equal(few[few <= counts.FEW], exact[few <= counts.FEW])
    assert few.max() <= counts.FEW + 1


@pytest.mark.parametrize(("trials", "hazard"), HAZARDS)
def test_few_happening_is_happening_where_few_do(trials: int, hazard: float) -> None:
    few, exact = sample(many_few_happening, trials, hazard), sample(many_happening, trials, hazard)
    assert_shortens(few, exact)
    if trials * hazard < 10.0 and hazard < 0.5:
        assert ((few <= counts.FEW) == (exact <= counts.FEW)).all()


@compiled
def many_few_successes(key: int, trials: int, probability: float, out: Any) -> None:
    for index in range(len(out)):
        out[index] = counts.few_successes(rng.draw(rng.tick_key(key, index), 1), trials, probability)


@pytest.mark.parametrize("trials", [1, 2, 3])
@pytest.mark.parametrize("probability", [0.0, 0.02, 0.7, 1.0])
def test_few_successes(trials: int, probability: float, assert_follows: Follows) -> None:
    values = sample(many_few_successes, trials, probability)
    if 0.0 < probability < 1.0:
        assert_follows(values, lambda k: log_binomial(k, trials, probability))
    else:
        assert (values == trials * probability).all()


@pytest.mark.parametrize("mean", [0.0, 0.003, 0.7, 3.0, 9.99, 10.0, 300.0])
def test_few_poisson_is_poisson_where_it_is_few(mean: float) -> None:
    few, exact = sample(many_few_poisson, mean), sample(many_poisson, mean)
    assert_shortens(few, exact)
    if mean < 10.0:
        assert ((few <= counts.FEW) == (exact <= counts.FEW)).all()


def test_the_chi_square_would_notice_one_per_cent(assert_follows: Follows) -> None:
    with pytest.raises(AssertionError):
        assert_follows(sample(many_poisson, 40.0), lambda k: log_poisson(k, 40.4))
