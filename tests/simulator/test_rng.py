"""Random numbers: every variate against its own distribution, and draws that have nothing to do with each other.

All keys are fixed, so these statistics never fail by chance; the limits are those of one failure in 30,000.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from metaverse_env.compiling import compiled
from metaverse_env.simulator import rng

Deviations = Callable[[np.ndarray, np.ndarray], float]
Pooled = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]

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


def test_mix_is_splitmix64() -> None:
    # The first three outputs of the reference implementation with seed 0 (Vigna, splitmix64.c).
    golden, expected = 0x9E3779B97F4A7C15, [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    counters = [np.uint64((n + 1) * golden % 2**64) for n in range(3)]
    assert [int(rng.mix(counter)) for counter in counters] == expected


def test_uniform_is_uniform(deviations: Deviations) -> None:
    values = sample(many_uniform)
    counts, _ = np.histogram(values, bins=256, range=(0.0, 1.0))
    assert abs(deviations(counts, np.full(256, DRAWS / 256))) < LIMIT


@pytest.mark.parametrize("bits", [0, 2**64 - 1])
def test_uniform_is_never_at_its_ends(bits: int) -> None:
    assert 0.0 < rng.uniform(np.uint64(bits)) < 1.0


def test_two_uniforms_are_the_halves_of_a_draw() -> None:
    assert rng.two_uniforms(np.uint64(2**63)) == (0.5 + 2.0**-33, 2.0**-33)
    for bits in (0, 2**64 - 1):
        assert all(0.0 < part < 1.0 for part in rng.two_uniforms(np.uint64(bits)))


def test_between_is_uniform_between(deviations: Deviations) -> None:
    counts, _ = np.histogram(sample(many_between), bins=64, range=(-3.0, 5.0))
    assert counts.sum() == DRAWS
    assert abs(deviations(counts, np.full(64, DRAWS / 64))) < LIMIT


def test_normal_is_normal(deviations: Deviations, pooled: Pooled) -> None:
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


def test_pairs_of_neighbouring_draws_fill_the_square(deviations: Deviations) -> None:
    shape = (1, 1, 2, 200, 60, 25)
    values = np.empty(shape)
    grid_of_uniforms(1, 1, 200, 60, 25, values)
    for axis in (3, 4, 5):
        first = np.take(values, range(shape[axis] - 1), axis).ravel()
        second = np.take(values, range(1, shape[axis]), axis).ravel()
        counts = np.histogram2d(first, second, bins=16, range=((0, 1), (0, 1)))[0].ravel()
        assert abs(deviations(counts, np.full(256, first.size / 256))) < LIMIT
