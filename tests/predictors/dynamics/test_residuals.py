"""How deviations last: read off series, and carried on as read."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaverse_env.compiling import entry_point
from predictors.stgnn.dynamics.features import MOST_DEVIATIONS, TARGETS, stir
from predictors.stgnn.dynamics.residuals import LAGS, Parts, correlations, fit_parts
from predictors.stgnn.dynamics.runtime import split_deviation, weave

Array = np.ndarray


def simulate(parts: Parts, ticks: int, series: int) -> Array:
    """Return the sum of two autoregressions, ``[T, N]``, by NumPy."""
    random = np.random.default_rng(7)
    total = np.zeros((ticks, series))
    for share, keep in ((parts.share, parts.quick), (1.0 - parts.share, parts.slow)):
        value = random.standard_normal(series)
        for tick in range(ticks):
            value = keep * value + np.sqrt(1.0 - keep**2) * random.standard_normal(series)
            total[tick] += np.sqrt(share) * value
    return total


@pytest.mark.parametrize("parts", [Parts(0.6, 0.5, 0.98), Parts(0.9, 0.84, 0.95), Parts(0.3, 0.0, 0.9)])
def test_parts_are_found_again(parts: Parts) -> None:
    values = simulate(parts, 400, 400)
    found = fit_parts(*correlations(values, np.ones_like(values)))
    lags = np.array(LAGS, dtype=float)
    np.testing.assert_allclose(found.correlation(lags), parts.correlation(lags), atol=0.03)


def test_gaps_do_not_count() -> None:
    """Garbage where nothing counts changes nothing."""
    values = simulate(Parts(0.5, 0.5, 0.98), 200, 100)
    counts = (np.random.default_rng(1).random(values.shape) < 0.7).astype(float)
    clean = correlations(values * counts, counts)
    dirty = correlations(np.where(counts > 0, values, 1e3), counts)
    for one, other in zip(clean, dirty, strict=True):
        np.testing.assert_allclose(one, other)


def test_a_zone_that_costs_more_for_good_lives_in_the_slow_part() -> None:
    """Half of the variance is between zones and never changes; the slow part takes it over, and forgets it slowly."""
    random = np.random.default_rng(2)
    values = random.standard_normal((300, 200)) + random.standard_normal(200)
    found = fit_parts(*correlations(values, np.ones_like(values)))
    assert found.quick == 0.0
    assert found.share == pytest.approx(0.5, abs=0.1)
    assert found.slow > 0.99


@entry_point
def _stir_often(residual: Any, weave: Any, noise: Any) -> None:
    for tick in range(noise.shape[0]):
        for series in range(noise.shape[1]):
            stir(residual[series], tick * 1_000_003 + 7919 * series + 1, weave, noise[tick, series])


def test_deviations_are_carried_as_they_were_read() -> None:
    parts = (Parts(0.6, 0.5, 0.98), Parts(0.9, 0.84, 0.95, 0.6), Parts(1.0, 0.0, 0.9), Parts(0.0, 0.0, 0.99))
    noise = np.zeros((400, 600, TARGETS + 1), dtype=np.float32)
    residual = np.random.default_rng(3).standard_normal((600, 2, TARGETS)).astype(np.float32)
    _stir_often(residual, weave(np.array(parts, dtype=np.float32)), noise)
    np.testing.assert_array_equal(noise[..., TARGETS], noise[..., TARGETS - 1])
    lags = np.array(LAGS, dtype=float)
    for target, expected in enumerate(parts):
        values = noise[..., target].astype(float)
        assert values.std() == pytest.approx(expected.size, abs=0.05)
        read, _ = correlations(values, np.ones_like(values))
        np.testing.assert_allclose(read, expected.correlation(lags), atol=0.05)
    assert np.abs(noise).max() <= MOST_DEVIATIONS


@given(shown=st.floats(-3.0, 3.0), chance=st.floats(-3.0, 3.0), share=st.floats(0.0, 1.0), size=st.floats(0.3, 2.0))
def test_parts_add_up_to_what_a_zone_shows(shown: float, chance: float, share: float, size: float) -> None:
    woven = weave(np.array([Parts(share, 0.5, 0.9, size)] * TARGETS, dtype=np.float32))
    parts = split_deviation(np.full(TARGETS, shown), np.full(TARGETS, chance), woven)
    assert parts.shape == (2, TARGETS)
    total = woven[:, 0, 0] * parts[0] + woven[:, 1, 0] * parts[1]
    np.testing.assert_allclose(total, shown, atol=1e-5)
    np.testing.assert_allclose((parts**2).sum(axis=0), (shown / size) ** 2 + chance**2, rtol=1e-4, atol=1e-6)
