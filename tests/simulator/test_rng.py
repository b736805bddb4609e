"""Random numbers: every sampler against its own distribution, and draws that have nothing to do with each other.

All keys are fixed, so these statistics never fail by chance; the limits are those of one failure in 30,000.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from metaverse_env.compiling import compiled
from metaverse_env.simulator import rng

DRAWS = 200_000
LIMIT = 4.0
"""Standard deviations that a statistic may lie from what is expected."""
KEY = np.uint64(20_240_131)


@compiled
def many_uniform(key: int, out: Any) -> None:
    for index in range(len(out)):
        out[index] = rng.uniform(rng.draw(rng.tick_key(key, index), 1))


@compiled
def many_between(key: int, out: Any) -> None:
    for index in range(len(out)):
        out[index] = rng.between(rng.draw(rng.tick_key(key, index), 1), -3.0, 5.0)


@compiled
def many_normal(key: int, out: Any) -> None:
    for index in range(len(out)):
        out[index] = rng.normal(rng.draw(rng.tick_key(key, index), 1))


@compiled
def many_bell(key: int, out: Any) -> None:
    for index in range(len(out)):
        out[index] = rng.bell(rng.draw(rng.tick_key(key, index), 1))


@compiled
def many_poisson(key: int, mean: float, out: Any) -> None:
    for index in range(len(out)):
        out[index] = rng.poisson(rng.draw(rng.tick_key(key, index), 1), mean)


@compiled
def many_binomial(key: int, trials: int, probability: float, out: Any) -> None:
    for index in range(len(out)):
        out[index] = rng.binomial(rng.draw(rng.tick_key(key, index), 1), trials, probability)


@compiled
def grid_of_uniforms(seeds: int, episodes: int, ticks: int, places: int, purposes: int, out: Any) -> None:
    """Fill ``out [seeds, episodes, streams = 2, ticks, places, purposes]``."""
    for seed in range(seeds):
        for episode in range(episodes):
            for stream in range(2):
                key = rng.world_key(seed, episode, stream + 1)
                for tick in range(ticks):
                    for place in range(places):
                        zone_key = rng.place_key(rng.tick_key(key, tick), place)
                        for purpose in range(purposes):
                            bits = rng.draw(zone_key, purpose)
                            out[seed, episode, stream, tick, place, purpose] = rng.uniform(bits)


def sample(fill: Callable[..., None], *arguments: Any, dtype: Any = np.float64) -> np.ndarray:
    out = np.empty(DRAWS, dtype=dtype)
    fill(KEY, *arguments, out)
    return out


def deviations(counts: np.ndarray, expected: np.ndarray) -> float:
    """Return by how many standard deviations a chi-square exceeds what is expected (Wilson and Hilferty 1931)."""
    free = len(counts) - 1
    statistic = float(((counts - expected) ** 2 / expected).sum())
    return ((statistic / free) ** (1.0 / 3.0) - (1.0 - 2.0 / (9.0 * free))) / math.sqrt(2.0 / (9.0 * free))


def pooled(counts: np.ndarray, expected: np.ndarray, least: float = 20.0) -> tuple[np.ndarray, np.ndarray]:
    """Merge neighbouring classes until each is expected often enough."""
    merged: list[list[float]] = [[0.0, 0.0]]
    for count, mean in zip(counts, expected, strict=True):
        if merged[-1][1] >= least:
            merged.append([0.0, 0.0])
        merged[-1][0] += count
        merged[-1][1] += mean
    if merged[-1][1] < least:
        last = merged.pop()
        merged[-1] = [merged[-1][0] + last[0], merged[-1][1] + last[1]]
    return np.array(merged)[:, 0], np.array(merged)[:, 1]


def assert_follows(values: np.ndarray, log_probability: Callable[[int], float]) -> None:
    """Hold counts against a probability mass function by a chi-square test; none may be impossible."""
    most = int(values.max()) + 1
    probability = np.array([math.exp(log_probability(k)) for k in range(most)])
    expected = np.append(probability, max(1.0 - probability.sum(), 0.0)) * len(values)
    counts, expected = pooled(np.append(np.bincount(values, minlength=most), 0), expected)
    assert deviations(counts, expected) < LIMIT


def log_poisson(k: int, mean: float) -> float:
    return k * math.log(mean) - mean - math.lgamma(k + 1)


def log_binomial(k: int, n: int, p: float) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * math.log(p) + (n - k) * math.log1p(-p)


def test_mix_is_splitmix64() -> None:
    # The first three outputs of the reference implementation with seed 0 (Vigna, splitmix64.c).
    golden, expected = 0x9E3779B97F4A7C15, [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    counters = [np.uint64((n + 1) * golden % 2**64) for n in range(3)]
    assert [int(rng.mix(counter)) for counter in counters] == expected


def test_uniform_is_uniform() -> None:
    values = sample(many_uniform)
    counts, _ = np.histogram(values, bins=256, range=(0.0, 1.0))
    assert abs(deviations(counts, np.full(256, DRAWS / 256))) < LIMIT


@pytest.mark.parametrize("bits", [0, 2**64 - 1])
def test_uniform_is_never_at_its_ends(bits: int) -> None:
    assert 0.0 < rng.uniform(np.uint64(bits)) < 1.0


def test_between_is_uniform_between() -> None:
    counts, _ = np.histogram(sample(many_between), bins=64, range=(-3.0, 5.0))
    assert counts.sum() == DRAWS
    assert abs(deviations(counts, np.full(64, DRAWS / 64))) < LIMIT


def test_normal_is_normal() -> None:
    edges = np.linspace(-4.0, 4.0, 65)
    cumulative = np.array([0.5 * math.erfc(-edge / math.sqrt(2.0)) for edge in edges])
    expected = np.diff(np.concatenate([[0.0], cumulative, [1.0]])) * DRAWS
    counts = np.bincount(np.searchsorted(edges, sample(many_normal)), minlength=len(edges) + 1)
    assert deviations(*pooled(counts, expected)) < LIMIT


def test_bell_has_the_moments_of_four_uniforms() -> None:
    values = sample(many_bell)
    assert abs(values.mean()) < LIMIT / math.sqrt(DRAWS)
    assert abs(values.var() - 1.0) < LIMIT * math.sqrt(1.7 / DRAWS)  # fourth moment 2.7, less 1
    assert abs((values**3).mean()) < LIMIT * math.sqrt(11.0 / DRAWS)
    assert (values**4).mean() == pytest.approx(3.0 - 6.0 / 5.0 / 4.0, abs=0.06)  # Irwin-Hall's excess is -6/(5 n)
    assert np.abs(values).max() < 3.47


@pytest.mark.parametrize("mean", [0.003, 0.05, 0.7, 3.0, 9.99, 10.0, 14.5, 40.0, 300.0, 1e4])
def test_poisson(mean: float) -> None:
    assert_follows(sample(many_poisson, mean, dtype=np.int64), lambda k: log_poisson(k, mean))


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
def test_binomial(trials: int, probability: float) -> None:
    values = sample(many_binomial, trials, probability, dtype=np.int64)
    assert values.max() <= trials
    assert_follows(values, lambda k: log_binomial(k, trials, probability))


def test_nothing_happens_without_a_mean_trials_or_probability() -> None:
    assert sample(many_poisson, 0.0, dtype=np.int64).max() == 0
    for trials, probability in ((0, 0.5), (-3, 0.5), (10, 0.0)):
        assert sample(many_binomial, trials, probability, dtype=np.int64).max() == 0


@pytest.mark.parametrize("trials", [1, 6, 7, 5000])
def test_everything_happens_with_certainty(trials: int) -> None:
    assert sample(many_binomial, trials, 1.0, dtype=np.int64).min() == trials


def test_draws_have_nothing_to_do_with_each_other() -> None:
    shape = (5, 4, 2, 40, 30, 25)
    values = np.empty(shape)
    grid_of_uniforms(*(shape[axis] for axis in (0, 1, 3, 4, 5)), values)
    assert len(np.unique(values)) == values.size
    scaled = (values - 0.5) * math.sqrt(12.0)
    for axis in range(values.ndim):
        for lag in {1, 2, shape[axis] // 2}:
            if 0 < lag < shape[axis]:
                product = np.take(scaled, range(lag, shape[axis]), axis) * np.take(
                    scaled, range(shape[axis] - lag), axis
                )
                assert abs(product.mean()) < LIMIT / math.sqrt(product.size), (axis, lag)


def test_pairs_of_neighbouring_draws_fill_the_square() -> None:
    shape = (1, 1, 2, 200, 60, 25)
    values = np.empty(shape)
    grid_of_uniforms(1, 1, 200, 60, 25, values)
    for axis in (3, 4, 5):
        first = np.take(values, range(shape[axis] - 1), axis).ravel()
        second = np.take(values, range(1, shape[axis]), axis).ravel()
        counts = np.histogram2d(first, second, bins=16, range=((0, 1), (0, 1)))[0].ravel()
        assert abs(deviations(counts, np.full(256, first.size / 256))) < LIMIT


def test_the_chi_square_would_notice_one_per_cent() -> None:
    with pytest.raises(AssertionError):
        assert_follows(sample(many_poisson, 40.0, dtype=np.int64), lambda k: log_poisson(k, 40.4))
